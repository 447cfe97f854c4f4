"""One section of the Audio EQ Cookbook: csrc/dsp/biquad_design.h. Scriptable."""

import math

from torch import Tensor

from neutone_sdk.portable.analog_section import bilinear, check_cutoff, check_rate, is_stable, prewarped, sos_of


def prototype(  # noqa: PLR0911  # one for each kind
    kind: str, warped: float, q: float, amplitude: float
) -> tuple[float, float, float, float, float]:
    """Return the analog section n2 n1 n0 d1 d0, with s divided by the frequency ``warped``."""
    square = warped * warped
    width = warped / q
    root = math.sqrt(amplitude)
    if kind == "lowpass":
        return 0.0, 0.0, square, width, square
    if kind == "highpass":
        return 1.0, 0.0, 0.0, width, square
    if kind == "bandpass":
        return 0.0, width, 0.0, width, square
    if kind == "notch":
        return 1.0, 0.0, square, width, square
    if kind == "peak":
        return 1.0, width * amplitude, square, width / amplitude, square
    if kind == "lowshelf":
        return 1.0, width * root, square * amplitude, width / root, square / amplitude
    if kind == "highshelf":
        return amplitude * amplitude, width * root * amplitude, square * amplitude, width * root, square * amplitude
    return 1.0, -width, square, width, square


def design_biquad(kind: str, cutoff_hz: float, q: float, gain_db: float, sample_rate_hz: float) -> Tensor:
    """Return ``(1, 6)``, float64; see docs/filters.md.

    Raises:
        RuntimeError: An argument is outside its range, or float64 cannot hold such a filter.
    """
    kinds = ["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf", "allpass"]
    if kind not in kinds:
        raise RuntimeError("design_biquad: kind must be one of " + ", ".join(kinds) + ", got " + kind)
    check_rate("design_biquad", sample_rate_hz)
    check_cutoff("design_biquad", "cutoff_hz", cutoff_hz, sample_rate_hz)
    if not (q > 0.0 and math.isfinite(q)):
        raise RuntimeError(f"design_biquad: q must be above 0 and finite, got {q, 12}")
    has_gain = kind in ["peak", "lowshelf", "highshelf"]
    if has_gain and not abs(gain_db) <= 200.0:
        raise RuntimeError(f"design_biquad: gain_db must be in -200..200, got {gain_db, 12}")
    normalized_freq = cutoff_hz / sample_rate_hz
    amplitude = math.pow(10.0, gain_db / 40.0) if has_gain else 1.0
    n2, n1, n0, d1, d0 = prototype(kind, prewarped(normalized_freq), q, amplitude)
    section = bilinear(n2, n1, n0, d1, d0)
    if not is_stable(section):
        raise RuntimeError(
            f"design_biquad: normalized_freq {normalized_freq, 12} with q {q, 12} has poles that float64 "
            "cannot tell from the unit circle; take both less extreme"
        )
    return sos_of([section])
