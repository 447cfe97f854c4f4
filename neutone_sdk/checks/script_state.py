"""What a scripted model keeps from one block to the next.

Python cannot read every attribute of a script: objects of TorchScript's own classes have none to offer. A file holds
them all, as a pickle of plain parts beside the tensors' bytes, so the model is saved, and the pickle is read without
making anything that it names.
"""

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, ClassVar

import torch

from neutone_sdk.scripting import without_deprecation

_LEAST_GROWTH_BYTES = 256  # numbers take more room the larger they get


class _Object(dict[str, Any]):
    """A module, or an object of a class of TorchScript's: the pickle gives it its attributes."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        self.update(state if isinstance(state, dict) else {"state": state})


class _Reader(pickle._Unpickler):  # noqa: SLF001  # the one in C refuses how torch pickles enums
    """Runs nothing: every name in the pickle stands for a plain object, or a tuple of what it was called with."""

    stack: list[Any]

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._root = archive.namelist()[0].partition("/")[0]
        self._archive = archive
        super().__init__(io.BytesIO(archive.read(f"{self._root}/data.pkl")))

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Classes become objects, functions, of which there are torch's only, tuples."""
        if module.startswith("__torch__"):
            return _Object
        return dict if name == "OrderedDict" else lambda *arguments: arguments

    def persistent_load(self, pid: Any) -> bytes:
        """Return what a tensor's storage holds."""
        return self._archive.read(f"{self._root}/data/{pid[2]}")

    def load_reduce(self) -> None:
        """Call what ``find_class`` returned; an enum's class is called with its bare value."""
        arguments = self.stack.pop()
        self.stack[-1] = self.stack[-1](*(arguments if isinstance(arguments, tuple) else (arguments,)))

    dispatch: ClassVar[dict[int, Callable[..., None]]] = {**pickle._Unpickler.dispatch, pickle.REDUCE[0]: load_reduce}  # noqa: SLF001


def state_of(model: torch.jit.ScriptModule) -> dict[str, Any]:
    """Return everything that a model holds, weights too, from its dotted name to a plain value that can be compared."""
    file = io.BytesIO()
    with without_deprecation():
        torch.jit.save(model, file)
    with zipfile.ZipFile(file) as archive:
        return dict(_named("", _Reader(archive).load()))


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the names of what is not the same in two states of a model."""
    return [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]


def sizes_bytes(state: dict[str, Any]) -> dict[str, int]:
    """Return about how much room each part of a state takes in a file."""
    return {name: _size_bytes(value) for name, value in state.items()}


def grown(sizes: list[dict[str, int]]) -> list[str]:
    """Return the names of what takes more room each time than the time before."""
    return [
        name
        for name in sizes[-1]
        if all(later.get(name, 0) - earlier.get(name, 0) > _LEAST_GROWTH_BYTES for earlier, later in pairwise(sizes))
    ]


def _size_bytes(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_size_bytes(key) + _size_bytes(each) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return sum(map(_size_bytes, value))
    return len(value) if isinstance(value, (bytes, str)) else 8


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, _Object):
        yield name, value
        return
    for key, each in value.items():
        yield from _named(f"{name}.{key}".removeprefix("."), each)
