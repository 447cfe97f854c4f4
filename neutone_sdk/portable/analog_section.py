"""From analog to digital sections of second order: csrc/dsp/analog_section.h and biquad_section.h. Scriptable.

A digital section is b0 b1 b2 a1 a2, an analog one n2 n1 n0 d1 d0: ``(n2 s^2 + n1 s + n0) / (s^2 + d1 s + d0)``.
Operations stand in the order of the C++: coefficients near 1 and 2 cancel where they are used; their last bits count.
"""

import math

import torch
from torch import Tensor


def check_rate(op: str, sample_rate_hz: float) -> None:
    """Raise unless a rate is above 0 and finite."""
    if not (sample_rate_hz > 0.0 and math.isfinite(sample_rate_hz)):
        raise RuntimeError(f"{op}: sample_rate_hz must be above 0 and finite, got {sample_rate_hz}")


def check_cutoff(op: str, name: str, cutoff_hz: float, sample_rate_hz: float) -> None:
    """Raise unless a frequency lies between 0 and half the rate."""
    normalized_freq = cutoff_hz / sample_rate_hz
    if not (normalized_freq > 0.0 and normalized_freq < 0.5):
        raise RuntimeError(
            f"{op}: {name} must be above 0 and below {0.5 * sample_rate_hz} Hz, half of sample_rate_hz, got {cutoff_hz}"
        )


def half_angle(normalized_freq: float) -> tuple[float, float]:
    """Return sine and cosine of ``pi normalized_freq``; near Nyquist from the distance to it, which is exact."""
    sine = math.sin(math.pi * normalized_freq)
    if normalized_freq > 0.25:
        return sine, math.sin(math.pi * (0.5 - normalized_freq))
    return sine, math.cos(math.pi * normalized_freq)


def prewarped(normalized_freq: float) -> float:
    """Return ``tan(pi f)``: where the bilinear transform puts a frequency on the analog axis."""
    sine, cosine = half_angle(normalized_freq)
    return sine / cosine


def prewarped_difference(low: float, high: float) -> float:
    """Return ``tan(pi high) - tan(pi low)``, accurate also where they are close."""
    return math.sin(math.pi * (high - low)) / (half_angle(low)[1] * half_angle(high)[1])


def sum_of_three(a: float, b: float, c: float) -> float:
    """Return ``a + b + c``, accurate even if they nearly cancel (Knuth, volume 2, section 4.2.2, theorem B)."""
    total = a + b
    b_in_total = total - a
    error = (a - (total - b_in_total)) + (b - b_in_total)
    return (total + c) + error


def middle(first: float, last: float, at_zero: float, at_nyquist: float) -> float:
    """Return the middle of three coefficients from the smaller one of their sums at ``z = 1`` and ``z = -1``."""
    if at_zero < at_nyquist:
        return -sum_of_three(first, last, -at_zero)
    return sum_of_three(first, last, -at_nyquist)


def bilinear(n2: float, n1: float, n0: float, d1: float, d0: float) -> list[float]:
    """Transform an analog section by ``s = (1 - 1/z) / (1 + 1/z)``."""
    scale = 1.0 + d1 + d0
    b0, b2, a2 = (n2 + n1 + n0) / scale, (n2 - n1 + n0) / scale, (1.0 - d1 + d0) / scale
    b1 = middle(b0, b2, 4.0 * n0 / scale, 4.0 * n2 / scale)
    a1 = middle(1.0, a2, 4.0 * d0 / scale, 4.0 / scale)
    if n1 == 0.0 and n2 < n0 / d0:
        # Low-pass: the gain at 0 is that of the coefficients as they are now, to the last digits.
        correction = n0 / d0 * sum_of_three(1.0, a1, a2) / sum_of_three(b0, b1, b2)
        b0, b1, b2 = b0 * correction, b1 * correction, b2 * correction
    return [b0, b1, b2, a1, a2]


def bilinear_first_order(n1: float, n0: float, d0: float) -> list[float]:
    """Transform ``(n1 s + n0) / (s + d0)`` likewise."""
    scale = 1.0 + d0
    b0, b1, a1 = (n1 + n0) / scale, (n0 - n1) / scale, (d0 - 1.0) / scale
    if n1 == 0.0:
        b0 = 0.5 * (n0 / d0) * (1.0 + a1)
        b1 = b0
    return [b0, b1, 0.0, a1, 0.0]


def is_stable(section: list[float]) -> bool:
    """Return whether both poles lie inside the unit circle, strictly; False for what is not finite."""
    a1, a2 = section[3], section[4]
    return abs(a2) < 1.0 and (1.0 + a1) + a2 > 0.0 and (1.0 - a1) + a2 > 0.0


def sos_of(sections: list[list[float]]) -> Tensor:
    """Return sections as ``(sections, 6)``, float64: b0 b1 b2 a0 a1 a2.

    By ``fill_``: ``torch.tensor`` and assignments to elements round to float32 in TorchScript, whatever the dtype.
    """
    sos = torch.ones(len(sections), 6, dtype=torch.float64)
    for i in range(len(sections)):
        b0, b1, b2, a1, a2 = sections[i]
        for column, number in [(0, b0), (1, b1), (2, b2), (4, a1), (5, a2)]:
            sos[i, column].fill_(number)
    return sos
