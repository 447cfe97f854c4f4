"""What makes no filter."""

import math
from typing import Any

import numpy as np
import pytest

from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.filters import Biquads, FIRFilter, IIRFilter

from .filter_examples import BANDPASS, BANDSTOP, LOWPASS


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FIRFilter(LOWPASS, [0.0]), "cutoffs must be above 0 and below 24000.0 Hz.*, got 0.0"),
        (lambda: FIRFilter(LOWPASS, [-5.0]), "cutoffs must be above 0.*got -5.0"),
        (lambda: FIRFilter(LOWPASS, [24_000.0]), "cutoffs must be.*below 24000.0 Hz.*got 24000.0"),
        (lambda: FIRFilter(LOWPASS, [math.nan]), "cutoffs must be above 0.*got nan"),
        (lambda: FIRFilter(LOWPASS, [100.0, 200.0]), "cutoffs must have 1 for a lowpass, got"),
        (lambda: FIRFilter(BANDPASS, [100.0]), "cutoffs must have 2 for a bandpass, got"),
        (lambda: FIRFilter(BANDSTOP, [200.0, 100.0]), "cutoffs must have the lower one first, got"),
        (lambda: FIRFilter(BANDSTOP, [200.0, 200.0]), "cutoffs must have the lower one first, got"),
        (
            lambda: FIRFilter(LOWPASS, [100.0], 256),
            "filt_size must be odd, for a delay of whole samples, in 1..1048575, got 256",
        ),
        (lambda: FIRFilter(LOWPASS, [100.0], 0), "filt_size must be odd"),
        (lambda: FIRFilter(LOWPASS, [100.0], sample_rate=0), r"sample_rate must be in 1\.\.768000 Hz, got 0"),
        (lambda: IIRFilter(LOWPASS, 24_000.0, 0.7), "cutoff must be above 0 and below 24000.0 Hz.*got 24000.0"),
        (lambda: IIRFilter(LOWPASS, 0.0, 0.7), "cutoff must be above 0.*got 0.0"),
        (lambda: IIRFilter(LOWPASS, math.nan, 0.7), "cutoff must be above 0.*got nan"),
        (lambda: IIRFilter(LOWPASS, 100.0, 0.0), "resonance must be above 0 and at most 1e6, got 0.0"),
        (lambda: IIRFilter(LOWPASS, 100.0, math.nan), "resonance must be above 0 and at most 1e6, got nan"),
        (lambda: Biquads(np.zeros((2, 5))), r"sos must have shape \(sections, 6\) with 1 to 64 sections, got \(2, 5\)"),
        (lambda: Biquads(np.zeros((0, 6))), r"sos must have shape \(sections, 6\)"),
        (lambda: Biquads([[1.0, 0, 0, 0.0, 0, 0]]), "row 0 of sos must have finite numbers and an a0 other than 0"),
        (lambda: Biquads([[math.nan, 0, 0, 1.0, 0, 0]]), "row 0 of sos must have finite numbers"),
        (
            lambda: Biquads([[1.0, 0, 0, 1.0, 0, 0.5], [1.0, 0, 0, 1.0, -2.0, 1.0]]),
            "row 1 of sos is unstable: a1 = -2.0",
        ),
    ],
)
def test_what_makes_no_filter_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        make()  # type: ignore[operator]


WRONG_TYPE: Any = ("lowpass", [100.0])
WRONG_CUTOFFS: Any = (LOWPASS, 100.0)
WRONG_CUTOFF: Any = (LOWPASS, "100", 0.7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FIRFilter(*WRONG_TYPE), "filt_type must be a FilterType, got 'lowpass'"),
        (lambda: FIRFilter(*WRONG_CUTOFFS), "cutoffs must be a list of numbers, got 100.0"),
        (lambda: IIRFilter(*WRONG_CUTOFF), "cutoff must be a number, got '100'"),
        (lambda: Biquads("lowpass"), r"sos must be numbers of shape \(sections, 6\), got 'lowpass'"),
    ],
)
def test_what_is_of_another_type_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidTypeError, match=message):
        make()  # type: ignore[operator]
