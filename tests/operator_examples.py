"""Arguments for each operator, shared by the tests of what operators do and of what they refuse."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from neutone_sdk.streaming.queue import new_ring

ops = torch.ops.neutone


def ring(n_channels: int, n_filled: int = 0) -> tuple[Tensor, Tensor]:
    samples, cursors = new_ring(n_channels, 8)
    ops.ring_write(torch.rand(n_channels, n_filled), samples, cursors)
    return samples, cursors


def audio(n_channels: int = 2, n_frames: int = 5) -> Tensor:
    return torch.rand(n_channels, n_frames)


def resampler(n_channels: int) -> tuple[Tensor, Tensor, Tensor]:
    table, history, state = ops.new_resampler(44100, 48000, "standard", n_channels)
    return table, history, state


def taps(n_taps: int = 150) -> Tensor:
    return torch.rand(n_taps, dtype=torch.float64)


def fir(n_channels: int, n_taps: int = 150) -> tuple[Tensor, Tensor, Tensor]:
    table, history, state = ops.new_fir(taps(n_taps), n_channels)
    return table, history, state


# Arguments that work, made afresh for each test.
EXAMPLES: dict[str, Callable[[], tuple[Any, ...]]] = {
    "version": lambda: (),
    "ring_write": lambda: (audio(), *ring(2)),
    "ring_push": lambda: (audio(), 7, *ring(2, 6)),
    "ring_read": lambda: (audio(), *ring(2, 6)),
    "ring_peek": lambda: (audio(), *ring(2, 6)),
    "ring_newest": lambda: (audio(), *ring(2, 6)),
    "ring_skip": lambda: (3, *ring(2, 6)),
    "ring_clear": lambda: ring(2, 6),
    "ring_size": lambda: ring(2, 6),
    "stream_write": lambda: (audio(1), audio(4), *ring(2), *ring(4)),
    "stream_read": lambda: (*ring(2, 7), *ring(4, 8), torch.rand(3, 3), 5, 3, 4, 2, False),
    "stream_pop": lambda: (*ring(2, 7), 5, 1),
    "stream_write_resampled": lambda: (audio(1), audio(4), *resampler(2), *ring(2), *ring(4)),
    "stream_pop_resampled": lambda: (*ring(2, 7), *resampler(2), 5, 1),
    "new_resampler": lambda: (44100, 48000, "standard", 2),
    "resampler_start": lambda: (-3, 2, *resampler(2)),
    "resample": lambda: (audio(), *resampler(2)),
    "fir_design": lambda: ("bandpass", [200.0, 3000.0], 48000.0, 301),
    "new_fir": lambda: (taps(), 2),
    "fir": lambda: (audio(), *fir(2)),
    "fir_set_taps": lambda: (taps(), 100, *fir(2)),
    "fir_reset": lambda: fir(2),
    "fit_channels": lambda: (audio(1), 2, 1, 3),
    "mean_params": lambda: (audio(4),),
    "denormalize_params": lambda: (audio(4), torch.rand(3, 3)),
    "denormalize_mean_params": lambda: (audio(4), torch.rand(3, 3)),
}
