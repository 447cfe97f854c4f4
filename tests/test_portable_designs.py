"""Portable filter designs against the native ones, which are tested against SciPy: numbers, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.portable.biquad_design import design_biquad
from neutone_sdk.portable.fir_design import fir_design
from neutone_sdk.portable.iir_design import design_iir
from neutone_sdk.portable.sos_response import sos_response

from .portable_functions import assert_refused_alike, calls_nothing_native, native, refusal, scripted

RATES_HZ = [8000.0, 48_000.0, 192_000.0]
KINDS = ["lowpass", "highpass", "bandpass", "bandstop"]
BIQUAD_KINDS = ["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf", "allpass"]
FAMILIES = [
    ("butterworth", 0.0), ("linkwitz_riley", 0.0), ("chebyshev1", 0.1), ("chebyshev1", 3.0), ("chebyshev2", 40.0),
    ("chebyshev2", 120.0),
]  # fmt: skip
# Of each number; most are equal to the last bit.
ROUNDING = 1e-12


def sos() -> Tensor:
    return native(design_iir)("chebyshev1", "bandpass", 5, [500.0, 1000.0], 0.5, 48_000.0)


def assert_same_or_refused_alike(function: Callable[..., Any], *arguments: Any) -> None:
    if refusal(native(function), arguments):
        assert_refused_alike(function, *arguments)
        return
    expected = native(function)(*arguments)
    torch.testing.assert_close(scripted(function)(*arguments), expected, rtol=ROUNDING, atol=0)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", BIQUAD_KINDS)
def test_biquads_are_the_native_ones(kind: str, rate_hz: float) -> None:
    for cutoff_hz in (10.0, 440.0, 0.25 * rate_hz, 0.49 * rate_hz):
        for q in (0.1, 0.7071, 3.0, 100.0):
            for gain_db in (-40.0, 0.0, 12.0):
                assert_same_or_refused_alike(design_biquad, kind, cutoff_hz, q, gain_db, rate_hz)


@given(
    kind=st.sampled_from(BIQUAD_KINDS),
    normalized_freq=st.floats(-0.01, 0.51),
    q=st.floats(0.01, 1000.0),
    gain_db=st.floats(-210.0, 210.0),
    rate_hz=st.floats(1.0, 768_000.0),
)
@settings(deadline=None)
def test_any_biquad_is_the_native_one(
    kind: str, normalized_freq: float, q: float, gain_db: float, rate_hz: float
) -> None:
    assert_same_or_refused_alike(design_biquad, kind, normalized_freq * rate_hz, q, gain_db, rate_hz)


def edges_hz(kind: str, rate_hz: float) -> list[list[float]]:
    if kind in {"lowpass", "highpass"}:
        return [[10.0], [1000.0], [0.49 * rate_hz]]
    return [[10.0, 20.0], [20.0, 0.45 * rate_hz], [1000.0, 1100.0], [0.48 * rate_hz, 0.49 * rate_hz]]


@pytest.mark.parametrize("rate_hz", [44_100.0, 192_000.0])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("family", "ripple_db"), FAMILIES)
def test_filters_of_all_families_and_orders_are_the_native_ones(
    family: str, ripple_db: float, kind: str, rate_hz: float
) -> None:
    for cutoffs_hz in edges_hz(kind, rate_hz):
        for order in range(1, 17):
            assert_same_or_refused_alike(design_iir, family, kind, order, cutoffs_hz, ripple_db, rate_hz)


@given(
    family=st.sampled_from(["butterworth", "linkwitz_riley", "chebyshev1", "chebyshev2"]),
    kind=st.sampled_from(KINDS),
    order=st.integers(0, 17),
    edges=st.lists(st.floats(5e-5, 0.5), min_size=1, max_size=2),
    ripple_db=st.floats(0.0, 150.0),
    rate_hz=st.sampled_from([8000.0, 44_100.0, 192_000.0]),
)
@settings(deadline=None)
def test_any_filter_is_the_native_one(
    family: str, kind: str, order: int, edges: list[float], ripple_db: float, rate_hz: float
) -> None:
    cutoffs_hz = [edge * rate_hz for edge in edges]
    assert_same_or_refused_alike(design_iir, family, kind, order, cutoffs_hz, ripple_db, rate_hz)


def assert_taps_are_native(kind: str, cutoffs_hz: list[float], rate_hz: float, n_taps: int) -> None:
    # Of the largest: those far from the middle are what differences of much larger numbers leave.
    actual = scripted(fir_design)(kind, cutoffs_hz, rate_hz, n_taps)
    expected = native(fir_design)(kind, cutoffs_hz, rate_hz, n_taps)
    torch.testing.assert_close(actual, expected, rtol=0, atol=ROUNDING * expected.abs().max().item())


@pytest.mark.parametrize("n_taps", [1, 3, 31, 257, 8193])
@pytest.mark.parametrize("kind", KINDS)
def test_taps_are_the_native_ones(kind: str, n_taps: int) -> None:
    for cutoffs_hz in edges_hz(kind, 48_000.0):
        assert_taps_are_native(kind, cutoffs_hz, 48_000.0, n_taps)


@given(
    kind=st.sampled_from(KINDS),
    edges=st.lists(st.floats(1e-4, 0.499), min_size=2, max_size=2).map(sorted).filter(lambda e: e[1] - e[0] > 1e-3),
    half=st.integers(1, 600),
)
@settings(deadline=None)
def test_any_taps_are_the_native_ones(kind: str, edges: list[float], half: int) -> None:
    assert_taps_are_native(kind, [48_000.0 * edge for edge in edges][: 1 + kind.startswith("band")], 48e3, 2 * half + 1)


@pytest.mark.parametrize(
    "sections",
    [
        sos(),
        torch.tensor([[0.1, 0.2, 0.3, 2.5, -1.0, 0.5], [1.0, -2.0, 1.0, 1.0, 0.1, 0.9]], dtype=torch.float64),
        native(design_iir)("butterworth", "lowpass", 16, [10.0], 0.0, 192_000.0),
        torch.zeros(0, 6, dtype=torch.float64),
    ],
    ids=["bandpass", "any a0", "10 Hz", "nothing"],
)
def test_responses_are_the_native_ones(sections: Tensor) -> None:
    # Of the whole number: a part of it may be what a difference leaves. At 0 and Nyquist it may be 0.
    frequencies_hz = torch.cat([torch.tensor([0.0, 24_000.0]), torch.logspace(-3, 4.3802, 500)]).double()
    actual = torch.view_as_complex(scripted(sos_response)(sections, frequencies_hz, 48_000.0))
    expected = torch.view_as_complex(native(sos_response)(sections, frequencies_hz, 48_000.0))
    assert actual.shape == expected.shape
    assert ((actual - expected).abs() <= ROUNDING * expected.abs()).all()


def test_no_frequency_has_no_response() -> None:
    assert scripted(sos_response)(sos(), torch.zeros(0, dtype=torch.float64), 48_000.0).shape == (0, 2)


NAN, INF = float("nan"), float("inf")
BIQUAD = {"kind": "peak", "cutoff_hz": 1000.0, "q": 1.0, "gain_db": 0.0, "sample_rate_hz": 48_000.0}
IIR = {
    "family": "chebyshev1", "kind": "lowpass", "order": 4, "cutoffs_hz": [1000.0], "ripple_db": 1.0,
    "sample_rate_hz": 48_000.0,
}  # fmt: skip
FIR = {"kind": "lowpass", "cutoffs_hz": [1000.0], "sample_rate_hz": 48_000.0, "n_taps": 31}
RESPONSE = {"sos": sos(), "frequencies_hz": torch.zeros(1, dtype=torch.float64), "sample_rate_hz": 48_000.0}
NO_CUTOFFS = [0.0, -1.0, 24_000.0, 1e9, 123_456.789, NAN, INF, -INF]
NO_RATES = [0.0, -48_000.0, NAN, INF]


@pytest.mark.parametrize(
    "changed",
    [
        *({"cutoff_hz": bad_hz} for bad_hz in NO_CUTOFFS),
        *({"sample_rate_hz": bad_hz} for bad_hz in NO_RATES),
        *({"kind": kind} for kind in ("best", "", "Peak")),
        *({"q": q} for q in (0.0, -2.0, NAN, INF, 1e300, 1e-300)),
        *({"gain_db": gain_db} for gain_db in (201.0, -200.5, NAN, INF)),
        {"cutoff_hz": 1e-300},
        {"cutoff_hz": 1e-300, "kind": "lowpass"},
        {"cutoff_hz": 0.0001, "q": 1_234_567_890.12, "kind": "notch"},
    ],
    ids=str,
)
def test_biquads_are_refused_alike(changed: dict[str, Any]) -> None:
    assert_refused_alike(design_biquad, *(BIQUAD | changed).values())


@pytest.mark.parametrize(
    "changed",
    [
        *({"cutoffs_hz": [bad_hz]} for bad_hz in NO_CUTOFFS),
        *({"kind": "bandpass", "cutoffs_hz": [1000.0, bad_hz]} for bad_hz in NO_CUTOFFS),
        *({"sample_rate_hz": bad_hz} for bad_hz in NO_RATES),
        *({"family": family} for family in ("bessel", "")),
        *({"kind": kind} for kind in ("notch", "")),
        *({"order": order} for order in (0, -1, 17, 2**32 + 4)),
        {"family": "linkwitz_riley", "order": 3},
        {"family": "linkwitz_riley", "kind": "bandpass", "cutoffs_hz": [1.0, 2.0]},
        {"family": "linkwitz_riley", "kind": "bandstop", "cutoffs_hz": [1.0, 2.0], "order": 3},
        *({"cutoffs_hz": cutoffs_hz} for cutoffs_hz in ([], [1.0, 2.0])),
        *({"kind": "bandpass", "cutoffs_hz": cutoffs_hz} for cutoffs_hz in ([], [1.0], [1.0, 2.0, 3.0])),
        *({"kind": "bandstop", "cutoffs_hz": cutoffs_hz} for cutoffs_hz in ([2000.0, 1000.0], [1000.0, 1000.0])),
        *({"ripple_db": ripple_db} for ripple_db in (0.0, -1.0, 300.1, NAN)),
        {"family": "chebyshev2", "ripple_db": -1.0},
        {"cutoffs_hz": [1e-9]},
        {"kind": "bandpass", "cutoffs_hz": [1000.0, 1000.0 + 1e-12], "order": 16},
    ],
    ids=str,
)
def test_filters_are_refused_alike(changed: dict[str, Any]) -> None:
    assert_refused_alike(design_iir, *(IIR | changed).values())


@pytest.mark.parametrize(
    "changed",
    [
        *({"cutoffs_hz": [bad_hz]} for bad_hz in NO_CUTOFFS),
        *({"sample_rate_hz": bad_hz} for bad_hz in NO_RATES),
        *({"kind": kind} for kind in ("comb", "")),
        *({"n_taps": n_taps} for n_taps in (32, 0, -1, -2, 1_048_577, 2**40 + 1)),
        *({"cutoffs_hz": cutoffs_hz} for cutoffs_hz in ([], [1.0, 2.0], [2.0, 1.0])),
        *(
            {"kind": "bandpass", "cutoffs_hz": cutoffs_hz}
            for cutoffs_hz in ([], [1.0], [1.0, 2.0, 3.0], [300.0, 200.0])
        ),
        {"kind": "bandstop", "cutoffs_hz": [123.456_789, 123.456_789]},
    ],
    ids=str,
)
def test_taps_are_refused_alike(changed: dict[str, Any]) -> None:
    assert_refused_alike(fir_design, *(FIR | changed).values())


def with_a0(a0: float) -> Tensor:
    changed = sos()
    changed[1, 3] = a0
    return changed


@pytest.mark.parametrize(
    "changed",
    [
        {"sos": torch.zeros(6, dtype=torch.float64)},
        {"sos": torch.zeros(1, 5, dtype=torch.float64)},
        {"sos": torch.zeros(1, 6)},
        {"sos": torch.zeros(1, 6, dtype=torch.int16)},
        {"sos": torch.zeros(6, 6, dtype=torch.float64).T[:, ::2].T},
        *({"sos": with_a0(a0)} for a0 in (0.0, NAN, INF)),
        {"frequencies_hz": torch.zeros(3)},
        {"frequencies_hz": torch.zeros(3, 1, dtype=torch.float64)},
        {"frequencies_hz": torch.zeros(6, dtype=torch.float64)[::2]},
        *({"frequencies_hz": torch.tensor([0.0, bad_hz]).double()} for bad_hz in (-1.0, 24_000.1, NAN, INF)),
        *({"sample_rate_hz": bad_hz} for bad_hz in NO_RATES),
    ],
)
def test_responses_are_refused_alike(changed: dict[str, Any]) -> None:
    assert_refused_alike(sos_response, *(RESPONSE | changed).values())


@pytest.mark.parametrize("function", [design_biquad, design_iir, fir_design, sos_response])
def test_nothing_native_is_called(function: Callable[..., Any]) -> None:
    assert calls_nothing_native(function)
