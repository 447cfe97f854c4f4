"""What filters pass, what they stop, and how late it comes."""

import math

import pytest
import torch

from neutone_sdk.filters import FilterType, FIRFilter, IIRFilter

from .filter_examples import BANDPASS, BANDSTOP, FLOAT32_OUTPUT, HIGHPASS, LOWPASS, gain_db


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("cutoff", [100.0, 1000.0, 10_000.0])
@pytest.mark.parametrize(
    ("kind", "resonance", "expected_db"),
    [
        (LOWPASS, math.sqrt(0.5), -3.0103),
        (HIGHPASS, math.sqrt(0.5), -3.0103),
        (BANDPASS, 4.0, 0.0),
        (LOWPASS, 2.0, 6.0206),
    ],
)
def test_the_corner_is_where_it_was_asked_for(
    kind: FilterType, resonance: float, expected_db: float, cutoff: float, rate: int
) -> None:
    module = IIRFilter(kind, cutoff, resonance, sample_rate=rate)
    assert gain_db(module, cutoff, rate) == pytest.approx(expected_db, abs=0.001)


def test_a_band_stop_takes_out_its_centre() -> None:
    module = IIRFilter(BANDSTOP, 1000.0, 1.0)
    assert gain_db(module, 1000.0) < -80.0
    assert gain_db(module, 20.0) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "cutoffs", "passes", "stops"),
    [
        (LOWPASS, [2000.0], [20.0, 1000.0], [4000.0, 20_000.0]),
        (HIGHPASS, [4000.0], [6000.0, 20_000.0], [100.0, 2000.0]),
        (BANDPASS, [3000.0, 9000.0], [5000.0, 7000.0], [500.0, 12_000.0]),
        (BANDSTOP, [3000.0, 9000.0], [500.0, 12_000.0], [5000.0, 7000.0]),
    ],
)
def test_a_fir_filter_passes_and_stops(
    kind: FilterType, cutoffs: list[float], passes: list[float], stops: list[float]
) -> None:
    for frequency in passes:
        assert gain_db(FIRFilter(kind, cutoffs), frequency) == pytest.approx(0.0, abs=0.001)
    for frequency in stops:
        assert gain_db(FIRFilter(kind, cutoffs), frequency) < -90.0


@pytest.mark.parametrize("size", [1, 31, 257, 1001])
def test_the_delay_of_a_fir_filter_is_exact(size: int) -> None:
    module = FIRFilter(LOWPASS, [6000.0], size)
    assert module.delay == size // 2
    impulse = torch.zeros(1, 3000)
    impulse[0, 700] = 1.0
    response = module(impulse)[0]
    assert int(response.argmax()) == 700 + module.delay
    around = response[700 : 700 + size]
    torch.testing.assert_close(around, around.flip(0), rtol=0, atol=FLOAT32_OUTPUT)
