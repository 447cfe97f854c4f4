"""Filter designs as torch sees them: against SciPy, analog prototypes, and the formulas of the Audio EQ Cookbook."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from .operator_examples import ops

Complexes = NDArray[np.complex128]
Floats = NDArray[np.float64]

KINDS = ("lowpass", "highpass", "bandpass", "bandstop")
BIQUAD_KINDS = ("lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf", "allpass")


class Case(NamedTuple):
    """A filter of one of the families that SciPy has, too."""

    family: str
    kind: str
    order: int
    cutoffs_hz: list[float]
    ripple_db: float
    rate_hz: float

    def design(self) -> Tensor:
        return ops.design_iir(*self)

    def scipy(self, output: str) -> Any:
        cutoffs_hz = self.cutoffs_hz if len(self.cutoffs_hz) == 2 else self.cutoffs_hz[0]
        function = {
            "butterworth": scipy.signal.butter, "chebyshev1": scipy.signal.cheby1, "chebyshev2": scipy.signal.cheby2
        }[self.family]  # fmt: skip
        ripple = () if self.family == "butterworth" else (self.ripple_db,)
        return function(self.order, *ripple, cutoffs_hz, self.kind, output=output, fs=self.rate_hz)

    def frequencies_hz(self) -> Floats:
        """Return where to look: everywhere, closely around the edges, and at them."""
        around = np.concatenate([edge * np.geomspace(0.5, 2.0, 101) for edge in self.cutoffs_hz])
        everywhere = np.geomspace(1e-6, 0.4999, 200) * self.rate_hz
        return np.unique(np.concatenate([everywhere, around[around < 0.4999 * self.rate_hz], self.cutoffs_hz]))


def response(sos: Tensor, frequencies_hz: Floats, rate_hz: float) -> Complexes:
    parts = ops.sos_response(sos, torch.from_numpy(frequencies_hz), rate_hz)
    return torch.view_as_complex(parts).numpy()


def prewarped(frequencies_hz: Any, rate_hz: float) -> Floats:
    normalized_freqs = np.asarray(frequencies_hz) / rate_hz
    from_nyquist = np.where(normalized_freqs > 0.25, 0.5 - normalized_freqs, 0.25)
    return np.where(
        normalized_freqs > 0.25, 1.0 / np.tan(np.pi * from_nyquist), np.tan(np.pi * np.minimum(normalized_freqs, 0.25))
    )


def true_response(case: Case) -> Complexes:
    """Evaluate SciPy's analog prototype where the bilinear and the frequency transform put each frequency.

    The poles in z, near 1 for a low cutoff, are never formed, nor a polynomial of them: what the sections of either
    design lose by rounding their coefficients to float64 is not lost here, so this judges both.
    """
    zeros, poles, gain = {
        "butterworth": lambda: scipy.signal.buttap(case.order),
        "chebyshev1": lambda: scipy.signal.cheb1ap(case.order, case.ripple_db),
        "chebyshev2": lambda: scipy.signal.cheb2ap(case.order, case.ripple_db),
    }[case.family]()
    warped = prewarped(case.frequencies_hz(), case.rate_hz)
    edges = prewarped(case.cutoffs_hz, case.rate_hz)
    width = edges[-1] - edges[0]
    s = {
        "lowpass": lambda: 1j * warped / edges[0],
        "highpass": lambda: -1j * edges[0] / warped,
        "bandpass": lambda: 1j * (warped / width - edges[0] * edges[-1] / (width * warped)),
        "bandstop": lambda: -1j / (warped / width - edges[0] * edges[-1] / (width * warped)),
    }[case.kind]()
    numerator = np.prod(s[:, None] - np.reshape(zeros, (1, -1)), axis=1)
    return gain * numerator / np.prod(s[:, None] - np.reshape(poles, (1, -1)), axis=1)


def rounding(sos: Tensor, frequencies_hz: Floats, rate_hz: float) -> Floats:
    """Return how far, relatively, rounding each coefficient to float64 can move the response, to first order.

    Half a unit in the last place of a1, near 2, is 1e-9 of a denominator of 1e-7, which a section for 10 Hz of 192 kHz
    has. At 0 once more, because the gain of low-pass sections is made right there.
    """
    half_unit = 2.0**-53
    total = np.zeros(len(frequencies_hz))
    for b0, b1, b2, _, a1, a2 in sos.tolist():
        for polynomial in ([b0, b1, b2], [1.0, a1, a2]):
            section = torch.tensor([[*polynomial, 1.0, 0.0, 0.0]], dtype=torch.float64)
            value = np.abs(response(section, frequencies_hz, rate_hz))
            total += half_unit * np.abs(polynomial).sum() / np.maximum(value, 1e-300)
        total += half_unit * (1.0 + abs(a1) + abs(a2)) / ((1.0 + a1) + a2)
    return total


# Of the bound above: each coefficient is the result of a few operations.
ROUNDINGS = 8.0
# Products of up to 64 differences, and the tangents.
REFERENCES_ROUNDING = 1e-13


def check_response(case: Case) -> None:
    sos = case.design()
    frequencies_hz = case.frequencies_hz()
    expected = true_response(case)
    allowed = ROUNDINGS * rounding(sos, frequencies_hz, case.rate_hz) + REFERENCES_ROUNDING
    error = np.abs(response(sos, frequencies_hz, case.rate_hz) - expected)
    assert (error <= allowed * np.abs(expected) + 1e-300).all(), (error / np.abs(expected) / allowed).max()


def edges_hz(kind: str, rate_hz: float) -> list[list[float]]:
    if kind in {"lowpass", "highpass"}:
        return [[10.0], [1000.0], [0.25 * rate_hz], [0.49 * rate_hz]]
    return [[10.0, 20.0], [20.0, 0.45 * rate_hz], [1000.0, 1100.0], [0.48 * rate_hz, 0.49 * rate_hz], [100.0, 101.0]]


@pytest.mark.parametrize("rate_hz", [44_100.0, 192_000.0])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("family", "ripple_db"),
    [("butterworth", 0.0), ("chebyshev1", 0.1), ("chebyshev1", 3.0), ("chebyshev2", 40.0), ("chebyshev2", 120.0)],
)
def test_responses_are_those_of_the_analog_prototypes(family: str, ripple_db: float, kind: str, rate_hz: float) -> None:
    for cutoffs_hz in edges_hz(kind, rate_hz):
        for order in (1, 2, 3, 15, 16):
            check_response(Case(family, kind, order, cutoffs_hz, ripple_db, rate_hz))


@given(
    family=st.sampled_from(["butterworth", "chebyshev1", "chebyshev2"]),
    kind=st.sampled_from(KINDS),
    order=st.integers(1, 16),
    edges=st.lists(st.floats(5e-5, 0.495), min_size=2, max_size=2).map(sorted).filter(lambda e: e[1] > 1.01 * e[0]),
    ripple_db=st.floats(2.0, 60.0),  # 0.1 dB for Chebyshev I: below, what the truth takes 1 from is all but 1
    rate_hz=st.sampled_from([8000.0, 44100.0, 48000.0, 192000.0]),
)
@settings(deadline=None)
def test_any_response_is_that_of_the_analog_prototype(
    family: str, kind: str, order: int, edges: list[float], ripple_db: float, rate_hz: float
) -> None:
    cutoffs_hz = [edge * rate_hz for edge in edges]
    ripple_db = ripple_db / 20.0 if family == "chebyshev1" else ripple_db + 10.0
    check_response(Case(family, kind, order, cutoffs_hz[: 1 + kind.startswith("band")], ripple_db, rate_hz))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("family", "ripple_db"), [("butterworth", 0.0), ("chebyshev1", 0.5), ("chebyshev2", 60.0)])
def test_responses_are_those_of_scipy(family: str, ripple_db: float, kind: str) -> None:
    # Where SciPy's own sections and evaluation keep their digits: far enough from 0.
    scipys_rounding = 1e-10
    for cutoffs_hz in ([500.0, 2000.0], [9000.0, 11_000.0], [4000.0, 20_000.0]):
        for order in range(1, 17):
            edges = cutoffs_hz[: 1 + kind.startswith("band")]
            case = Case(family, kind, order, edges, ripple_db, 44_100.0)
            frequencies_hz = np.linspace(100.0, 22_000.0, 500)
            _, expected = scipy.signal.sosfreqz(case.scipy("sos"), frequencies_hz, fs=44_100.0)
            actual = response(case.design(), frequencies_hz, 44_100.0)
            np.testing.assert_allclose(actual, expected, rtol=0, atol=scipys_rounding)


@pytest.mark.parametrize("family", ["butterworth", "chebyshev1", "chebyshev2"])
@pytest.mark.parametrize("kind", KINDS)
def test_sections_are_as_many_as_scipys(family: str, kind: str) -> None:
    for order in range(1, 17):
        case = Case(family, kind, order, [1000.0, 2000.0][: 1 + kind.startswith("band")], 1.0, 48_000.0)
        assert case.design().shape == case.scipy("sos").shape


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
@pytest.mark.parametrize("order", range(2, 17, 2))
def test_linkwitz_riley_is_two_butterworths_of_half_the_order(kind: str, order: int) -> None:
    rounding_ = 1e-11
    frequencies_hz = np.geomspace(10.0, 23_900.0, 200)
    case = Case("butterworth", kind, order // 2, [1000.0], 0.0, 48_000.0)
    sos = ops.design_iir("linkwitz_riley", kind, order, [1000.0], 0.0, 48_000.0)
    expected = response(case.design(), frequencies_hz, 48_000.0) ** 2
    np.testing.assert_allclose(response(sos, frequencies_hz, 48_000.0), expected, rtol=rounding_, atol=0)
    assert sos.shape == (order // 2, 6)


@pytest.mark.parametrize("rate_hz", [44_100.0, 192_000.0])
@pytest.mark.parametrize("order", range(2, 17, 2))
def test_a_crossover_of_linkwitz_riley_sums_to_an_allpass(order: int, rate_hz: float) -> None:
    rounding_ = 1e-8
    frequencies_hz = np.geomspace(1.0, 0.4999 * rate_hz, 500)
    for cutoff_hz in (20.0, 1000.0, 20_000.0):
        low, high = (
            response(ops.design_iir("linkwitz_riley", kind, order, [cutoff_hz], 0.0, rate_hz), frequencies_hz, rate_hz)
            for kind in ("lowpass", "highpass")
        )
        total = low + high if order % 4 == 0 else low - high
        np.testing.assert_allclose(np.abs(total), 1.0, rtol=0, atol=rounding_)


def cookbook(kind: str, cutoff_hz: float, q: float, gain_db: float, rate_hz: float) -> Floats:
    """Return b0 b1 b2 a0 a1 a2, divided by a0, as the Audio EQ Cookbook spells them out."""
    w0 = 2.0 * np.pi * cutoff_hz / rate_hz
    cos, alpha = np.cos(w0), np.sin(w0) / (2.0 * q)
    a = 10.0 ** (gain_db / 40.0)
    root = 2.0 * np.sqrt(a) * alpha
    plain = [1.0 + alpha, -2.0 * cos, 1.0 - alpha]
    up, down = a + 1.0, a - 1.0
    coefficients = {
        "lowpass": [(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0, *plain],
        "highpass": [(1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0, *plain],
        "bandpass": [alpha, 0.0, -alpha, *plain],
        "notch": [1.0, -2.0 * cos, 1.0, *plain],
        "allpass": [1.0 - alpha, -2.0 * cos, 1.0 + alpha, *plain],
        "peak": [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a, 1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
        "lowshelf": [
            a * (up - down * cos + root), 2.0 * a * (down - up * cos), a * (up - down * cos - root),
            up + down * cos + root, -2.0 * (down + up * cos), up + down * cos - root,
        ],
        "highshelf": [
            a * (up + down * cos + root), -2.0 * a * (down + up * cos), a * (up + down * cos - root),
            up - down * cos + root, 2.0 * (down - up * cos), up - down * cos - root,
        ],
    }[kind]  # fmt: skip
    return np.array(coefficients) / coefficients[3]


# The formulas lose digits in 1 - cos(w0), and in a difference of shelves' terms; seen against the largest coefficient
# of numerator and denominator, not much.
COOKBOOKS_ROUNDING = 1e-13


def check_cookbook(kind: str, cutoff_hz: float, q: float, gain_db: float, rate_hz: float) -> None:
    actual = ops.design_biquad(kind, cutoff_hz, q, gain_db, rate_hz)[0].numpy()
    expected = cookbook(kind, cutoff_hz, q, gain_db, rate_hz)
    for half in (slice(0, 3), slice(3, 6)):
        largest = max(1.0, np.abs(expected[half]).max())
        np.testing.assert_allclose(actual[half], expected[half], rtol=0, atol=COOKBOOKS_ROUNDING * largest)


@pytest.mark.parametrize("kind", BIQUAD_KINDS)
@pytest.mark.parametrize("rate_hz", [8000.0, 48_000.0, 192_000.0])
def test_biquads_are_those_of_the_cookbook(kind: str, rate_hz: float) -> None:
    for cutoff_hz in (10.0, 440.0, 0.25 * rate_hz, 0.49 * rate_hz):
        for q in (0.1, np.sqrt(0.5), 3.0, 100.0):
            for gain_db in (-40.0, -3.0, 0.0, 12.0):
                check_cookbook(kind, cutoff_hz, q, gain_db, rate_hz)


@given(
    kind=st.sampled_from(BIQUAD_KINDS),
    normalized_freq=st.floats(1e-6, 0.4999),
    q=st.floats(0.02, 1000.0),
    gain_db=st.floats(-60.0, 60.0),
    rate_hz=st.floats(1.0, 768_000.0),
)
@settings(deadline=None)
def test_any_biquad_is_that_of_the_cookbook(
    kind: str, normalized_freq: float, q: float, gain_db: float, rate_hz: float
) -> None:
    check_cookbook(kind, normalized_freq * rate_hz, q, gain_db, rate_hz)


@given(
    kind=st.sampled_from(BIQUAD_KINDS),
    normalized_freq=st.floats(1e-6, 0.4999),
    q=st.floats(0.02, 1000.0),
    gain_db=st.floats(-60.0, 60.0),
)
@settings(deadline=None)
def test_any_biquad_is_stable(kind: str, normalized_freq: float, q: float, gain_db: float) -> None:
    a1, a2 = ops.design_biquad(kind, normalized_freq, q, gain_db, 1.0)[0, 4:].tolist()
    assert abs(a2) < 1.0
    assert abs(a1) < 1.0 + a2 or (1.0 - abs(a1)) + a2 > 0.0


def test_a_response_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    sos = rng.uniform(-1.0, 1.0, (5, 6))
    sos[:, 3] = 2.5
    frequencies_hz = np.linspace(0.0, 24_000.0, 101)
    _, expected = scipy.signal.sosfreqz(sos / sos[:, 3:4], frequencies_hz, fs=48_000.0)
    np.testing.assert_allclose(response(torch.from_numpy(sos), frequencies_hz, 48_000.0), expected, rtol=1e-12, atol=0)


def test_no_section_and_no_frequency_are_allowed() -> None:
    nothing = torch.zeros(0, 6, dtype=torch.float64)
    one_hz = torch.ones(1, dtype=torch.float64)
    assert ops.sos_response(nothing, one_hz, 48_000.0).tolist() == [[1.0, 0.0]]
    assert ops.sos_response(nothing, one_hz[:0], 48_000.0).shape == (0, 2)


@torch.jit.script
def designed_in_torchscript(cutoff_hz: float, sample_rate_hz: float) -> Tensor:
    biquad = torch.ops.neutone.design_biquad("peak", cutoff_hz, 1.0, 6.0, sample_rate_hz)
    lowpass = torch.ops.neutone.design_iir("butterworth", "lowpass", 4, [cutoff_hz], 0.0, sample_rate_hz)
    sos = torch.cat([biquad, lowpass])
    return torch.ops.neutone.sos_response(sos, torch.tensor([cutoff_hz], dtype=torch.float64), sample_rate_hz)


def test_torchscript_designs_filters() -> None:
    gain = designed_in_torchscript(1000.0, 48_000.0).square().sum().sqrt().item()
    assert 20.0 * np.log10(gain) == pytest.approx(6.0 - 10.0 * np.log10(2.0), abs=1e-6)


def test_the_number_of_sections_is_known_without_designing() -> None:
    with torch._subclasses.FakeTensorMode():
        assert ops.design_biquad("peak", 1000.0, 1.0, 6.0, 48_000.0).shape == (1, 6)
        for order in range(1, 17):
            assert ops.design_iir("butterworth", "lowpass", order, [1e3], 0.0, 48e3).shape == ((order + 1) // 2, 6)
            assert ops.design_iir("chebyshev1", "bandstop", order, [1e3, 2e3], 1.0, 48e3).shape == (order, 6)
