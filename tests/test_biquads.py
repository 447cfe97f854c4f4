"""Biquads against SciPy: any design, in float64."""

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from neutone_sdk.filters import Biquads

from .conftest import Noise
from .filter_examples import FLOAT32_OUTPUT, RATE, SOS


def designs(order: int, cutoff: float, kind: str) -> list[np.ndarray]:
    edges: object = (
        cutoff if kind.endswith("pass") and kind != "bandpass" else [cutoff, min(1.5 * cutoff, 0.495 * RATE)]
    )
    return [
        scipy.signal.butter(order, edges, kind, fs=RATE, output="sos"),
        scipy.signal.cheby1(order, 0.5, edges, kind, fs=RATE, output="sos"),
        scipy.signal.cheby2(order, 60.0, edges, kind, fs=RATE, output="sos"),
    ]


def assert_like_sosfilt(sos: np.ndarray, audio: Tensor) -> None:
    with np.errstate(all="ignore"):
        expected = scipy.signal.sosfilt(sos, audio.double().numpy())
    scale = max(1.0, float(np.abs(expected).max()))
    actual = Biquads(sos)(audio).double().numpy()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=FLOAT32_OUTPUT * scale)


@pytest.mark.parametrize("kind", ["lowpass", "highpass", "bandpass", "bandstop"])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("cutoff", [10.0, 100.0, 1000.0, 15_000.0, 0.49 * RATE])
def test_biquads_are_scipys(noise: Noise, kind: str, order: int, cutoff: float) -> None:
    for sos in designs(order, cutoff, kind):
        if all(abs(a2) < 1.0 and abs(a1) < 1.0 + a2 for a1, a2 in sos[:, 4:]):  # SciPy's own may not be stable
            assert_like_sosfilt(sos, noise(2, 6000, 0))


FAMILIES = [(name, order) for name in ("butterworth", "chebyshev1", "chebyshev2") for order in range(1, 17)]
FAMILIES += [("linkwitz_riley", order) for order in range(2, 17, 2)]


@pytest.mark.parametrize(("family", "order"), FAMILIES)
@pytest.mark.parametrize("cutoff", [10.0, 1000.0, 0.49 * RATE])
def test_our_designs_run_like_in_scipy(noise: Noise, family: str, order: int, cutoff: float) -> None:
    for kind in ("lowpass", "highpass"):
        sos = torch.ops.neutone.design_iir(family, kind, order, [cutoff], 1.0, float(RATE))
        assert_like_sosfilt(sos.numpy(), noise(2, 4000, 1))


@pytest.mark.parametrize("q", [0.1, 0.7071, 10.0, 100.0])
@pytest.mark.parametrize("cutoff", [10.0, 440.0, 0.49 * RATE])
@pytest.mark.parametrize(
    "kind", ["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf", "allpass"]
)
def test_equalizers_run_like_in_scipy(noise: Noise, kind: str, cutoff: float, q: float) -> None:
    sos = torch.ops.neutone.design_biquad(kind, cutoff, q, 6.0, float(RATE))
    assert_like_sosfilt(sos.numpy(), noise(2, 4000, 2))


def test_the_response_is_that_of_scipy() -> None:
    frequencies = np.geomspace(10.0, 20_000.0, 50)
    _, expected = scipy.signal.sosfreqz(SOS, frequencies, fs=RATE)
    np.testing.assert_allclose(Biquads(SOS).response(frequencies, RATE), expected, rtol=1e-9, atol=1e-12)
