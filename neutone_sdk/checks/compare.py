"""Whether two plays of the same audio are the same."""

import torch
from torch import Tensor

# The interpreter and Python run the same kernels; fused multiplications and reordered sums differ by rounding.
MAX_DIFFERENCE = 1e-4


def difference(expected: Tensor, actual: Tensor) -> float:
    """Return the largest difference, relative to the louder of full scale and ``expected``; NaN equals NaN."""
    is_same = (expected == actual) | (expected.isnan() & actual.isnan())
    worst = torch.where(is_same, 0.0, (expected - actual).abs()).nan_to_num(nan=torch.inf).max()
    return float(worst) / max(1.0, float(expected.nan_to_num().abs().max()))


def how_they_differ(name: str, expected: Tensor, other_name: str, actual: Tensor) -> str:
    """Return a sentence on how two plays differ, or an empty text if they do not."""
    worst = difference(expected, actual)
    if worst <= MAX_DIFFERENCE:
        return ""
    return (
        f"{name} and {other_name} play the same audio differently, by up to {worst:.3g} (allowed: {MAX_DIFFERENCE:g})"
    )
