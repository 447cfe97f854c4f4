"""The analog low-pass filters, with their edge at s = j, that csrc/dsp/iir_design.cpp begins with. Scriptable.

A prototype is its conjugate pairs of poles, those of the lowest resonance first, the distance of its real pole (0:
there is none) and its gain at 0. A pair is the pole above the real axis, in two parts, and the zero on the imaginary
axis that lies nearest, 0 standing for one at infinity.
"""

import math


def pole_angles(order: int) -> list[float]:
    """Return the angles from the imaginary axis to one pole of each pair, the farthest first."""
    return [math.pi * (2.0 * k - 1.0) / (2.0 * order) for k in range(order // 2, 0, -1)]


def excess_power(db: float) -> float:
    """Return ``10^(db/10) - 1``, the noise power that a loss stands for, and also for very little of it."""
    return math.expm1(db * math.log(10.0) / 10.0)


def ellipse_of_poles(order: int, width: float, height: float) -> tuple[list[tuple[float, float, float]], float, float]:
    """Return a prototype with its poles on an ellipse with these half axes."""
    pairs = [(-width * math.sin(angle), height * math.cos(angle), 0.0) for angle in pole_angles(order)]
    return pairs, width if order % 2 == 1 else 0.0, 1.0


def linkwitz_riley(order: int) -> tuple[list[tuple[float, float, float]], float, float]:
    """Return two Butterworth prototypes of half the order in series."""
    half, real_pole, _ = ellipse_of_poles(order // 2, 1.0, 1.0)
    pairs: list[tuple[float, float, float]] = []
    if real_pole != 0.0:
        pairs.append((-real_pole, 0.0, 0.0))  # two real poles are a section of second order, too
    for pair in half:
        pairs.extend([pair, pair])
    return pairs, 0.0, 1.0


def chebyshev1(order: int, ripple_db: float) -> tuple[list[tuple[float, float, float]], float, float]:
    """Return a prototype that ripples where it passes."""
    axis = math.asinh(1.0 / math.sqrt(excess_power(ripple_db))) / order
    pairs, real_pole, gain = ellipse_of_poles(order, math.sinh(axis), math.cosh(axis))
    return pairs, real_pole, gain if order % 2 == 1 else math.pow(10.0, -ripple_db / 20.0)


def chebyshev2(order: int, attenuation_db: float) -> tuple[list[tuple[float, float, float]], float, float]:
    """Return the other one with its poles mirrored at the unit circle, and zeros where its ripple touches 0."""
    axis = math.asinh(math.sqrt(excess_power(attenuation_db))) / order
    pairs: list[tuple[float, float, float]] = []
    for angle in pole_angles(order):
        re, im = -math.sinh(axis) * math.sin(angle), math.cosh(axis) * math.cos(angle)
        norm = re * re + im * im
        pairs.append((re / norm, im / norm, 1.0 / math.cos(angle)))
    return pairs, 1.0 / math.sinh(axis) if order % 2 == 1 else 0.0, 1.0


def prototype(family: str, order: int, ripple_db: float) -> tuple[list[tuple[float, float, float]], float, float]:
    """Return the prototype of a family."""
    if family == "linkwitz_riley":
        return linkwitz_riley(order)
    if family == "chebyshev1":
        return chebyshev1(order, ripple_db)
    if family == "chebyshev2":
        return chebyshev2(order, ripple_db)
    return ellipse_of_poles(order, 1.0, 1.0)
