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


def smoothing() -> Tensor:
    return torch.tensor([[1.0, 3.0], [2.0, 100.0]], dtype=torch.float64)


def sections() -> Tensor:
    return torch.tensor([[0.1, 0.2, 0.1, 1.0, -1.2, 0.6], [2.0, 0.0, 0.0, 2.0, -1.0, 0.0]], dtype=torch.float64)


def resampler(n_channels: int) -> tuple[Tensor, Tensor, Tensor]:
    table, history, state = ops.new_resampler(44100, 48000, "standard", n_channels)
    return table, history, state


def new_stream(**changed: Any) -> Tensor:
    """Return a stream between a host at 44.1 kHz and a model at 48 kHz, but for what is changed."""
    arguments: dict[str, Any] = {
        "host_hz": 44100,
        "least_frames": 1,
        "most_frames": 8,
        "model_hz": 48000,
        "model_block": 16,
        "n_in_channels": 2,
        "n_out_channels": 1,
        "param_ranges": torch.tensor([[0.0, 1.0, 0.0], [0.0, 3.0, 1.0]]),
        "default_params": torch.full((4, 1), 0.5),
        "mean_params": False,
    }
    made: Tensor = ops.new_stream(*(arguments | changed).values())
    return made


def stream(mode: str = "delayed", **changed: Any) -> Tensor:
    """Return a stream with a delay that is enough for any blocks."""
    memory = new_stream(**changed)
    ops.stream_start(mode, 140, 0, memory)
    return memory


def full_stream(**changed: Any) -> Tensor:
    """Return a stream with a full block of the model."""
    memory = stream(**changed)
    while ops.stream_exchange(audio(1), audio(4), True, memory).size(0) > 0:
        pass
    return memory


def taken_stream() -> Tensor:
    """Return a stream from which a full block of the model was taken."""
    memory = full_stream()
    ops.stream_take(memory)
    return memory


def svf_with(**changed: Any) -> tuple[Any, ...]:
    """Return arguments of svf for a block of 2 channels and 5 frames, but for what is changed."""
    arguments: dict[str, Any] = {
        "audio": audio(),
        "cutoff_hz": 1000.0 * (1.0 + torch.rand(1, 5, 1)),
        "resonance": torch.full((2, 1, 1), 0.7),
        "mix": torch.rand(2, 5, 3),
        "sample_rate_hz": 48000.0,
        "state": torch.zeros(2, 7, dtype=torch.float64),
    }
    return tuple((arguments | changed).values())


def sos() -> Tensor:
    return ops.design_iir("butterworth", "lowpass", 3, [1000.0], 0.0, 48000.0)


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
    "new_stream": lambda: (44100, 1, 8, 48000, 16, 2, 1, torch.rand(3, 3), torch.rand(4, 1), False),
    "stream_resampling_steps": lambda: (44100, 48000),
    "stream_start": lambda: ("delayed", 140, 3, new_stream()),
    "stream_stop": lambda: (stream(),),
    "stream_exchange": lambda: (audio(1), audio(4), True, stream()),
    "stream_take": lambda: (full_stream(),),
    "stream_put": lambda: (audio(1, 16), taken_stream()),
    "new_resampler": lambda: (44100, 48000, "standard", 2),
    "resampler_start": lambda: (-3, 2, *resampler(2)),
    "resample": lambda: (audio(), *resampler(2)),
    "fir_design": lambda: ("bandpass", [200.0, 3000.0], 48000.0, 301),
    "new_fir": lambda: (taps(), 2),
    "fir": lambda: (audio(), *fir(2)),
    "fir_set_taps": lambda: (taps(), 100, *fir(2)),
    "fir_reset": lambda: fir(2),
    "fit_channels": lambda: (audio(1), 2, 1, 3),
    "biquad": lambda: (audio(), sections(), torch.zeros(2, 2, 2, dtype=torch.float64)),
    "aggregate_params": lambda: (audio(4), "max"),
    "clean_params": lambda: (audio(4), 5, torch.rand(4)),
    "denormalize_params": lambda: (audio(4), torch.rand(3, 3)),
    "denormalize_mean_params": lambda: (audio(4), torch.rand(3, 3), torch.rand(4)),
    "smooth_params": lambda: (audio(2, 1), smoothing(), 5, torch.zeros(2, 4, dtype=torch.float64)),
    "svf": svf_with,
    "design_biquad": lambda: ("peak", 1000.0, 0.7, 6.0, 48000.0),
    "design_iir": lambda: ("chebyshev1", "bandpass", 3, [500.0, 1000.0], 0.5, 48000.0),
    "sos_response": lambda: (sos(), torch.tensor([0.0, 1000.0, 24000.0], dtype=torch.float64), 48000.0),
}


def call_with(name: str, position: int, value: Any) -> Any:
    """Call an operator with its example, but for one argument."""
    arguments = list(EXAMPLES[name]())
    arguments[position] = value
    return getattr(ops, name)(*arguments)
