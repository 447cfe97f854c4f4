"""Filters that tests of all of them go through, and how their gain is measured."""

import math
from collections.abc import Callable
from typing import Any

import scipy.signal
import torch
from torch import Tensor, nn

from neutone_sdk.filters import IIRSVF, Biquads, FilterType, FIRFilter, IIRFilter

FLOAT32_OUTPUT = 1e-6  # arithmetic is float64; only the stored sample is rounded, to half a step of what it is
RATE = 48_000
LOWPASS, HIGHPASS = FilterType.LOWPASS, FilterType.HIGHPASS
BANDPASS, BANDSTOP = FilterType.BANDPASS, FilterType.BANDSTOP
SOS = scipy.signal.butter(5, [300.0, 3000.0], "bandpass", fs=RATE, output="sos")


def svf_filter() -> nn.Module:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.svf = IIRSVF()

        def forward(self, audio: Tensor) -> Tensor:
            cutoff, resonance = torch.full((1, 1, 1), 900.0), torch.full((1, 1, 1), 1.5)
            return self.svf(audio, cutoff, resonance, torch.tensor([[[0.5, 1.0, 0.25]]]), 48_000)

        @torch.jit.export
        def reset(self) -> None:
            self.svf.reset()

    return Fixed()


FILTERS: dict[str, Callable[[], Any]] = {
    "fir": lambda: FIRFilter(BANDPASS, [300.0, 3000.0]),
    "long fir": lambda: FIRFilter(LOWPASS, [300.0], 2001),
    "iir": lambda: IIRFilter(BANDSTOP, 1000.0, 2.0),
    "svf": svf_filter,
    "biquads": lambda: Biquads(SOS),
}


def gain_db(module: nn.Module, frequency_hz: float, rate: int = RATE) -> float:
    n_samples = rate
    phases = 2.0 * math.pi * frequency_hz / rate * torch.arange(n_samples, dtype=torch.float64)
    filtered = module(torch.sin(phases).float()[None])[0, n_samples // 2 :].double()
    basis = torch.stack([torch.sin(phases), torch.cos(phases)], dim=1)[n_samples // 2 :]
    return float(20.0 * torch.linalg.lstsq(basis, filtered[:, None]).solution.norm().log10())
