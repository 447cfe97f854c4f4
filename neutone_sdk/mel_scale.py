"""The mel scale after the Hidden Markov Model Toolkit (HTK), and triangular filters on it."""

import torch
from torch import Tensor


def mel_filters(n_bins: int, sample_rate_hz: int, f_min_hz: float, f_max_hz: float, n_mels: int) -> Tensor:
    """Return ``(n_bins, n_mels)``, float32: how much of each bin of a spectrum belongs to each band.

    The bands' middles lie evenly on the mel scale, ``2595 * log10(1 + f / 700)``. A band is a triangle over frequency
    in Hz, of height 1, from the middle of the band before it to that of the next one.

    Args:
        n_bins: Bins from 0 to half the rate.
        sample_rate_hz: Rate of the audio.
        f_min_hz: Where the first band begins.
        f_max_hz: Where the last band ends.
        n_mels: Number of bands.
    """
    # Half the rate as a whole number, as others have it, so that models that were trained elsewhere hear the same.
    frequencies_hz = torch.linspace(0.0, sample_rate_hz // 2, n_bins, dtype=torch.float64)
    edges_mel = _mel_of(torch.tensor([f_min_hz, f_max_hz], dtype=torch.float64))
    corners_hz = _hz_of(torch.linspace(float(edges_mel[0]), float(edges_mel[1]), n_mels + 2, dtype=torch.float64))
    widths_hz = corners_hz.diff()
    above_hz = frequencies_hz[:, None] - corners_hz
    rising = above_hz[:, :-2] / widths_hz[:-1]
    falling = -above_hz[:, 2:] / widths_hz[1:]
    return torch.minimum(rising, falling).clamp(min=0.0).float()


def _mel_of(frequency_hz: Tensor) -> Tensor:
    return 2595.0 * torch.log10(1.0 + frequency_hz / 700.0)


def _hz_of(mel: Tensor) -> Tensor:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
