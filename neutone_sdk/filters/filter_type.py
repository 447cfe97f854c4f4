"""What a filter lets pass."""

from enum import Enum


class FilterType(Enum):
    """What a filter lets pass."""

    LOWPASS = "lowpass"
    HIGHPASS = "highpass"
    BANDPASS = "bandpass"
    BANDSTOP = "bandstop"
