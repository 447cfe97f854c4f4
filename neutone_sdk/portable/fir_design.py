"""Linear-phase taps, a sinc under Kaiser's window: csrc/dsp/fir_design.h. Scriptable."""

import math

import torch
from torch import Tensor


def normalized(cutoffs_hz: list[float], sample_rate_hz: float) -> list[float]:
    """Return cutoffs over the rate. Raises unless they lie between 0 and 0.5, and rise."""
    if not (math.isfinite(sample_rate_hz) and sample_rate_hz > 0.0):
        raise RuntimeError(f"fir_design: sample_rate_hz must be finite and above 0, got {sample_rate_hz}")
    cutoffs = [cutoff_hz / sample_rate_hz for cutoff_hz in cutoffs_hz]
    for i in range(len(cutoffs)):
        if not (cutoffs[i] > 0.0 and cutoffs[i] < 0.5):
            raise RuntimeError(
                "fir_design: cutoffs_hz must be above 0 and below half the sample rate, "
                f"{0.5 * sample_rate_hz} Hz, got {cutoffs_hz[i]}"
            )
    if len(cutoffs) == 2 and not cutoffs[0] < cutoffs[1]:
        raise RuntimeError(
            "fir_design: cutoffs_hz must rise, the first below the second, got "
            f"{cutoffs[0] * sample_rate_hz} and {cutoffs[1] * sample_rate_hz}"
        )
    return cutoffs


def check_kind(kind: str, n_cutoffs: int) -> None:
    """Raise unless there is such a kind, with so many cutoffs."""
    is_band = kind in ["bandpass", "bandstop"]
    if not is_band and kind not in ["lowpass", "highpass"]:
        raise RuntimeError("fir_design: kind must be lowpass, highpass, bandpass or bandstop, got " + kind)
    n_wanted = 2 if is_band else 1
    if n_cutoffs != n_wanted:
        raise RuntimeError(f"fir_design: normalized_cutoffs must be {n_wanted} for this kind, got {n_cutoffs}")


def ideal_lowpass(cutoff: float, time: Tensor) -> Tensor:
    """Return the taps at some times, in samples, that let pass everything below ``cutoff``."""
    return 2.0 * cutoff * torch.sinc(2.0 * cutoff * time)


def ideal(kind: str, cutoffs: list[float], time: Tensor) -> Tensor:
    """Return the taps at some times of a filter without any transition."""
    impulse = (time == 0.0).to(torch.float64)
    if kind == "highpass":
        return impulse - ideal_lowpass(cutoffs[0], time)
    if kind == "bandpass":
        return ideal_lowpass(cutoffs[1], time) - ideal_lowpass(cutoffs[0], time)
    if kind == "bandstop":
        return impulse - ideal_lowpass(cutoffs[1], time) + ideal_lowpass(cutoffs[0], time)
    return ideal_lowpass(cutoffs[0], time)


def gain_at(normalized_freq: float, taps: Tensor, time: Tensor) -> Tensor:
    """Return the gain of symmetric taps; whole turns are taken off before the cosine sees them."""
    turns = normalized_freq * time
    return (taps * torch.cos(2.0 * math.pi * (turns - turns.floor()))).sum()


def fir_design(kind: str, cutoffs_hz: list[float], sample_rate_hz: float, n_taps: int) -> Tensor:
    """Return ``(n_taps,)``, float64; see docs/filters.md.

    Raises:
        RuntimeError: An argument is outside its range.
    """
    cutoffs = normalized(cutoffs_hz, sample_rate_hz)
    check_kind(kind, len(cutoffs))
    if n_taps % 2 != 1 or n_taps < 1 or n_taps > 1_048_575:
        raise RuntimeError(
            "fir_design: n_taps must be odd and in 1..1048575, so that the delay is a whole number of samples; got "
            f"{n_taps}"
        )
    delay = float(n_taps // 2)
    time = torch.arange(n_taps, dtype=torch.float64) - delay
    relative = time / max(delay, 1.0)
    taps = ideal(kind, cutoffs, time) * torch.special.i0(12.0 * torch.sqrt(1.0 - relative * relative))
    freq_of_gain_1 = 0.0
    if kind == "highpass":
        freq_of_gain_1 = 0.5
    elif kind == "bandpass":
        freq_of_gain_1 = 0.5 * (cutoffs[0] + cutoffs[1])
    return taps / gain_at(freq_of_gain_1, taps, time)
