"""Filters written out one sample at a time, in float64 and in torch alone: slow, and differentiable.

Each takes its input as a signal that begins after silence. Scriptable.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional


def sosfilt(audio: Tensor, sos: Tensor) -> Tensor:
    """Filter ``(channels, n)`` with second-order sections ``(sections, 6)``, b0 b1 b2 a0 a1 a2, in series."""
    samples = list(audio.double().unbind(1))
    for section in sos.double().unbind(0):
        b0, b1, b2, a1, a2 = (section / section[3])[[0, 1, 2, 4, 5]].unbind(0)
        s1 = torch.zeros(audio.size(0), dtype=torch.float64)
        s2 = torch.zeros(audio.size(0), dtype=torch.float64)
        filtered: list[Tensor] = []
        for x in samples:
            y = b0 * x + s1
            s1 = b1 * x - a1 * y + s2
            s2 = b2 * x - a2 * y
            filtered.append(y)
        samples = filtered
    return torch.stack(samples, dim=1).float() if len(samples) > 0 else audio.clone()


def svf(audio: Tensor, cutoff: Tensor, resonance: Tensor, mix: Tensor, sample_rate: float) -> Tensor:
    """Filter ``(channels, n)`` with the state-variable filter of csrc/dsp/svf_kernel.h.

    Args:
        audio: The input.
        cutoff: In Hz, ``(channels or 1, n or 1, 1)``.
        resonance: As a Q, the same shape.
        mix: Of band, low and high, ``(channels or 1, n or 1, 3)``.
        sample_rate: In Hz.
    """
    n_channels, n_samples = audio.shape
    limit = 0.5 * (1.0 - 1e-4) * sample_rate
    g = torch.tan(math.pi / sample_rate * cutoff.double().clamp(1e-4, limit)).expand(n_channels, n_samples, 1)
    damping = (1.0 / resonance.double().clamp(1e-4, 1e6)).expand(n_channels, n_samples, 1)
    mixed = mix.double().expand(n_channels, n_samples, 3)
    s1 = torch.zeros(n_channels, dtype=torch.float64)
    s2 = torch.zeros(n_channels, dtype=torch.float64)
    filtered: list[Tensor] = []
    for i in range(n_samples):
        x, g_now, damping_now = audio[:, i].double(), g[:, i, 0], damping[:, i, 0]
        high = (x - (damping_now + g_now) * s1 - s2) / (1.0 + g_now * (g_now + damping_now))
        band = g_now * high + s1
        low = g_now * band + s2
        s1 = band + g_now * high
        s2 = low + g_now * band
        filtered.append(mixed[:, i, 0] * damping_now * band + mixed[:, i, 1] * low + mixed[:, i, 2] * high)
    return torch.stack(filtered, dim=1).float() if n_samples > 0 else audio.clone()


def fir(audio: Tensor, taps: Tensor) -> Tensor:
    """Filter ``(channels, n)`` with ``(n_taps,)``."""
    padded = functional.pad(audio.double(), (taps.numel() - 1, 0))
    if audio.size(1) == 0:
        return audio.clone()
    return functional.conv1d(padded[:, None], taps.double().flip(0)[None, None])[:, 0].float()
