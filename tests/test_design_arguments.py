"""Which filters cannot be designed, and why, in Hz."""

from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import call_with, ops, sos

BIQUAD = {"kind": "peak", "cutoff_hz": 1000.0, "q": 1.0, "gain_db": 0.0, "sample_rate_hz": 48000.0}
IIR = {
    "family": "chebyshev1", "kind": "lowpass", "order": 4, "cutoffs_hz": [1000.0], "ripple_db": 1.0,
    "sample_rate_hz": 48000.0,
}  # fmt: skip


@pytest.mark.parametrize("bad_hz", [0.0, -1.0, 24000.0, 1e9, float("nan"), float("inf")])
def test_cutoffs_that_make_no_sense_are_refused_in_hz(bad_hz: float) -> None:
    message = r"must be above 0 and below 24000 Hz, half of sample_rate_hz, got (?:0|-1|24000|1e\+09|nan|inf)$"
    with pytest.raises(RuntimeError, match=rf"(?m)design_biquad: cutoff_hz {message}"):
        ops.design_biquad(**BIQUAD | {"cutoff_hz": bad_hz})
    for kind, cutoffs_hz in ("lowpass", [bad_hz]), ("bandpass", [bad_hz, 1000.0]), ("bandstop", [1000.0, bad_hz]):
        with pytest.raises(RuntimeError, match=rf"(?m)design_iir: cutoffs_hz {message}"):
            ops.design_iir(**IIR | {"kind": kind, "cutoffs_hz": cutoffs_hz})


@pytest.mark.parametrize("bad_hz", [0.0, -48000.0, float("nan"), float("inf")])
def test_rates_that_make_no_sense_are_refused(bad_hz: float) -> None:
    message = "sample_rate_hz must be above 0 and finite, got"
    with pytest.raises(RuntimeError, match=f"design_biquad: {message}"):
        ops.design_biquad(**BIQUAD | {"sample_rate_hz": bad_hz})
    with pytest.raises(RuntimeError, match=f"design_iir: {message}"):
        ops.design_iir(**IIR | {"sample_rate_hz": bad_hz})
    with pytest.raises(RuntimeError, match=f"sos_response: {message}"):
        ops.sos_response(sos(), torch.zeros(1, dtype=torch.float64), bad_hz)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"kind": "best"},
            "kind must be one of lowpass, highpass, bandpass, notch, peak, lowshelf, highshelf, allpass",
        ),
        ({"kind": ""}, "kind must be one of .*, got $"),
        ({"q": 0.0}, "q must be above 0 and finite, got 0"),
        ({"q": -2.0}, "q must be above 0 and finite, got -2"),
        ({"q": float("nan")}, "q must be above 0 and finite, got nan"),
        ({"q": float("inf")}, "q must be above 0 and finite, got inf"),
        ({"q": 1e300}, "has poles that float64 cannot tell from the unit circle"),
        ({"q": 1e-300}, "has poles that float64 cannot tell from the unit circle"),
        ({"cutoff_hz": 1e-300}, "has poles that float64 cannot tell from the unit circle"),
        ({"gain_db": 201.0}, r"gain_db must be in -200\.\.200, got 201"),
        ({"gain_db": float("nan")}, r"gain_db must be in -200\.\.200, got nan"),
    ],
)
def test_biquads_that_make_no_sense_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"(?m)design_biquad: .*{message}"):
        ops.design_biquad(**BIQUAD | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"family": "bessel"}, "family must be one of butterworth, linkwitz_riley, chebyshev1, chebyshev2, got bessel"),
        ({"kind": "notch"}, "kind must be one of lowpass, highpass, bandpass, bandstop, got notch"),
        ({"order": 0}, r"order must be in 1\.\.16, got 0"),
        ({"order": 17}, r"order must be in 1\.\.16, got 17"),
        ({"order": 2**32 + 4}, r"order must be in 1\.\.16, got 4294967300"),
        ({"family": "linkwitz_riley", "order": 3}, r"order must be even and in 2\.\.16, got 3"),
        (
            {"family": "linkwitz_riley", "kind": "bandpass", "cutoffs_hz": [1.0, 2.0]},
            "band must be lowpass or highpass",
        ),
        ({"cutoffs_hz": []}, "cutoffs_hz must hold one frequency for lowpass and highpass, got 0"),
        ({"cutoffs_hz": [1.0, 2.0]}, "cutoffs_hz must hold one frequency for lowpass and highpass, got 2"),
        ({"kind": "bandpass"}, "cutoffs_hz must hold two frequencies for bandpass and bandstop, got 1"),
        (
            {"kind": "bandstop", "cutoffs_hz": [2000.0, 1000.0]},
            "cutoffs_hz must hold the lower frequency first, got 2000 and 1000",
        ),
        ({"kind": "bandpass", "cutoffs_hz": [1000.0, 1000.0]}, "cutoffs_hz must hold the lower frequency first"),
        ({"ripple_db": 0.0}, "ripple_db must be above 0 and at most 300 dB, got 0"),
        ({"family": "chebyshev2", "ripple_db": -1.0}, "ripple_db must be above 0 and at most 300 dB, got -1"),
        ({"ripple_db": float("nan")}, "ripple_db must be above 0 and at most 300 dB, got nan"),
        ({"cutoffs_hz": [1e-9]}, "has poles that float64 cannot tell from the unit circle"),
    ],
)
def test_filters_that_make_no_sense_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"(?m)design_iir: .*{message}"):
        ops.design_iir(**IIR | changed)


