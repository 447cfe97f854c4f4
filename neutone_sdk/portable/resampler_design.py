"""The resampler's filter, as csrc/dsp/resampler_design.cpp plans and designs it, in double precision. Scriptable.

Ratios are reduced: ``up`` samples out for ``down`` samples in. Times are in steps of ``1 / up`` of an input sample; an
output sample's phase is where in its input sample it lies, 0..up-1.
"""

import math

import torch
from torch import Tensor


def kernel_of(quality: str) -> tuple[float, float, float]:
    """Return half the kernel's width, its attenuation in dB and its stop edge, in samples of the lower rate.

    Raises:
        RuntimeError: It is none of the three qualities.
    """
    if quality == "low_latency":
        return 14.0, 90.0, 27.0 / 44.1
    if quality == "high":
        return 124.0, 170.0, 23.1 / 44.1
    if quality != "standard":
        raise RuntimeError(f"new_resampler: quality must be low_latency, standard or high, got {quality}")
    return 42.0, 126.2, 24.09 / 44.1


def reduced_rates(from_hz: int, to_hz: int) -> tuple[int, int]:
    """Return ``up`` and ``down``.

    Raises:
        RuntimeError: A rate is outside 1..768000 Hz, or more than 256 times the other.
    """
    for name, rate_hz in [("from_hz", from_hz), ("to_hz", to_hz)]:
        if rate_hz < 1 or rate_hz > 768_000:
            raise RuntimeError(f"new_resampler: {name} must be in 1..768000 Hz, got {rate_hz}")
    if max(from_hz, to_hz) > 256 * min(from_hz, to_hz):
        raise RuntimeError(
            f"new_resampler: from_hz and to_hz may differ by a factor of at most 256, got {from_hz} and {to_hz}"
        )
    divisor = math.gcd(from_hz, to_hz)
    return to_hz // divisor, from_hz // divisor


def half_taps_of(up: int, down: int, quality: str) -> int:
    """Return how many input samples on either side of an output sample the filter takes; 1 for equal rates.

    Raises:
        RuntimeError: ``quality`` is none of the three.
    """
    half_width = kernel_of(quality)[0]
    return 1 if up == down else math.ceil(half_width * _stretch(up, down))


def _stretch(up: int, down: int) -> float:
    """Return by how much the kernel is longer where the input has the higher rate."""
    return max(1.0, down / up)


def interpolated_phases(up: int, down: int, half_taps: int, quality: str) -> int:
    """Return between how many phases the filter is interpolated, or 0 where it has the rows of all ``up``.

    The native operators' limit, in terms of their table: rows in groups of four, which share a window.
    """
    rows = _rounded_up(up if up >= 64 else up * 4 // math.gcd(up, 4), 4)
    taps = _rounded_up(2 * half_taps + (up - 1 + 3 * down) // up, 8)
    n_phases = math.ceil((512 if quality == "high" else 128) / _stretch(up, down))
    return n_phases if rows * taps > 1 << 19 and n_phases + 3 < up else 0


def _rounded_up(count: int, multiple: int) -> int:
    return (count + multiple - 1) // multiple * multiple


def design_rows(phases: Tensor, up: int, down: int, half_taps: int, quality: str) -> Tensor:
    """Return the coefficients ``(n, 2 * half_taps)`` of output samples, oldest input sample first, float64.

    Each lies between the two input samples in the middle of its window, at its phase ``(n,)``, float64, 0..1, of
    their distance.
    Their sum is 1. Formulas and source stand in csrc/dsp/resampler_design.cpp. What the native operators round to
    float32 is rounded here, too.
    """
    half_width, attenuation_db, stop_edge = kernel_of(quality)
    beta = 0.1102 * (attenuation_db - 8.7)
    cutoff = stop_edge - 0.5 * (attenuation_db - 7.95) / (14.36 * 2.0 * half_width)
    stretch = _stretch(up, down)
    taps = torch.arange(2 * half_taps, dtype=torch.float64)
    times = (half_taps - 1.0 + phases).unsqueeze(1) - taps
    relative = times / (half_width * stretch)
    window = torch.i0(beta * (1.0 - relative.square()).clamp(min=0.0).sqrt())
    rows = torch.sinc(2.0 * cutoff * times / stretch) * window * (relative.abs() < 1.0)
    rows = rows / rows.sum(1, keepdim=True)
    return rows if quality == "high" else rows.to(torch.float32).to(torch.float64)
