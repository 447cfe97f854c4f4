"""Draws spectrograms of several clips below each other, to compare them."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import torch
from torch import Tensor

mpl.use("Agg")
import matplotlib.pyplot as plt  # after the backend is chosen

WINDOW_SAMPLES = 2048


def levels_db(clip: Tensor) -> Tensor:
    """Return levels in dB of a full-scale sine, ``(frequencies, moments)``, of a clip ``(1, n)``."""
    window = torch.hann_window(WINDOW_SAMPLES)
    spectrum = torch.stft(clip[0], WINDOW_SAMPLES, WINDOW_SAMPLES // 4, window=window, return_complex=True)
    return 20.0 * (2.0 * spectrum.abs() / window.sum() + 1e-9).log10()


def draw(path: Path, clips: Mapping[str, Tensor], rate_hz: int) -> None:
    """Draw the clips ``(1, n)`` under their titles, all with the same colours."""
    figure, axes = plt.subplots(len(clips), 1, figsize=(10, 2.4 * len(clips)), sharex=True, layout="constrained")
    for axis, (title, clip) in zip(axes, clips.items(), strict=True):
        levels = levels_db(clip)
        times_s = torch.arange(levels.size(1)) * (WINDOW_SAMPLES // 4) / rate_hz
        frequencies_hz = torch.linspace(0.0, rate_hz / 2.0, levels.size(0))
        mesh = axis.pcolormesh(
            times_s.numpy(), frequencies_hz[1:].numpy(), levels[1:].numpy(), vmin=-100.0, vmax=0.0, cmap="magma"
        )
        axis.set(title=title, ylabel="frequency in Hz", yscale="log", ylim=(40.0, min(20_000.0, rate_hz / 2.0)))
    axes[-1].set_xlabel("time in s")
    figure.colorbar(mesh, ax=axes, label="level in dB of a full-scale sine", aspect=40)
    figure.savefig(path, dpi=90)
    plt.close(figure)
