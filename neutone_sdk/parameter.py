"""The knobs, menus and texts that a model offers to its user."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from neutone_sdk.constants import MAX_N_CATEGORICAL_LABEL_CHARS, MAX_N_CATEGORICAL_VALUES
from neutone_sdk.errors import InvalidParameterError
from neutone_sdk.validation import check_list, check_type


class NeutoneParameterType(Enum):
    """Kinds of parameters, by their names in ``metadata.json``."""

    CONTINUOUS = "continuous"
    CATEGORICAL = "categorical"
    TEXT = "text"
    TOKENS = "tokens"


class NeutoneParameter:
    """What a host shows of a parameter; the subclasses say what values it takes.

    Args:
        name: Shown beside the control, and the key by which the model gets the value. Not empty.
        description: Shown as a tool tip.
        default_value: Value of a new plugin instance, in the parameter's own unit.
        used: False keeps the position but hides the control.
        param_type: Kind of the parameter; the subclasses set it.

    Raises:
        InvalidTypeError: ``name`` or ``description`` is not a string, or ``used`` not a bool.
        InvalidParameterError: ``name`` is empty.
    """

    def __init__(
        self,
        name: str,
        description: str,
        default_value: float | str | list[int],
        used: bool = True,
        param_type: NeutoneParameterType = NeutoneParameterType.CONTINUOUS,
    ) -> None:
        check_type(name, str, f"parameter {name!r}: name must be")
        check_type(description, str, f"parameter {name!r}: description must be")
        check_type(used, bool, f"parameter {name!r}: used must be")
        if not name:
            msg = "a parameter's name must not be empty; it is the key by which the model gets the value"
            raise InvalidParameterError(msg)
        self.name = name
        self.description = description
        self.default_value = default_value
        self.used = used
        self.type = param_type

    def to_metadata(self) -> dict[str, Any]:
        """Return what ``metadata.json`` says of the parameter."""
        return {
            "name": self.name,
            "description": self.description,
            "default_value": self.default_value,
            "used": self.used,
            "type": self.type.value,
        }


class ContinuousNeutoneParameter(NeutoneParameter):
    """A knob with any value in a range. Hosts send 0..1; the model gets ``min_value``..``max_value``.

    Args:
        name: See :class:`NeutoneParameter`.
        description: See :class:`NeutoneParameter`.
        default_value: Between ``min_value`` and ``max_value``.
        min_value: What the host's 0 stands for.
        max_value: What the host's 1 stands for; above ``min_value``.
        used: See :class:`NeutoneParameter`.
        smoothing_ms: If given, the model gets a value for every sample, ``(n,)``, on a curve without steps from one
            block's mean to the next, instead of that mean, ``(1,)``. Above 0.
        smoothing: ``"one_pole"``, a curve that has gone 63 % of its way after ``smoothing_ms`` and a block of the
            model, and the quieter one; or ``"linear"``, a line that is there after ``smoothing_ms``, or at the end of
            the block if that is longer.

    Raises:
        InvalidTypeError: A value is not a number.
        InvalidParameterError: The range is empty or not finite, the default lies outside it, or the smoothing is
            another.
    """

    def __init__(
        self,
        name: str,
        description: str,
        default_value: float,
        min_value: float = 0.0,
        max_value: float = 1.0,
        used: bool = True,
        *,
        smoothing_ms: float | None = None,
        smoothing: str = "one_pole",
    ) -> None:
        super().__init__(name, description, default_value, used, NeutoneParameterType.CONTINUOUS)
        default = _finite(name, "default_value", default_value)
        minimum, maximum = _finite(name, "min_value", min_value), _finite(name, "max_value", max_value)
        if not minimum < maximum:
            msg = f"parameter {name!r}: min_value must be below max_value, got {min_value} and {max_value}"
            raise InvalidParameterError(msg)
        if not minimum <= default <= maximum:
            msg = (
                f"parameter {name!r}: default_value {default_value} is outside [{min_value}, {max_value}]; "
                "choose a default inside the range, or widen it with min_value= and max_value="
            )
            raise InvalidParameterError(msg)
        self.min_value = min_value
        self.max_value = max_value
        self.default_value_0to1 = (default - minimum) / (maximum - minimum)
        check_type(smoothing, str, f"parameter {name!r}: smoothing must be")
        if smoothing not in SMOOTHING_KINDS:
            msg = f"parameter {name!r}: smoothing must be one of {', '.join(SMOOTHING_KINDS)}, got {smoothing!r}"
            raise InvalidParameterError(msg)
        if smoothing_ms is not None and not 0.0 < _finite(name, "smoothing_ms", smoothing_ms) <= MAX_SMOOTHING_MS:
            msg = (
                f"parameter {name!r}: smoothing_ms must be above 0 and at most {MAX_SMOOTHING_MS:g}, got "
                f"{smoothing_ms}; leave it out for none"
            )
            raise InvalidParameterError(msg)
        self.smoothing_ms = smoothing_ms
        self.smoothing = smoothing

    def to_metadata(self) -> dict[str, Any]:
        """Return what ``metadata.json`` says of the parameter."""
        metadata = {**super().to_metadata(), "min_value": self.min_value, "max_value": self.max_value}
        if self.smoothing_ms is not None:
            metadata |= {"smoothing_ms": self.smoothing_ms, "smoothing": self.smoothing}
        return metadata


# From the names of the ways to smooth to what the operator calls them.
SMOOTHING_KINDS = {"linear": 1, "one_pole": 2}
MAX_SMOOTHING_MS = 60_000.0


class KnobNeutoneParameter(ContinuousNeutoneParameter):
    """The old name of :class:`ContinuousNeutoneParameter`."""


class CategoricalNeutoneParameter(NeutoneParameter):
    """A menu of 2 to 20 choices. Hosts send 0..1; the model gets 0, 1, ... ``n_values - 1``, as float32.

    Args:
        name: See :class:`NeutoneParameter`.
        description: See :class:`NeutoneParameter`.
        n_values: Number of choices, 2..20.
        default_value: Index of a choice.
        labels: What the menu shows, one text of less than 20 characters a choice. Default: the numbers.
        used: See :class:`NeutoneParameter`.

    Raises:
        InvalidTypeError: ``n_values`` or ``default_value`` is not an integer, or ``labels`` not a list of strings.
        InvalidParameterError: A value is outside its range, or the labels do not fit the choices.
    """

    def __init__(
        self,
        name: str,
        description: str,
        n_values: int,
        default_value: int,
        labels: Sequence[str] | None = None,
        used: bool = True,
    ) -> None:
        super().__init__(name, description, default_value, used, NeutoneParameterType.CATEGORICAL)
        for what, value in (("n_values", n_values), ("default_value", default_value)):
            check_type(value, int, f"parameter {name!r}: {what} must be")
        if not 2 <= n_values <= MAX_N_CATEGORICAL_VALUES:
            msg = f"parameter {name!r}: n_values must be in 2..{MAX_N_CATEGORICAL_VALUES}, got {n_values}"
            raise InvalidParameterError(msg)
        if not 0 <= default_value < n_values:
            msg = f"parameter {name!r}: default_value must be in 0..{n_values - 1}, got {default_value}"
            raise InvalidParameterError(msg)
        self.n_values = n_values
        numbers = [str(index) for index in range(n_values)]
        self.labels = _checked_labels(name, numbers if labels is None else labels, n_values)
        self.default_value_0to1 = default_value / (n_values - 1)

    def to_metadata(self) -> dict[str, Any]:
        """Return what ``metadata.json`` says of the parameter."""
        return {**super().to_metadata(), "n_values": self.n_values, "labels": self.labels}


class TextNeutoneParameter(NeutoneParameter):
    """A text, for models that are not real-time.

    Args:
        name: See :class:`NeutoneParameter`.
        description: See :class:`NeutoneParameter`.
        max_n_chars: Longest text; -1 for any.
        default_value: At most ``max_n_chars`` long.
        used: See :class:`NeutoneParameter`.

    Raises:
        InvalidTypeError: ``max_n_chars`` is not an integer, or the default not a string.
        InvalidParameterError: ``max_n_chars`` is below -1, or the default is too long.
    """

    def __init__(
        self, name: str, description: str, max_n_chars: int = -1, default_value: str = "", used: bool = True
    ) -> None:
        super().__init__(name, description, default_value, used, NeutoneParameterType.TEXT)
        check_type(default_value, str, f"parameter {name!r}: default_value must be")
        _check_length(name, "max_n_chars", max_n_chars, len(default_value))
        self.max_n_chars = max_n_chars

    def to_metadata(self) -> dict[str, Any]:
        """Return what ``metadata.json`` says of the parameter."""
        return {**super().to_metadata(), "max_n_chars": self.max_n_chars}


class DiscreteTokensNeutoneParameter(NeutoneParameter):
    """A sequence of token numbers, for models that are not real-time.

    Args:
        name: See :class:`NeutoneParameter`.
        description: See :class:`NeutoneParameter`.
        max_n_tokens: Longest sequence; -1 for any.
        default_value: At most ``max_n_tokens`` long. Default: empty.
        used: See :class:`NeutoneParameter`.

    Raises:
        InvalidTypeError: ``max_n_tokens`` is not an integer, or the default not a list of integers.
        InvalidParameterError: ``max_n_tokens`` is below -1, or the default is too long.
    """

    def __init__(
        self,
        name: str,
        description: str,
        max_n_tokens: int = -1,
        default_value: list[int] | None = None,
        used: bool = True,
    ) -> None:
        if default_value is None:
            default_value = []
        check_list(default_value, int, f"parameter {name!r}: default_value must be")
        tokens = list(default_value)
        super().__init__(name, description, tokens, used, NeutoneParameterType.TOKENS)
        _check_length(name, "max_n_tokens", max_n_tokens, len(tokens))
        self.max_n_tokens = max_n_tokens

    def to_metadata(self) -> dict[str, Any]:
        """Return what ``metadata.json`` says of the parameter."""
        return {**super().to_metadata(), "max_n_tokens": self.max_n_tokens}


def check_unique_names(parameters: Sequence[NeutoneParameter]) -> None:
    """Raise if two parameters have one name.

    Raises:
        InvalidParameterError: They have.
    """
    seen: set[str] = set()
    for parameter in parameters:
        if parameter.name in seen:
            msg = f"two parameters are called {parameter.name!r}; the model gets them by name, so rename one"
            raise InvalidParameterError(msg)
        seen.add(parameter.name)


class NamedValues(dict[str, Any]):
    """What a model in memory gets of its parameters: a dict that says what there is if something else is asked for."""

    def __missing__(self, name: str) -> Any:
        """Raise what says more than a `KeyError`."""
        msg = f"the model has no parameter {name!r}, only {list(self)}; ask for one of these, or define it"
        raise InvalidParameterError(msg)


_MAX_FLOAT32 = 3.4028234e38

NumericalNeutoneParameter = ContinuousNeutoneParameter | CategoricalNeutoneParameter


def _finite(name: str, what: str, value: float) -> float:
    check_type(value, float, f"parameter {name!r}: {what} must be")
    if not abs(value) <= _MAX_FLOAT32:
        msg = f"parameter {name!r}: {what} must be finite in float32, got {value}"
        raise InvalidParameterError(msg)
    return float(value)


def _checked_labels(name: str, labels: Sequence[str], n_values: int) -> list[str]:
    check_list(labels, str, f"parameter {name!r}: labels must be")
    if len(labels) != n_values:
        msg = f"parameter {name!r}: labels must have one text for each of {n_values} values, got {len(labels)}"
        raise InvalidParameterError(msg)
    too_long = [label for label in labels if len(label) >= MAX_N_CATEGORICAL_LABEL_CHARS]
    if too_long:
        msg = f"parameter {name!r}: labels must be shorter than {MAX_N_CATEGORICAL_LABEL_CHARS}, got {too_long}"
        raise InvalidParameterError(msg)
    repeated = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if repeated:
        msg = f"parameter {name!r}: labels must differ, or nobody can tell the choices apart; got {repeated} repeatedly"
        raise InvalidParameterError(msg)
    return list(labels)


def _check_length(name: str, what: str, limit: int, length: int) -> None:
    check_type(limit, int, f"parameter {name!r}: {what} must be")
    if limit < -1:
        msg = f"parameter {name!r}: {what} must be at least 0, or -1 for no limit, got {limit}"
        raise InvalidParameterError(msg)
    if limit != -1 and length > limit:
        msg = f"parameter {name!r}: default_value has length {length}, longer than {what} = {limit}"
        raise InvalidParameterError(msg)
