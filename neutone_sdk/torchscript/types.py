"""Types as TorchScript writes them, and whether what a pickle describes is of such a type.

Torch believes a pickle: it puts what it finds where the code expects something else, and then reads memory that is not
there.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from neutone_sdk.torchscript.refusal import refuse_unless
from neutone_sdk.torchscript.values import (
    DictValue,
    InstanceValue,
    ListValue,
    PlainValue,
    TensorValue,
    TupleValue,
)

MAX_TYPE_TEXT: Final = 4_096
MAX_TYPE_DEPTH: Final = 32
# Classes of torch itself whose instances a file may hold; they check what they are made of. Others do not: one, for
# instance, unpickles Python objects.
SAFE_CLASSES: Final = re.compile(
    r"__torch__\.torch\.classes\.(quantized\.(Linear|Conv2d|Conv3d)PackedParamsBase|rnn\.CellParamsBase)"
)
_TOKEN: Final = re.compile(r"\s*([\w.]+|[\[\],()])")


class Type(NamedTuple):
    """``List[int]`` is ``Type("List", (Type("int", ()),))``."""

    name: str
    arguments: tuple["Type", ...]


@dataclass(frozen=True)
class Declaration:
    """A class as the code of the file declares it: the types of its attributes or fields, by name."""

    kind: str
    attributes: dict[str, str] = field(default_factory=dict)


def parse_type(text: str) -> Type:
    """Parse a type.

    Raises:
        RefusedError: It is none, or too long or deep to be one of torch's.
    """
    refuse_unless(len(text) <= MAX_TYPE_TEXT, f"a type of {len(text)} characters, at most {MAX_TYPE_TEXT} are allowed")
    tokens = [match[1] for match in _TOKEN.finditer(text)]
    refuse_unless(sum(map(len, tokens)) == len("".join(text.split())), f"{text[:80]!r} is no type")
    parsed = _parse(tokens, 0)
    refuse_unless(not tokens, f"{text[:80]!r} is no type")
    return parsed


def _parse(tokens: list[str], depth: int) -> Type:
    """Take a type off the front."""
    refuse_unless(depth < MAX_TYPE_DEPTH, f"a type is nested more than {MAX_TYPE_DEPTH} deep")
    name = tokens.pop(0) if tokens else ""
    refuse_unless(name[:1].isalpha() or name.startswith("_"), f"a type cannot start with {name!r}")
    if not tokens or tokens[0] != "[":
        return Type(name, ())
    tokens.pop(0)
    if tokens[:3] == ["(", ")", "]"]:
        del tokens[:3]
        return Type(name, ())
    arguments = []
    closing = ","
    while closing == "," and tokens[:1] != ["]"]:  # a comma may come last
        arguments.append(_parse(tokens, depth + 1))
        closing = tokens[0] if tokens else ""
        refuse_unless(closing in (",", "]"), "a type has a bracket too few")
        if closing == ",":
            tokens.pop(0)
    refuse_unless(tokens and tokens.pop(0) == "]", "a type has a bracket too few")
    return Type(name, tuple(arguments))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_SIMPLE: Final[dict[str, Callable[[Any], bool]]] = {
    "Tensor": lambda value: isinstance(value, TensorValue),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "complex": lambda value: value == PlainValue("complex"),
    "number": _is_number,
    "Scalar": _is_number,
    "NoneType": lambda value: value is None,
    "Device": lambda value: value == PlainValue("device"),
    "Any": lambda _: True,
    # kept as numbers
    "ScalarType": lambda value: isinstance(value, int),
    "Layout": lambda value: isinstance(value, int),
    "MemoryFormat": lambda value: isinstance(value, int),
    "QScheme": lambda value: value == PlainValue("qscheme"),
}


class TypeChecker:
    """Compares values with types; shared parts are looked at once, however often they are shared."""

    def __init__(self, declared: Mapping[str, Declaration]) -> None:
        self._declared = declared
        self._parsed: dict[str, Type] = {}
        self._fitting: set[tuple[int, Type]] = set()

    def fits(self, value: Any, text: str) -> bool:
        """Return whether a value is of a type."""
        if text not in self._parsed:
            self._parsed[text] = parse_type(text)
        return self._fits(value, self._parsed[text])

    def declaration(self, name: str) -> Declaration:
        """Return what the code says of a class.

        Raises:
            RefusedError: It says nothing.
        """
        refuse_unless(name in self._declared, f"an object of class {name!r}, of which there is no code")
        return self._declared[name]

    def _fits(self, value: Any, kind: Type) -> bool:
        simple = _SIMPLE.get(kind.name)
        if simple:
            return simple(value)
        key = (id(value), kind)
        if key in self._fitting:
            return True
        fits = (
            self._fits_class(value, kind.name) if kind.name.startswith("__torch__") else self._fits_generic(value, kind)
        )
        if fits:
            self._fitting.add(key)
        return fits

    def _fits_generic(self, value: Any, kind: Type) -> bool:
        name, arguments = kind
        if name in ("Optional", "Union", "Final"):
            return (name == "Optional" and value is None) or any(self._fits(value, each) for each in arguments)
        if name == "List" and len(arguments) == 1:
            return isinstance(value, ListValue) and all(self._fits(item, arguments[0]) for item in value.items)
        if name == "Dict" and len(arguments) == 2:
            return isinstance(value, DictValue) and all(
                self._fits(key, arguments[0]) and self._fits(item, arguments[1]) for key, item in value.items
            )
        return name == "Tuple" and self._fits_tuple(value, arguments)

    def _fits_tuple(self, value: Any, kinds: tuple[Type, ...]) -> bool:
        return (
            isinstance(value, TupleValue)
            and len(value.items) == len(kinds)
            and all(map(self._fits, value.items, kinds))
        )

    def _fits_class(self, value: Any, name: str) -> bool:
        if SAFE_CLASSES.fullmatch(name):
            return isinstance(value, InstanceValue) and value.type_name == name
        declaration = self.declaration(name)
        if declaration.kind == "NamedTuple":
            return self._fits_tuple(value, tuple(map(parse_type, declaration.attributes.values())))
        is_instance = isinstance(value, InstanceValue)
        return is_instance and (declaration.kind == "Interface" or value.type_name == name)
