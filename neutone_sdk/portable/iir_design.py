"""Butterworth, Linkwitz-Riley and Chebyshev filters: csrc/dsp/iir_design.cpp. Scriptable.

A complex number is its two parts. Edges are the lower one, the centre (their geometric mean) and the width, all on the
analog axis.
"""

import math

import torch
from torch import Tensor

from neutone_sdk.portable.analog_section import (
    bilinear,
    bilinear_first_order,
    check_cutoff,
    check_rate,
    is_stable,
    prewarped,
    prewarped_difference,
    sos_of,
)
from neutone_sdk.portable.iir_prototype import prototype


def root_of(re: float, im: float) -> tuple[float, float]:
    """Return the square root of a complex number, as accurate as it can be."""
    parts = torch.full((2,), re, dtype=torch.float64)
    parts[1].fill_(im)
    root = torch.view_as_complex(parts).sqrt()
    return float(root.real), float(root.imag)


def divided(numerator: float, re: float, im: float) -> tuple[float, float]:
    """Divide a real number by a complex one (R. L. Smith, Algorithm 116, 1962)."""
    if abs(re) < abs(im):
        ratio = re / im
        divisor = re * ratio + im
        return numerator * ratio / divisor, -numerator / divisor
    ratio = im / re
    divisor = im * ratio + re
    return numerator / divisor, -numerator * ratio / divisor


def length_of(re: float, im: float) -> float:
    """Return the absolute value of a complex number."""
    return float(torch.hypot(torch.full((), re, dtype=torch.float64), torch.full((), im, dtype=torch.float64)))


def band_roots(re: float, im: float, center: float, width: float) -> tuple[float, float, float, float]:
    """Return the outer and the inner solution of ``s^2 - width root s + center^2 = 0``.

    These are the two roots of a band filter that stem from one of the prototype, or its reciprocal. The outer one is a
    sum without cancellation, the product of both gives the inner one.
    """
    half_re, half_im = 0.5 * width * re, 0.5 * width * im
    root_re, root_im = root_of(
        half_re * half_re - half_im * half_im - center * center, half_re * half_im + half_im * half_re
    )
    sign = 1.0 if half_re * root_re + half_im * root_im >= 0.0 else -1.0
    outer_re, outer_im = half_re + sign * root_re, half_im + sign * root_im
    inner_re, inner_im = divided(center * center, outer_re, outer_im)
    return outer_re, outer_im, inner_re, inner_im


def with_poles(re: float, im: float, n2: float, n0: float) -> list[float]:
    """Return the digital section whose analog denominator is that of a conjugate pair of poles."""
    return bilinear(n2, 0.0, n0, -2.0 * re, re * re + im * im)


def lowpass(re: float, im: float, zero: float, edge: float) -> list[float]:
    """Return the section of a pair for ``s -> s / edge``, with gain 1 at 0."""
    n2 = 0.0 if zero == 0.0 else (re * re + im * im) / (zero * zero)
    pole_re, pole_im = edge * re, edge * im
    return with_poles(pole_re, pole_im, n2, pole_re * pole_re + pole_im * pole_im)


def highpass(re: float, im: float, zero: float, edge: float) -> list[float]:
    """Return the section of a pair for ``s -> edge / s``, with gain 1 at infinity."""
    pole_re, pole_im = divided(edge, re, im)
    moved = 0.0 if zero == 0.0 else edge / zero
    return with_poles(pole_re, pole_im, 1.0, moved * moved)


def bandpass(re: float, im: float, zero: float, center: float, width: float) -> list[list[float]]:
    """Return both sections of a pair for ``s -> (s^2 + center^2) / (width s)``, with gain 1 at the centre.

    Zeros at 0 go with the poles nearer to 0, those at infinity with the others.
    """
    outer_re, outer_im, inner_re, inner_im = band_roots(re, im, center, width)
    outer, inner = length_of(outer_re, outer_im), length_of(inner_re, inner_im)
    length = length_of(re, im)
    if zero == 0.0:
        both = width * length
        return [
            with_poles(inner_re, inner_im, both * inner / (center * center), 0.0),
            with_poles(outer_re, outer_im, 0.0, both * outer),
        ]
    _, outer_zero, _, inner_zero = band_roots(0.0, zero, center, width)
    inner_gain = length * inner / (zero * abs(inner_zero))
    outer_gain = length * outer / (zero * abs(outer_zero))
    return [
        with_poles(inner_re, inner_im, inner_gain, inner_gain * (inner_zero * inner_zero)),
        with_poles(outer_re, outer_im, outer_gain, outer_gain * (outer_zero * outer_zero)),
    ]


def bandstop(re: float, im: float, zero: float, center: float, width: float) -> list[list[float]]:
    """Return both sections of a pair for ``s -> width s / (s^2 + center^2)``.

    As for a band-pass, with the reciprocals of the prototype's roots; one at infinity becomes two at the centre. The
    gain at 0 is 1, that at infinity is in both together.
    """
    norm = re * re + im * im
    outer_re, outer_im, inner_re, inner_im = band_roots(re / norm, im / norm, center, width)
    _, outer_zero, _, inner_zero = band_roots(0.0, 0.0 if zero == 0.0 else 1.0 / zero, center, width)
    inner, outer = inner_re * inner_re + inner_im * inner_im, outer_re * outer_re + outer_im * outer_im
    return [
        with_poles(inner_re, inner_im, inner / (inner_zero * inner_zero), inner),
        with_poles(outer_re, outer_im, outer / (outer_zero * outer_zero), outer),
    ]


