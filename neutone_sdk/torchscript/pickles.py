"""Follows a pickle of TorchScript opcode by opcode, without making anything of it.

Torch's own reader knows some thirty opcodes and believes what they say: that a record is as long as a tensor needs it,
that an object is of the class that the code expects, that a number is the number of a function. Here all of that is
checked. The stack holds descriptions (`values`), never objects.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from neutone_sdk.torchscript import names
from neutone_sdk.torchscript.refusal import RefusedError, refuse_unless
from neutone_sdk.torchscript.types import SAFE_CLASSES, TypeChecker
from neutone_sdk.torchscript.values import (
    DictValue,
    GlobalValue,
    InstanceValue,
    ListValue,
    StorageValue,
    TupleValue,
)

MAX_OPCODES: Final = 1_000_000  # of all pickles of a file: a second of judging
MAX_DEPTH: Final = 128
MAX_NAME_BYTES: Final = 4_096


class PickleJudge:
    """Judges the pickles of one file, which share a budget; ``record_bytes`` says which records tensors may name."""

    def __init__(self, checker: TypeChecker, record_bytes: Mapping[str, int]) -> None:
        self._checker = checker
        self._record_bytes = record_bytes
        self.n_opcodes = 0
        self.n_tensor_bytes = 0

    def judge(self, name: str, content: bytes) -> Any:
        """Return a description of what a pickle holds.

        Raises:
            RefusedError: It holds something that torch does not write there.
        """
        self._content, self._at = content, 0
        self._folder = name.removesuffix(".pkl")
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: list[Any] = []
        try:
            refuse_unless(content.startswith(b"\x80\x02"), "not a pickle of TorchScript")
            self._at = 2
            self._follow()
            is_done = len(self._stack) == 1 and not self._marks and self._at == len(content)
            refuse_unless(is_done, "other than one value at the end")
            self._hold(self._stack)
        except RefusedError as error:
            raise RefusedError(f"{name!r}, byte {self._at}: {error}") from error
        except (IndexError, struct.error) as error:
            raise RefusedError(f"{name!r} ends before it should") from error
        return self._stack[0]

    def _follow(self) -> None:
        follow_opcode, content = self._OPCODES, self._content
        while True:
            opcode = content[self._at]
            self._at += 1
            self.n_opcodes += 1
            if opcode == ord("."):
                return
            if opcode not in follow_opcode:
                raise RefusedError(f"opcode {bytes([opcode])!r}, which torch does not write")
            if self.n_opcodes > MAX_OPCODES:
                raise RefusedError(f"more than {MAX_OPCODES} opcodes in the pickles of one file")
            follow_opcode[opcode](self)

    # The stack

    def _pop(self) -> Any:
        floor = self._marks[-1] if self._marks else 0
        if len(self._stack) <= floor:
            raise RefusedError("a value is missing")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        if not self._marks:
            raise RefusedError("a mark is missing")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _hold(self, items: list[Any]) -> int:
        """Return how deep a container of such items is; from now on they stay as they are."""
        depth = 0
        for item in items:
            if isinstance(item, ListValue | DictValue):
                item.is_held = True
            elif isinstance(item, InstanceValue):
                refuse_unless(item.is_built, "an object without state")
            depth = max(depth, getattr(item, "depth", 0))
        if depth >= MAX_DEPTH:
            raise RefusedError(f"values are nested more than {MAX_DEPTH} deep")
        return depth + 1

    def _growing(self, kind: type[ListValue | DictValue]) -> Any:
        container = self._pop()
        refuse_unless(isinstance(container, kind) and not container.is_held, "items for something that takes none")
        self._stack.append(container)
        return container

    # What opcodes do

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _number(self, layout: str) -> Any:
        (number,) = struct.unpack_from(layout, self._content, self._at)
        self._at += struct.calcsize(layout)
        return number

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _long(self) -> None:
        refuse_unless(self._number("B") == 8, "a number of other than 8 bytes")
        self._push(self._number("<q"))

    def _text(self) -> None:
        length = self._number("<I")
        text = self._content[self._at : self._at + length]
        if len(text) != length:
            raise RefusedError("a text is longer than the pickle")
        self._at += length
        self._push(text.decode("utf-8", "replace"))

    def _tuple(self, n_items: int | None = None) -> None:
        items = self._pop_to_mark() if n_items is None else [self._pop() for _ in range(n_items)][::-1]
        self._push(TupleValue(items, self._hold(items)))

    def _append(self) -> None:
        items = self._pop_to_mark()
        depth = self._hold(items)  # should the list be one of them, it may not grow any more
        container = self._growing(ListValue)
        container.depth = max(container.depth, depth)
        container.items += items

    def _set(self) -> None:
        items = self._pop_to_mark()
        depth = self._hold(items)
        container = self._growing(DictValue)
        keys, values = items[::2], items[1::2]
        refuse_unless(len(keys) == len(values), "a key without a value")
        refuse_unless(all(isinstance(key, str | int | float) for key in keys), "a key that is no text or number")
        container.depth = max(container.depth, depth)
        container.items += zip(keys, values, strict=True)

    def _put(self, layout: str) -> None:
        """Torch makes room for the number, whatever it is; so they have to be used one after the other."""
        index = self._number(layout)
        value = self._pop()
        self._push(value)
        is_whole = not isinstance(value, InstanceValue) or value.is_built
        if index > len(self._memo) or not is_whole:
            raise RefusedError(f"{index} is not the number of a new value")
        self._memo[index : index + 1] = [value]

    def _get(self, layout: str) -> None:
        index = self._number(layout)
        if index >= len(self._memo):
            raise RefusedError(f"there is no value number {index}")
        self._push(self._memo[index])

    def _global(self) -> None:
        name_at = self._content.find(b"\n", self._at) + 1
        end = self._content.find(b"\n", name_at)
        refuse_unless(0 < name_at < end and end - self._at <= MAX_NAME_BYTES, "a name without an end")
        module, name = (text.decode("utf-8", "replace") for text in self._content[self._at : end].split(b"\n"))
        self._at = end + 1
        self._push(names.look_up(module, name))

    def _new(self) -> None:
        arguments, kind = self._pop(), self._pop()
        is_new = isinstance(kind, GlobalValue) and names.is_class(kind.module) and isinstance(arguments, TupleValue)
        refuse_unless(is_new and not arguments.items, "an object of no class")
        self._push(InstanceValue(f"{kind.module}.{kind.name}"))

    def _build(self) -> None:
        state, instance = self._pop(), self._pop()
        is_new = isinstance(instance, InstanceValue) and not instance.is_built
        refuse_unless(is_new, "a state for what is no new object")
        if not SAFE_CLASSES.fullmatch(instance.type_name):
            self._check_state(instance.type_name, state)
        instance.depth = self._hold([state])
        instance.is_built = True
        self._push(instance)

    def _check_state(self, name: str, state: Any) -> None:
        declaration = self._checker.declaration(name)
        is_state = declaration.kind in ("Module", "class") and isinstance(state, DictValue)
        refuse_unless(is_state, f"a state of {name} that is no dictionary")
        values = dict(state.items)
        for attribute, kind in declaration.attributes.items():
            refuse_unless(attribute in values, f"an object of {name} without {attribute}")
            fits = self._checker.fits(values[attribute], kind)
            refuse_unless(fits, f"{attribute} of {name} that is no {kind[:80]}")

    def _reduce(self) -> None:
        argument, function = self._pop(), self._pop()
        if not isinstance(function, GlobalValue):
            raise RefusedError("a call of what is no function")
        self._push(names.call(function, argument, self._checker))

    def _persistent(self) -> None:
        """How many bytes torch will read must be there."""
        key, n_items, n_bytes = names.storage(self._pop())
        there = self._record_bytes.get(f"{self._folder}/{key}", 0)
        refuse_unless(n_bytes <= there, f"a tensor of {n_bytes} bytes, of which its record has {there}")
        self.n_tensor_bytes += n_bytes
        self._push(StorageValue(n_items))

    _OPCODES: ClassVar[dict[int, Callable[["PickleJudge"], None]]] = {
        ord("("): _mark,
        ord("]"): lambda self: self._push(ListValue()),
        ord("}"): lambda self: self._push(DictValue()),
        ord(")"): lambda self: self._push(TupleValue([], 1)),
        ord("N"): lambda self: self._push(None),
        0x88: lambda self: self._push(True),
        0x89: lambda self: self._push(False),
        ord("K"): lambda self: self._push(self._number("B")),
        ord("M"): lambda self: self._push(self._number("<H")),
        ord("J"): lambda self: self._push(self._number("<i")),
        0x8A: _long,
        ord("G"): lambda self: self._push(self._number(">d")),
        ord("X"): _text,
        ord("t"): _tuple,
        0x85: lambda self: self._tuple(1),
        0x86: lambda self: self._tuple(2),
        0x87: lambda self: self._tuple(3),
        ord("e"): _append,
        ord("u"): _set,
        ord("q"): lambda self: self._put("B"),
        ord("r"): lambda self: self._put("<I"),
        ord("h"): lambda self: self._get("B"),
        ord("j"): lambda self: self._get("<I"),
        ord("c"): _global,
        0x81: _new,
        ord("b"): _build,
        ord("R"): _reduce,
        ord("Q"): _persistent,
    }
