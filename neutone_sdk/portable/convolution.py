"""Audio, with the frames that came before it, convolved with taps. Scriptable."""

import math

import torch
from torch import Tensor


def convolved(audio: Tensor, taps: Tensor) -> Tensor:
    """Convolve each channel of ``audio`` with each row of ``taps``, in float64.

    By overlap-save, whatever the length: with as few as 16 taps, `torch.conv1d` takes as long. What is not finite would
    be everywhere in a spectrum; it is put where a sum of products has it, as NaN.

    Args:
        audio: ``(channels, n_taps - 1 + n)``, float32: what came before, and n frames.
        taps: ``(rows, n_taps)``.

    Returns:
        ``(rows, channels, n)``, float32, fresh.
    """
    filtered = overlap_saved(audio, taps)
    if math.isfinite(float(filtered.sum())):
        return filtered.to(torch.float32)
    is_bad = audio.isfinite().logical_not()
    n_bad = torch.constant_pad_nd(is_bad.to(torch.int64).cumsum(1), [1, 0])
    is_reached = n_bad[:, taps.size(1) :] > n_bad[:, : -taps.size(1)]
    return overlap_saved(audio.masked_fill(is_bad, 0.0), taps).masked_fill(is_reached, math.nan).to(torch.float32)


def overlap_saved(audio: Tensor, taps: Tensor) -> Tensor:
    """Return those frames of a circular convolution that have not gone round, float64.

    All is transformed at once: MKL takes longer for one row than for three.
    """
    n_channels = audio.size(0)
    size = fast_size(max(audio.size(1), taps.size(1)))
    points = torch.zeros(n_channels + taps.size(0), size, dtype=torch.float64)
    points[:n_channels, : audio.size(1)].copy_(audio)
    points[n_channels:, : taps.size(1)].copy_(taps)
    spectra = torch.fft.rfft(points)
    products = spectra[:n_channels].unsqueeze(0) * spectra[n_channels:].unsqueeze(1)
    return torch.fft.irfft(products, size)[:, :, taps.size(1) - 1 : audio.size(1)]


def fast_size(n_points: int) -> int:
    """Return a size of at least ``n_points`` whose transform is fast: 9, 10, 12 or 16 times a power of two."""
    size = 32
    while size < n_points:
        size *= 2
    for sixteenths in [9, 10, 12]:
        if size // 16 * sixteenths >= n_points:
            return size // 16 * sixteenths
    return size
