"""What a model's metadata may hold, and what it says of parameters."""

import math
import reprlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from neutone_sdk.constants import MAX_N_PARAMS


class _Shape(NamedTuple):
    """What belongs under a key."""

    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    """JSON may hold halves of surrogate pairs, which cannot be shown."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


_TEXT = _Shape("a text", _is_text)
_TEXTS = _Shape("a list of texts", lambda value: _is_list(value, _is_text))
_NUMBER = _Shape("a number", _is_number)
_NUMBERS = _Shape("a list of numbers", lambda value: _is_list(value, _is_number))
_LINKS = _Shape(
    "an object of texts", lambda value: isinstance(value, dict) and _is_list([*value, *value.values()], _is_text)
)
_PARAMETERS = _Shape(
    "an object of objects",
    lambda value: isinstance(value, dict) and _is_list([*value.values()], lambda each: isinstance(each, dict)),
)

_SHAPES: Final = {
    "model_name": _TEXT,
    "model_authors": _TEXTS,
    "model_version": _TEXT,
    "model_short_description": _TEXT,
    "model_long_description": _TEXT,
    "technical_description": _TEXT,
    "technical_links": _LINKS,
    "tags": _TEXTS,
    "citation": _TEXT,
    "is_experimental": _Shape("true or false", lambda value: str(value).lower() in {"true", "false", "1", "0"}),
    "model_type": _TEXT,
    "native_sample_rates": _NUMBERS,
    "native_buffer_sizes": _NUMBERS,
    "look_behind_samples": _NUMBER,
    "look_ahead_samples": _NUMBER,
    "sdk_version": _TEXT,
    "pytorch_version": _TEXT,
    "neutone_parameters": _PARAMETERS,
}
_PARAMETER_SHAPES: Final = {
    "name": _TEXT,
    "description": _TEXT,
    "type": _TEXT,
    "min_value": _NUMBER,
    "max_value": _NUMBER,
    "n_values": _NUMBER,
    "labels": _TEXTS,
}


def is_numerical(parameter: dict[str, Any]) -> bool:
    """Return whether a parameter, given as its metadata, is a knob or a menu; files of 1.x may not say."""
    return parameter.get("type") not in ("text", "tokens")


def parameter_range(parameter: dict[str, Any]) -> tuple[float, float]:
    """Return what 0 and 1 stand for, from the metadata of a numerical parameter."""
    given = _without_nulls(parameter)
    if "n_values" in given:
        return 0.0, float(given["n_values"]) - 1.0
    return float(given.get("min_value", 0.0)), float(given.get("max_value", 1.0))


def _without_nulls(parameter: dict[str, Any]) -> dict[str, Any]:
    """1.x says null where a key belongs to another kind of parameter."""
    return {key: value for key, value in parameter.items() if value is not None}


def problem_in(metadata: dict[str, Any]) -> str:
    """Say what is wrong with the first key that holds what it should not, or nothing."""
    problem = _shape_problem(metadata, _SHAPES)
    parameters = {} if problem else metadata.get("neutone_parameters", {})
    for key, parameter in parameters.items():
        problem = _parameter_problem(parameter)
        if problem:
            return f"neutone_parameters[{key!r}].{problem}"
    n_numerical = sum(map(is_numerical, parameters.values()))
    if n_numerical > MAX_N_PARAMS:
        return f"neutone_parameters must hold at most {MAX_N_PARAMS} knobs and menus, got {n_numerical}"
    return problem


def _shape_problem(values: dict[str, Any], shapes: dict[str, _Shape]) -> str:
    for key, shape in shapes.items():
        if key in values and not shape.fits(values[key]):
            return f"{key} must be {shape.words}, got {reprlib.repr(values[key])}"
    return ""


def _parameter_problem(parameter: dict[str, Any]) -> str:
    given = _without_nulls(parameter)
    problem = _shape_problem({"name": None, **given}, _PARAMETER_SHAPES)
    if problem or not is_numerical(given):
        return problem
    lowest, highest = parameter_range(given)
    if not lowest < highest:
        return f"min_value must be below max_value, got {lowest:g} and {highest:g}"
    default: Any = given.get("default_value")
    if not _is_number(default) or not lowest <= float(default) <= highest:
        return f"default_value must be a number in [{lowest:g}, {highest:g}], got {reprlib.repr(default)}"
    n_labels = len(given.get("labels", []))
    if n_labels and n_labels != highest + 1:
        return f"labels must be one for each of {highest + 1:g} values, got {n_labels}"
    return ""
