"""The short way to state the facts that hosts show of a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar, get_origin

from neutone_sdk.errors import InvalidArgumentError, NeutoneError, raise_all
from neutone_sdk.facts import check_fact
from neutone_sdk.metadata import violations
from neutone_sdk.parameter import NeutoneParameter, check_unique_names

Getter = TypeVar("Getter", bound=Callable[..., Any])


# From a field to its key in metadata.json, where that is another.
_KEYS: Final = {
    "name": "model_name",
    "authors": "model_authors",
    "short_description": "model_short_description",
    "long_description": "model_long_description",
    "version": "model_version",
    "parameters": "neutone_parameters",
    "wet_default": "wet_default_value",
    "dry_default": "dry_default_value",
    "input_gain_default": "input_gain_default_value",
    "output_gain_default": "output_gain_default_value",
}


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
        delay_samples: By which the model's output is late, at the model's rate; None for what its layers say, see
            `WaveformToWaveformBase.calc_model_delay_samples`.
        parameters: At most 4.
        wet_default: 0..1.
        dry_default: 0..1.
        input_gain_default: 0..1 for -30..+30 dB.
        output_gain_default: 0..1 for -30..+30 dB.

    Raises:
        InvalidTypeError: A field is of another type; a string is no list of strings.
        InvalidArgumentError: A field is outside the limits above, a count of samples is negative, a native rate or
            size is not positive, or a link is no address.
        InvalidParameterError: Two parameters have one name. Each of these lists all that is wrong.
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
    delay_samples: int | None = None
    parameters: Sequence[NeutoneParameter] = ()
    wet_default: float = 1.0
    dry_default: float = 0.0
    input_gain_default: float = 0.5
    output_gain_default: float = 0.5

    def __post_init__(self) -> None:
        facts, errors = self._facts()
        for problem in violations(facts):
            if problem.path[0] in facts:  # not what a card has no field for
                field_name = _FIELDS.get(str(problem.path[0]), problem.path[0])
                errors.append(
                    InvalidArgumentError(f"ModelCard: {problem._replace(path=(field_name, *problem.path[1:]))}")
                )
        raise_all(errors)

    def _facts(self) -> tuple[dict[str, Any], list[NeutoneError]]:
        """Return what fields of the right type say, under the keys of ``metadata.json``, and what the others are."""
        facts: dict[str, Any] = {}
        errors: list[NeutoneError] = []
        for fact in fields(ModelCard):
            value = getattr(self, fact.name)
            kind = int if fact.type == int | None else fact.type
            if kind is not fact.type and value is None:
                continue
            try:
                check_fact(value, kind, f"ModelCard: {fact.name} must be")
                if fact.name == "parameters":
                    check_unique_names(value)
                facts[_KEYS.get(fact.name, fact.name)] = _as_metadata(fact.type, value)
            except NeutoneError as error:
                errors.append(error)
        return facts, errors


_FIELDS: Final = {key: name for name, key in _KEYS.items()}


def _as_metadata(kind: Any, value: Any) -> Any:
    """Return the value of a field as ``metadata.json`` holds it."""
    if kind == Sequence[NeutoneParameter]:
        return {f"p{position}": parameter.to_metadata() for position, parameter in enumerate(value, start=1)}
    if kind == Mapping[str, str]:
        return dict(value)
    return list(value) if get_origin(kind) is Sequence else value


def required_unless_carded(getter: Getter) -> Getter:
    """Mark a getter that only a card can answer: without one, the wrapper must define it."""
    getter.__dict__["needs_card"] = True
    return getter


def missing_getters(wrapper: type) -> list[str]:
    """Return the getters that ``wrapper`` leaves to a card."""
    return [name for name in dir(wrapper) if getattr(getattr(wrapper, name), "needs_card", False)]
