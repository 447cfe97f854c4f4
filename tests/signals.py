"""Test signals, and what is measured on them."""

import numpy as np
import torch
from torch import Tensor

Samples = np.ndarray


def sine(frequency_hz: float, rate_hz: int, n_samples: int, amplitude: float = 0.9) -> Tensor:
    """Return ``(1, n_samples)``, float32."""
    phases = 2.0 * np.pi * frequency_hz / rate_hz * np.arange(n_samples)
    return torch.from_numpy(amplitude * np.sin(phases)).float()[None]


def tone_and_rest(samples: Samples, frequency_hz: float, rate_hz: int) -> tuple[float, float]:
    """Return the amplitude of a tone, and the RMS of everything else, by least squares."""
    phases = 2.0 * np.pi * frequency_hz / rate_hz * np.arange(len(samples))
    basis = np.stack([np.cos(phases), np.sin(phases)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, samples, rcond=None)
    return float(np.hypot(*weights)), float(np.sqrt(np.mean((samples - basis @ weights) ** 2)))


def snr_db(samples: Samples, frequency_hz: float, rate_hz: int) -> float:
    """Return by how much a tone is above everything else."""
    amplitude, rest = tone_and_rest(samples, frequency_hz, rate_hz)
    return float(20.0 * np.log10(amplitude / np.sqrt(2.0) / rest))


def pulse(center: int, n_samples: int, bandwidth: float) -> Tensor:
    """Return a band-limited pulse around sample ``center``, ``(1, n_samples)``, float32; bandwidth in cycles/sample."""
    times = np.arange(n_samples) - center
    envelope = np.exp(-((times * bandwidth / 3.0) ** 2))
    return torch.from_numpy(np.sinc(2.0 * bandwidth * times) * envelope).float()[None]


def center_of(samples: Samples) -> float:
    """Return where a pulse is: the centre of gravity, which a filter of linear phase delays by its group delay."""
    return float(np.sum(samples * np.arange(len(samples))) / np.sum(samples))
