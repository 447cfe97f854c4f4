"""Checks of what filters are set to."""

from typing import Any

from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.filters.filter_type import FilterType
from neutone_sdk.validation import check_list, check_type


def check_rate(sample_rate: int) -> None:
    """Raise unless a rate is one that filters run at. Scriptable."""
    if sample_rate < 1 or sample_rate > 768_000:
        raise InvalidArgumentError(f"sample_rate must be in 1..768000 Hz, got {sample_rate}")


def check_cutoff(name: str, cutoff: float, sample_rate: int) -> None:
    """Raise unless a cutoff lies between 0 and half the rate. Scriptable."""
    if not (cutoff > 0.0 and cutoff < 0.5 * sample_rate):
        raise InvalidArgumentError(
            f"{name} must be above 0 and below {0.5 * sample_rate} Hz, half the rate of {sample_rate} Hz, got {cutoff}"
        )


def check_types(**arguments: Any) -> None:
    """Raise unless all that is not None is of the type that its name goes with. In Python only."""
    kinds = {"filt_type": FilterType, "filt_size": int, "sample_rate": int, "cutoff": float, "resonance": float}
    for name, value in arguments.items():
        if name == "cutoffs" and value is not None:
            check_list(value, float, "cutoffs must be")
        elif value is not None:
            check_type(value, kinds[name], f"{name} must be")
