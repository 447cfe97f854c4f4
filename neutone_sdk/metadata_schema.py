"""The JSON schema of ``metadata.json``: judging by it, saying in words what it allows, reading older files by it."""

import functools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from typing import Any, Final, NamedTuple

from neutone_sdk.validation import shown

Schema = Mapping[str, Any]

_NOUNS: Final = {  # one and many
    "string": ("a text", "texts"),
    "number": ("a number", "numbers"),
    "integer": ("a whole number", "whole numbers"),
    "boolean": ("true or false", "truths"),
    "array": ("a list", "lists"),
    "object": ("an object", "objects"),
}
_LIMITS: Final = {
    "string": ("minLength", "maxLength"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "boolean": ("", ""),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
# Keywords of JSON schema that tell what a value is, as against how much of it there may be.
_SHAPES: Final = ("type", "properties", "additionalProperties", "propertyNames", "items")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class Problem(NamedTuple):
    """Something in metadata that the schema does not allow."""

    path: tuple[str | int, ...]
    must: str  # what it says in a sentence after that word
    received: str

    def __str__(self) -> str:
        """Return it as a sentence that begins with the key."""
        return f"{_place(self.path)} must {self.must}, got {self.received}"


@functools.cache
def metadata_schema() -> dict[str, Any]:
    """Return the schema, a JSON schema of draft 2020-12. Not to be changed."""
    text = (resources.files("neutone_sdk") / "assets" / "metadata.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def is_text(value: Any) -> bool:
    """Return whether it can be shown: JSON may hold halves of surrogate pairs."""
    return isinstance(value, str) and not _SURROGATES.search(value)


def is_number(value: Any) -> bool:
    """Return whether it is a finite number; true is none, and an integer beyond all floats neither."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def problems_in(metadata: Mapping[str, Any], *, with_limits: bool) -> Iterator[Problem]:
    """Yield what the schema does not allow; without limits only what is of another type than it should be."""
    seen: set[Problem] = set()
    for error in _validator(with_limits).iter_errors(metadata):
        for problem in _problems_of(error):
            if problem not in seen:
                seen.add(problem)
                yield problem


def allowed_by(schema: Schema, *, with_limits: bool = True) -> str:
    """Return what a part of the schema allows, as a text that follows "must be"."""
    if with_limits and "pattern" in schema:
        return str(schema["description"])
    if with_limits and "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    kinds = schema["type"]
    if isinstance(kinds, list):
        return " or ".join(_NOUNS[kind][0] for kind in kinds)
    return _NOUNS[kinds][0] + _details(schema, with_limits)


def as_written_now(value: Any, schema: Schema) -> Any:
    """Return what an older file holds as this SDK would have written it: numbers and booleans that are no texts.

    What does not fit the schema, and what it does not know, stays as it is.
    """
    kind = schema.get("type")
    if kind == "array" and isinstance(value, list):
        return [as_written_now(each, schema.get("items", {})) for each in value]
    if kind == "object" and isinstance(value, dict):
        named, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {key: as_written_now(each, named.get(key, others)) for key, each in value.items()}
    if isinstance(kind, str) and kind in _CONVERSIONS:
        return _CONVERSIONS[kind](value)
    return value


def as_number(value: Any) -> Any:
    """Return the number that a text stands for, a whole one without a fraction; anything else as it is."""
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(value, str) and is_number(number) and number.is_integer():
        return int(number)
    return number if is_number(number) else value


def _as_whole_number(value: Any) -> Any:
    number = as_number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _as_boolean(value: Any) -> Any:
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).lower(), value)


_CONVERSIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "number": as_number,
    "integer": _as_whole_number,
    "boolean": _as_boolean,
}


@functools.cache
def _validator(with_limits: bool) -> Any:
    from jsonschema import validators  # noqa: PLC0415  # not everybody who imports the package exports

    base = validators.Draft202012Validator
    keywords = base.VALIDATORS if with_limits else {name: base.VALIDATORS[name] for name in _SHAPES}
    kinds = base.TYPE_CHECKER.redefine_many(
        {
            "string": lambda _, value: is_text(value),
            "number": lambda _, value: is_number(value),
            "integer": lambda _, value: is_number(value) and float(value).is_integer(),
        }
    )
    return validators.create(base.META_SCHEMA, keywords, type_checker=kinds)(metadata_schema())


def _problems_of(error: Any) -> Iterator[Problem]:
    """Translate an error of jsonschema, whose own words are about schemas rather than about models."""
    path = tuple(error.absolute_path)
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield Problem((*path, key), f"be {allowed_by(error.schema['properties'][key])}", "nothing")
    elif "propertyNames" in error.absolute_schema_path:
        keys = error.schema.get("description") or _NOUNS["string"][1]
        yield Problem(path, f"have keys that are {keys}", shown(error.instance))
    else:
        received = shown(error.instance)
        if error.validator in ("maxLength", "maxItems", "maxProperties"):
            unit = " characters" if error.validator == "maxLength" else ""
            received = f"{len(error.instance)}{unit}: {received}"
        yield Problem(path, f"be {allowed_by(error.schema, with_limits=error.validator != 'type')}", received)


def _details(schema: Schema, with_limits: bool) -> str:
    """Return what comes behind the noun: `` of at most 3 texts``, `` from 0 to 1``."""
    kind, amount = schema["type"], _amount(schema) if with_limits else ""
    if kind in ("array", "object"):
        items = schema.get("items") or schema.get("additionalProperties")
        return f" of {amount} {_many(items, with_limits)}".replace("  ", " ") if items else ""
    if not amount:
        return ""
    if kind == "string":
        return f" of {amount} character{'' if amount.endswith(' 1') else 's'}"
    return f" from {amount}" if " to " in amount else f" of {amount}"


def _many(schema: Schema, with_limits: bool) -> str:
    return _NOUNS[schema["type"]][1] + ("" if "pattern" in schema else _details(schema, with_limits))


def _amount(schema: Schema) -> str:
    """Return ``1 to 5``, ``at most 5``, ``at least 1``, or nothing."""
    least, most = (schema.get(limit) for limit in _LIMITS[schema["type"]])
    if most is None:
        return "" if least is None else f"at least {least}"
    return f"at most {most}" if least is None else f"{least} to {most}"


def _place(path: tuple[str | int, ...]) -> str:
    """Return ``neutone_parameters['p1'].labels[0]``: keys that models choose stand in brackets."""
    place = str(path[0]) if path else "the metadata"
    for depth, part in enumerate(path[1:], start=1):
        place += f"[{part!r}]" if depth == 1 or isinstance(part, int) else f".{part}"
    return place
