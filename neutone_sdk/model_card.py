"""The short way to state the facts that hosts show of a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from neutone_sdk.facts import check_fact
from neutone_sdk.parameter import NeutoneParameter

Getter = TypeVar("Getter", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The static facts of a model, stated once. A getter that the wrapper defines wins over its field here.

    Attributes:
        name: At most 30 characters.
        authors: At most 5.
        short_description: At most 150 characters.
        long_description: At most 500 characters.
        technical_description: At most 500 characters.
        technical_links: At most 3, from a caption to an address.
        tags: At most 7 of at most 15 characters.
        version: Of the model, for instance ``"1.0.0"``.
        citation: At most 300 characters.
        is_experimental: Shown beside the name.
        is_input_mono: The model hears one channel; otherwise two.
        is_output_mono: The model returns one channel; otherwise two.
        native_sample_rates: In Hz; empty for any.
        native_buffer_sizes: Samples in a block of the model; empty for any.
        look_behind_samples: Samples of the past that come before each block.
        look_ahead_samples: Samples of the future that come behind each block; the output is late by as many.
        delay_samples: By which the model's output is late, at the model's rate.
        parameters: At most 4.
        wet_default: 0..1.
        dry_default: 0..1.
        input_gain_default: 0..1 for -30..+30 dB.
        output_gain_default: 0..1 for -30..+30 dB.

    Raises:
        InvalidTypeError: A field is of another type; a string is no list of strings.
        InvalidArgumentError: A count of samples is negative, or a native rate or size is not positive.
    """

    name: str
    authors: Sequence[str]
    short_description: str
    long_description: str = ""
    technical_description: str = ""
    technical_links: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    version: str = "1.0.0"
    citation: str = ""
    is_experimental: bool = False
    is_input_mono: bool = False
    is_output_mono: bool = False
    native_sample_rates: Sequence[int] = ()
    native_buffer_sizes: Sequence[int] = ()
    look_behind_samples: int = 0
    look_ahead_samples: int = 0
    delay_samples: int = 0
    parameters: Sequence[NeutoneParameter] = ()
    wet_default: float = 1.0
    dry_default: float = 0.0
    input_gain_default: float = 0.5
    output_gain_default: float = 0.5

    def __post_init__(self) -> None:
        for fact in fields(ModelCard):
            check_fact(getattr(self, fact.name), fact.type, f"ModelCard: {fact.name} must be")


def required_unless_carded(getter: Getter) -> Getter:
    """Mark a getter that only a card can answer: without one, the wrapper must define it."""
    getter.__dict__["needs_card"] = True
    return getter


def missing_getters(wrapper: type) -> list[str]:
    """Return the getters that ``wrapper`` leaves to a card."""
    return [name for name in dir(wrapper) if getattr(getattr(wrapper, name), "needs_card", False)]
