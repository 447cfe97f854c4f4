"""From a native resampler's tensors to a portable one's."""

import torch
from torch import Tensor

from neutone_sdk.portable.resampler import new_resampler
from neutone_sdk.portable.resampler_design import half_taps_of


def portable_resampler(table: Tensor, history: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return portable ``table``, ``history`` and ``state`` that go on where the native ones are in their stream.

    For modules that made a native resampler in Python, and are exported as portable. The three are not written to.
    """
    up, down, half_taps, _, _, position, filled, _ = (int(word) for word in state)
    quality = "high" if table.dtype == torch.float64 else "standard"
    if quality == "standard" and half_taps_of(up, down, quality) != half_taps:
        quality = "low_latency"
    made_table, made_history, made_state = new_resampler(down, up, quality, history.size(0))
    if up != down:
        n_kept = min(filled, 2 * half_taps)
        made_history[:, 2 * half_taps - n_kept :] = history[:, filled - n_kept : filled]
    made_state[6] = position - filled * up
    return made_table, made_history, made_state