def real_pole_section(distance: float, kind: str, low: float, center: float, width: float) -> list[float]:
    """Return the section of the pole at ``-distance`` and its zero at infinity; of a band, both new poles are in it."""
    square = center * center
    if kind == "lowpass":
        return bilinear_first_order(0.0, distance * low, distance * low)
    if kind == "highpass":
        return bilinear_first_order(1.0, 0.0, low / distance)
    if kind == "bandpass":
        return bilinear(0.0, distance * width, 0.0, distance * width, square)
    return bilinear(1.0, 0.0, square, width / distance, square)


def digital(
    kind: str, low: float, center: float, width: float, pairs: list[tuple[float, float, float]], real_pole: float
) -> list[list[float]]:
    """Return the sections of a prototype, those of lower resonance first; both of a band's pair follow each other."""
    sections: list[list[float]] = []
    if real_pole != 0.0:
        sections.append(real_pole_section(real_pole, kind, low, center, width))
    for re, im, zero in pairs:
        if kind == "lowpass":
            sections.append(lowpass(re, im, zero, low))
        elif kind == "highpass":
            sections.append(highpass(re, im, zero, low))
        elif kind == "bandpass":
            sections.extend(bandpass(re, im, zero, center, width))
        else:
            sections.extend(bandstop(re, im, zero, center, width))
    return sections


def check_band(kind: str, cutoffs_hz: list[float], sample_rate_hz: float) -> None:
    """Raise unless the cutoffs are those of such a filter."""
    check_rate("design_iir", sample_rate_hz)
    is_band = kind in ["bandpass", "bandstop"]
    if len(cutoffs_hz) != (2 if is_band else 1):
        wanted = "two frequencies for bandpass and bandstop" if is_band else "one frequency for lowpass and highpass"
        raise RuntimeError(f"design_iir: cutoffs_hz must hold {wanted}, got {len(cutoffs_hz)}")
    for cutoff_hz in cutoffs_hz:
        check_cutoff("design_iir", "cutoffs_hz", cutoff_hz, sample_rate_hz)
    if is_band and not cutoffs_hz[0] / sample_rate_hz < cutoffs_hz[1] / sample_rate_hz:
        raise RuntimeError(
            f"design_iir: cutoffs_hz must hold the lower frequency first, got {cutoffs_hz[0]} and {cutoffs_hz[1]}"
        )


def check_family(family: str, kind: str, order: int, ripple_db: float) -> None:
    """Raise unless a family has such a filter."""
    if family in ["chebyshev1", "chebyshev2"] and not (ripple_db > 0.0 and ripple_db <= 300.0):
        raise RuntimeError(f"design_iir: ripple_db must be above 0 and at most 300 dB, got {ripple_db}")
    if family != "linkwitz_riley":
        return
    if order % 2 != 0:
        raise RuntimeError(f"design_iir: order must be even and in 2..16, got {order}")
    if kind in ["bandpass", "bandstop"]:
        raise RuntimeError("design_iir: band must be lowpass or highpass for Linkwitz-Riley")


def check_word(name: str, word: str, allowed: list[str]) -> None:
    """Raise unless ``word`` is one of those allowed."""
    if word not in allowed:
        raise RuntimeError(f"design_iir: {name} must be one of " + ", ".join(allowed) + ", got " + word)


def design_iir(
    family: str, kind: str, order: int, cutoffs_hz: list[float], ripple_db: float, sample_rate_hz: float
) -> Tensor:
    """Return ``(sections, 6)``, float64; see docs/filters.md.

    Raises:
        RuntimeError: An argument is outside its range, or float64 cannot hold such a filter.
    """
    check_word("family", family, ["butterworth", "linkwitz_riley", "chebyshev1", "chebyshev2"])
    check_word("kind", kind, ["lowpass", "highpass", "bandpass", "bandstop"])
    if order < 1 or order > 16:
        raise RuntimeError(f"design_iir: order must be in 1..16, got {order}")
    check_band(kind, cutoffs_hz, sample_rate_hz)
    check_family(family, kind, order, ripple_db)
    low, high = cutoffs_hz[0] / sample_rate_hz, cutoffs_hz[-1] / sample_rate_hz
    edge = prewarped(low)
    center = math.sqrt(edge * prewarped(high))
    pairs, real_pole, gain = prototype(family, order, ripple_db)
    sections = digital(kind, edge, center, prewarped_difference(low, high), pairs, real_pole)
    for section in sections:
        if not is_stable(section):
            raise RuntimeError(
                f"design_iir: the band from {low, 12} to {high, 12} has poles that float64 cannot tell "
                "from the unit circle; take a wider band, a lower order or less ripple"
            )
    sos = sos_of(sections)
    sos[0, :3].mul_(gain)
    return sos