def with_a0(a0: float) -> Tensor:
    changed = sos()
    changed[1, 3] = a0
    return changed


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, torch.zeros(6, dtype=torch.float64), r"sos must have 2 dimensions, got shape \(6\)"),
        (0, torch.zeros(1, 5, dtype=torch.float64), "sos must have 6 columns, b0 b1 b2 a0 a1 a2, got 5"),
        (0, torch.zeros(1, 6), "sos must be float64, got float32"),
        (0, torch.zeros(6, 6, dtype=torch.float64).T[:, ::2].T, "sos must be contiguous"),
        (0, with_a0(0.0), "sos must have an a0 that is finite and not 0, got 0 in row 1"),
        (0, with_a0(float("nan")), "sos must have an a0 that is finite and not 0, got nan in row 1"),
        (1, torch.zeros(3), "frequencies_hz must be float64, got float32"),
        (1, torch.zeros(3, 1, dtype=torch.float64), r"frequencies_hz must have 1 dimensions, got shape \(3, 1\)"),
        (1, torch.zeros(6, dtype=torch.float64)[::2], "frequencies_hz must be contiguous"),
        (1, torch.tensor([0.0, -1.0]).double(), r"frequencies_hz must be in 0\.\.24000 Hz, half of .*, got -1"),
        (1, torch.tensor([24001.0]).double(), r"frequencies_hz must be in 0\.\.24000 Hz, half of .*, got 24001"),
        (1, torch.tensor([torch.nan]).double(), r"frequencies_hz must be in 0\.\.24000 Hz, half of .*, got nan"),
    ],
)
def test_responses_that_make_no_sense_are_refused(position: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"sos_response: {message}"):
        call_with("sos_response", position, value)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "fir_design",
            ("comb", [100.0], 48000.0, 31),
            "kind must be lowpass, .* or bandstop, got comb",
        ),
        ("fir_design", ("lowpass", [24000.0], 48000.0, 31), "below half the sample rate, 24000 Hz, got 24000"),
        ("fir_design", ("lowpass", [0.0], 48000.0, 31), "cutoffs_hz must be above 0 and below .* got 0"),
        ("fir_design", ("lowpass", [-5.0], 48000.0, 31), "cutoffs_hz must be above 0 and below .* got -5"),
        ("fir_design", ("lowpass", [float("nan")], 48000.0, 31), "cutoffs_hz must be above 0 and below .* got nan"),
        ("fir_design", ("bandpass", [300.0, 200.0], 48000.0, 31), "cutoffs_hz must rise, .* got 300 and 200"),
        ("fir_design", ("bandstop", [300.0], 48000.0, 31), "cutoffs must be 2 for this kind, got 1"),
        ("fir_design", ("highpass", [], 48000.0, 31), "cutoffs must be 1 for this kind, got 0"),
        ("fir_design", ("lowpass", [100.0], 0.0, 31), "sample_rate_hz must be finite and above 0, got 0"),
        ("fir_design", ("lowpass", [100.0], float("inf"), 31), "sample_rate_hz must be finite and above 0, got inf"),
        ("fir_design", ("lowpass", [100.0], 48000.0, 32), r"n_taps must be odd and in 1\.\.1048575, .* got 32"),
        ("fir_design", ("lowpass", [100.0], 48000.0, -1), r"n_taps must be odd and in 1\.\.1048575, .* got -1"),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)
