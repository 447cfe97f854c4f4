"""What a model's metadata may hold: checked at export, read from files of every version."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import InvalidArgumentError, InvalidFileError
from neutone_sdk.metadata_schema import (
    Problem,
    as_number,
    as_written_now,
    is_number,
    metadata_schema,
    problems_in,
)
from neutone_sdk.validation import shown

# A model's metadata has some hundred values. More of them, deeper inside each other, or in numbers longer than any
# float, are an attack on whoever reads them.
MAX_VALUES: Final = 65_536
MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 512


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Raise unless metadata is complete and within the limits of hosts.

    Links are checked for their form only; `neutone_sdk.online.unreachable_links` asks the network.

    Raises:
        InvalidArgumentError: It is not; the message has a line for everything that is wrong.
    """
    name = shown(metadata.get("model_name", ""))
    problems = violations(metadata)
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        msg = f"hosts cannot take the metadata of {name}; change this and export again:\n{lines}"
        raise InvalidArgumentError(msg)
    try:
        parse_metadata(json.dumps(metadata).encode(), name)
    except InvalidFileError as error:  # some text or list without a limit of its own is absurdly long
        raise InvalidArgumentError(str(error)) from error


def violations(metadata: Mapping[str, Any]) -> list[Problem]:
    """Return everything that the schema, or the rules about parameters, do not allow."""
    found = list(problems_in(metadata, with_limits=True))
    if any(problem.path[:1] == ("neutone_parameters",) for problem in found):
        return found
    return found + list(_parameter_problems(metadata.get("neutone_parameters", {})))


def parse_metadata(content: bytes, source: str) -> dict[str, Any]:
    """Return what a ``metadata.json`` of any version holds, whoever wrote it.

    Files of 1.x may lack keys, exceed limits, say null of what a kind of parameter does not have, and write numbers
    and booleans as texts: the keys of the schema come with real ones and without null. Other keys come as they are.

    Args:
        content: The file.
        source: What messages begin with: the name of the file that it is part of.

    Raises:
        InvalidFileError: It is no JSON, larger than any metadata, or holds under a key of the schema what does not
            belong there.
    """
    try:
        metadata = _parsed(content)
    except (ValueError, RecursionError) as error:
        msg = f"{source}: its metadata.json is not JSON that can be read ({error})"
        raise InvalidFileError(msg) from error
    if not isinstance(metadata, dict):
        msg = f"{source}: its metadata.json must hold an object, got {type(metadata).__name__}"
        raise InvalidFileError(msg)
    metadata = _as_written_now(metadata)
    problem = next(_problems_for_readers(metadata), None)
    if problem is not None:
        msg = f"{source}: in its metadata.json, {problem}; export it again with save_neutone_model"
        raise InvalidFileError(msg)
    return metadata


def is_numerical(parameter: Mapping[str, Any]) -> bool:
    """Return whether a parameter, given as its metadata, is a knob or a menu; files of 1.x may not say."""
    return parameter.get("type") not in ("text", "tokens")


def parameter_range(parameter: Mapping[str, Any]) -> tuple[float, float]:
    """Return what 0 and 1 stand for, from the metadata of a numerical parameter."""
    if "n_values" in parameter:
        return 0.0, float(parameter["n_values"]) - 1.0
    return float(parameter.get("min_value", 0.0)), float(parameter.get("max_value", 1.0))


def _parsed(content: bytes) -> Any:
    """Count before parsing: a parsed list takes 30 times the memory of its text. What is inside of texts is none."""
    without_escapes = content.replace(rb"\\", b"").replace(rb"\"", b"")
    structure = re.sub(rb'"[^"]*"', b"", without_escapes)
    if sum(structure.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        msg = f"it holds more than {MAX_VALUES} values"
        raise ValueError(msg)
    parsed = json.loads(content.decode(), parse_int=_parsed_integer)
    level = [parsed]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
    if level:
        msg = f"its values are nested more than {MAX_DEPTH} deep"
        raise ValueError(msg)
    return parsed


def _parsed_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        msg = f"it holds a number of {len(digits)} digits"
        raise ValueError(msg)
    return int(digits)


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _problems_for_readers(metadata: dict[str, Any]) -> Iterator[Problem]:
    """Yield what nobody who reads the metadata could make sense of; lengths harm nobody."""
    yield from problems_in(metadata, with_limits=False)
    yield from _parameter_problems(metadata.get("neutone_parameters", {}))


def _parameter_problems(parameters: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    """Yield what a schema cannot say. The values are of the right types, but some may be missing."""
    for key, parameter in parameters.items():
        place = ("neutone_parameters", key)
        if "name" not in parameter:
            yield Problem((*place, "name"), "be a text", "nothing")
        elif is_numerical(parameter):
            yield from _range_problems(place, parameter)
    n_numerical = sum(map(is_numerical, parameters.values()))
    if n_numerical > MAX_N_PARAMS:
        yield Problem(("neutone_parameters",), f"hold at most {MAX_N_PARAMS} knobs and menus", str(n_numerical))


def _range_problems(place: tuple[str, str], parameter: dict[str, Any]) -> Iterator[Problem]:
    lowest, highest = parameter_range(parameter)
    if not lowest < highest:
        yield Problem((*place, "min_value"), "be below max_value", f"{lowest:g} and {highest:g}")
        return
    default: Any = parameter.get("default_value")
    if not is_number(default) or not lowest <= default <= highest:
        yield Problem((*place, "default_value"), f"be a number in [{lowest:g}, {highest:g}]", shown(default))
    labels = parameter.get("labels", [])
    if labels and len(labels) != highest + 1:
        yield Problem((*place, "labels"), f"be one for each of {highest + 1:g} values", str(len(labels)))


def _as_written_now(metadata: dict[str, Any]) -> dict[str, Any]:
    metadata = as_written_now(metadata, metadata_schema())
    parameters = metadata.get("neutone_parameters")
    if isinstance(parameters, dict):
        metadata["neutone_parameters"] = {key: _parameter_as_now(each) for key, each in parameters.items()}
    return metadata


def _parameter_as_now(parameter: Any) -> Any:
    """1.x says null where a key belongs to another kind of parameter; the first files knew knobs only, called so."""
    if not isinstance(parameter, dict):
        return parameter
    known = metadata_schema()["properties"]["neutone_parameters"]["additionalProperties"]["properties"]
    parameter = {key: value for key, value in parameter.items() if value is not None or key not in known}
    if parameter.get("type") == "knob":
        parameter["type"] = "continuous"
    if is_numerical(parameter) and "default_value" in parameter:
        parameter["default_value"] = as_number(parameter["default_value"])
    return parameter
