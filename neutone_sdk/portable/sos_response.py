"""The frequency response of sections of second order: csrc/dsp/biquad_section.h. Scriptable."""

import math

import torch
from torch import Tensor

from neutone_sdk.portable.analog_section import check_rate, sum_of_three
from neutone_sdk.portable.tensors import check_memory


def polynomials_at(c0: float, c1: float, c2: float, sine: Tensor, cosine: Tensor) -> Tensor:
    """Return ``e^jw (c0 + c1 e^-jw + c2 e^-2jw)``, complex128, from sine and cosine of half the angle w.

    With ``cos w = 1 - 2 sin^2(w/2)``, or near Nyquist ``2 cos^2(w/2) - 1``, what cancels is a sum of coefficients.
    """
    below = sum_of_three(c0, c1, c2) - 2.0 * (c0 + c2) * (sine * sine)
    above = 2.0 * (c0 + c2) * (cosine * cosine) - sum_of_three(c0, -c1, c2)
    return torch.complex(torch.where(sine * sine <= 0.5, below, above), (c0 - c2) * (2.0 * sine * cosine))


def checked_sections(sos: Tensor) -> list[list[float]]:
    """Return b0 b1 b2 a1 a2 of each row, with a0 divided out as SciPy does."""
    check_memory("sos_response", "sos", sos, 2, torch.float64)
    if sos.size(1) != 6:
        raise RuntimeError(f"sos_response: sos must have 6 columns, b0 b1 b2 a0 a1 a2, got {sos.size(1)}")
    rows: list[list[float]] = sos.tolist()
    sections: list[list[float]] = []
    for i in range(len(rows)):
        b0, b1, b2, a0, a1, a2 = rows[i]
        if a0 == 0.0 or not math.isfinite(a0):
            raise RuntimeError(f"sos_response: sos must have an a0 that is finite and not 0, got {a0} in row {i}")
        sections.append([b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0])
    return sections


def normalized(frequencies_hz: Tensor, sample_rate_hz: float) -> Tensor:
    """Return frequencies over the rate. Raises unless they lie in 0 to 0.5."""
    check_memory("sos_response", "frequencies_hz", frequencies_hz, 1, torch.float64)
    check_rate("sos_response", sample_rate_hz)
    freqs = frequencies_hz / sample_rate_hz
    is_outside = ~((freqs >= 0.0) & (freqs <= 0.5))  # NaN, too
    if bool(is_outside.any()):
        first = float(frequencies_hz[is_outside][0])
        raise RuntimeError(
            f"sos_response: frequencies_hz must be in 0..{0.5 * sample_rate_hz} Hz, half of sample_rate_hz, got {first}"
        )
    return freqs


def sos_response(sos: Tensor, frequencies_hz: Tensor, sample_rate_hz: float) -> Tensor:
    """Return the gain of sections ``(sections, 6)`` in series at ``(n,)`` frequencies: ``(n, 2)``, its two parts."""
    sections = checked_sections(sos)
    freqs = normalized(frequencies_hz, sample_rate_hz)
    sine = torch.sin(math.pi * freqs)
    cosine = torch.where(freqs > 0.25, torch.sin(math.pi * (0.5 - freqs)), torch.cos(math.pi * freqs))
    product = torch.ones_like(freqs, dtype=torch.complex128)
    for b0, b1, b2, a1, a2 in sections:
        product = product * (polynomials_at(b0, b1, b2, sine, cosine) / polynomials_at(1.0, a1, a2, sine, cosine))
    return torch.view_as_real(product)
