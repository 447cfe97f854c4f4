"""Percentiles of durations."""

import math
from collections.abc import Sequence
from typing import Final

_ROUNDING: Final = 1e-6  # of a rank: 99.9 % of 10000 are not 9990 in binary numbers


def percentile_us(durations_ns: Sequence[int], percent: float) -> float:
    """Return the least duration that ``percent`` of them, of which there is one, keep to, in microseconds.

    It was measured: none is made up between two.
    """
    rank = math.ceil(percent / 100 * len(durations_ns) - _ROUNDING)
    return sorted(durations_ns)[max(rank, 1) - 1] / 1e3
