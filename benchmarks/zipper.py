"""Spectral lines that a moving knob leaves beside a tone: python -m benchmarks.zipper [--json FILE].

A tone of 1 kHz goes through a gain whose knob moves, in a host of 48 kHz that sends one value a block: evenly from 0.1
to 0.9 in four seconds, as automation does, or up and down once a second, as a hand does. Steps from block to block
modulate the tone: lines at multiples of the block rate around it.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.rounds import Results, run
from neutone_sdk import ContinuousNeutoneParameter, ModelCard, SampleQueueWrapper, WaveformToWaveformBase

RATE_HZ = 48_000
TONE_HZ = 1_000.0
SECONDS = 4
NEAR_HZ = 30.0  # the sweep's own sidebands lie nearer to the tone than that


class Gain(WaveformToWaveformBase):
    """Multiply by the knob."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Multiply one block."""
        return x * params["gain"]


def gain(block: int, **smoothing: object) -> Gain:
    """Return a gain with a knob that is smoothed as said, and blocks of ``block`` samples."""
    knob = ContinuousNeutoneParameter("gain", "", 0.5, **smoothing)  # type: ignore[arg-type]
    card = ModelCard(
        name="gain", authors=["benchmark"], short_description="", is_input_mono=True, is_output_mono=True,
        native_buffer_sizes=[block], parameters=[knob],
    )  # fmt: skip
    return Gain(nn.Identity(), card=card)


def ramp(seconds: Tensor) -> Tensor:
    """Return the knob of automation."""
    return 0.1 + 0.8 * seconds / SECONDS


def wave(seconds: Tensor) -> Tensor:
    """Return the knob of a hand."""
    return 0.5 - 0.4 * torch.cos(2.0 * torch.pi * seconds)


def strongest_line_db(model: Gain, host_block: int, knob: Callable[[Tensor], Tensor]) -> float:
    """Return the level of the strongest line that is not the tone or its slow modulation, relative to the tone."""
    queue = SampleQueueWrapper(model, daw_sr=RATE_HZ, daw_bs=host_block)
    n_blocks = SECONDS * RATE_HZ // host_block
    times = torch.arange(n_blocks * host_block, dtype=torch.float64) / RATE_HZ
    tone = torch.sin(2.0 * torch.pi * TONE_HZ * times).float()[None]
    positions = knob(times[::host_block])
    played = [
        queue(block, torch.full((4, 1), float(position)))
        for block, position in zip(tone.split(host_block, dim=1), positions, strict=True)
    ]
    samples = torch.cat(played, dim=1)[0, RATE_HZ:].double().numpy()
    spectrum = np.abs(np.fft.rfft(samples * np.kaiser(len(samples), 24.0)))
    frequencies_hz = np.fft.rfftfreq(len(samples), 1.0 / RATE_HZ)
    is_beside = np.abs(frequencies_hz - TONE_HZ) > NEAR_HZ
    return float(20.0 * np.log10(spectrum[is_beside].max() / spectrum.max()))


SMOOTHINGS: dict[str, dict[str, object]] = {
    "mean of the block": {},
    "linear, 20 ms": {"smoothing_ms": 20.0, "smoothing": "linear"},
    "one_pole, 20 ms": {"smoothing_ms": 20.0, "smoothing": "one_pole"},
}


def measure(is_quick: bool) -> Results:  # noqa: ARG001  # seconds as it is
    """Print a table, and return it."""
    print("strongest line beside a tone of 1 kHz behind a moving knob, dB (reach: -100 if smoothed)")
    columns = [(knob, block) for knob in (ramp, wave) for block in (64, 512, 2048)]
    print(f"{'':>20}" + "".join(f"{f'{knob.__name__}, {block}':>12}" for knob, block in columns))
    figures: dict[str, dict[str, float]] = {}
    for name, smoothing in SMOOTHINGS.items():
        levels = [strongest_line_db(gain(block, **smoothing), block, knob) for knob, block in columns]
        print(f"{name:>20}" + "".join(f"{level:12.1f}" for level in levels))
        figures[name] = {
            f"{knob.__name__}, {block}": level for (knob, block), level in zip(columns, levels, strict=True)
        }
    return Results(figures={"zipper": figures})


if __name__ == "__main__":
    run(__doc__, measure)
