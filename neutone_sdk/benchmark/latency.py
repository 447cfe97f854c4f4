"""By how much a model's output is late in a host of any rate and block size."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from torch.jit import ScriptModule

from neutone_sdk.benchmark.job import DEFAULT_SIZES, check_settings
from neutone_sdk.rendering import Latency, set_up_host
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper

DEFAULT_RATES_HZ: Final = (44_100, 48_000)
_CHANGING: Final = "set_daw_sample_rate_and_max_buffer_size"  # files of 1.x have none


@dataclass(frozen=True)
class Delay:
    """By how much the output is late at one setting.

    Attributes:
        latency: Its parts.
        is_fixed: Every block has the buffer's size, rather than any up to it.
    """

    latency: Latency
    is_fixed: bool


def measure_delays(
    model: ScriptModule | SampleQueueWrapper,
    sample_rates_hz: Iterable[int] = DEFAULT_RATES_HZ,
    buffer_sizes: Iterable[int] = DEFAULT_SIZES,
) -> list[Delay]:
    """Return the delay at every pair of rate and size, for blocks of fixed and of changing size, the least first.

    The order is that of time, not of samples. Of two alike, that with the shorter block is first: the host itself is
    late by a block. Blocks that change are left out if the model is of 1.x. Leaves the model at one of the settings.

    Raises:
        InvalidArgumentError: The model cannot run at a setting, or there is none.
        InvalidTypeError: A rate or size is no whole number.
    """
    rates, sizes = tuple(sample_rates_hz), tuple(buffer_sizes)
    check_settings(rates, sizes)
    modes = (True, False) if hasattr(model, _CHANGING) else (True,)
    settings = dict.fromkeys(itertools.product(modes, rates, sizes))
    delays = [Delay(set_up_host(model, rate, size, is_fixed=is_fixed), is_fixed) for is_fixed, rate, size in settings]
    return sorted(delays, key=_rank)


def _rank(delay: Delay) -> tuple[float, bool, float]:
    latency = delay.latency
    return latency.total_ms, not delay.is_fixed, latency.buffer_size / latency.sample_rate_hz
