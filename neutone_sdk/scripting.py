"""Lets TorchScript see a module with other methods than Python does.

``torch.jit.script`` calls ``__prepare_scriptable__`` on every module and compiles what that returns. Ours return a
twin: an object with the same attributes, of a subclass in which TorchScript finds what it can compile.
"""

import inspect
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, TypeVar

import torch
from torch import nn
from torch._jit_internal import FunctionModifiers, get_torchscript_modifier

from neutone_sdk.facts import FactGetters

Module = TypeVar("Module", bound=nn.Module)

# What a scripted model raises: the one where its code says raise, the other where an operator fails.
SCRIPT_ERRORS = (torch.jit.Error, RuntimeError)


def scriptable_twin(module: Module) -> Module:
    """Return a module that shares everything with ``module`` and is ready for TorchScript.

    Its getters answer from tables, its decorated methods are bare, and its attributes' annotations are complete.
    """
    twin_class = _twin_class(type(module), module._modules)  # noqa: SLF001
    twin: Module = object.__new__(twin_class)
    twin.__dict__.update(module.__dict__)
    twin.__dict__["_modules"] = dict(module._modules)  # noqa: SLF001  # torch replaces submodules in place
    return twin


def forget_converted_classes() -> None:
    """Let torch convert all classes anew: it remembers half-converted ones, and would fail on them ever after."""
    torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()  # noqa: SLF001


@contextmanager
def without_deprecation() -> Iterator[None]:
    """Torch announces that TorchScript will go; users of this package can do nothing about it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)", DeprecationWarning)
        yield


def message_of(error: Exception) -> str:
    """Return what an error of a scripted model says, without the traceback through the script."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else type(error).__name__
    kind, _, message = last.partition(": ")
    return message if message and " " not in kind else last


def exported_methods(module_class: type) -> list[str]:
    """Return the methods that ``@torch.jit.export`` makes part of a scripted module, besides ``forward``."""
    return [
        name
        for name in dir(module_class)
        if get_torchscript_modifier(getattr(module_class, name)) is FunctionModifiers.EXPORT
    ]


def _twin_class(module_class: type, submodules: Iterable[str]) -> type:
    """Return a new class each time: torch remembers half-converted ones, and would fail on them ever after."""
    body: dict[str, Any] = {
        "__module__": module_class.__module__,
        "__qualname__": module_class.__qualname__,
        "__annotations__": _all_annotations(module_class, submodules),
        "__jit_ignored_attributes__": ["card", *getattr(module_class, "__jit_ignored_attributes__", [])],
        "__prepare_scriptable__": lambda self: self,
    }
    for name in dir(module_class):
        method = inspect.getattr_static(module_class, name)
        if isinstance(method, FunctionType) and hasattr(method, "__wrapped__") and not hasattr(FactGetters, name):
            body[name] = _bare(method)
    bases = (module_class,) if issubclass(module_class, FactGetters) else (FactGetters, module_class)
    return type(module_class)(module_class.__name__, bases, body)


def _all_annotations(module_class: type, submodules: Iterable[str]) -> dict[str, Any]:
    """TorchScript reads the annotations of one class only; the attributes of its bases need theirs too.

    Submodules must have none: their types are known, and TorchScript takes ``model: MyNet`` for another class.
    """
    merged: dict[str, Any] = {}
    for base in reversed((*module_class.__mro__, FactGetters)):
        if base not in nn.Module.__mro__:
            merged |= inspect.get_annotations(base)
    return {name: kind for name, kind in merged.items() if name not in set(submodules)}


def _bare(method: FunctionType) -> FunctionType:
    """Undo decorators such as ``@torch.no_grad()``: TorchScript takes a decorated method's globals from the decorator.

    The copy keeps what ``@torch.jit.export`` and the like said of the decorated method.
    """
    inner = inspect.unwrap(method)
    bare = FunctionType(inner.__code__, inner.__globals__, inner.__name__, inner.__defaults__, inner.__closure__)
    bare.__annotations__ = inner.__annotations__
    bare.__kwdefaults__ = inner.__kwdefaults__
    bare.__qualname__ = inner.__qualname__
    bare.__module__ = inner.__module__
    for key, value in {**inner.__dict__, **method.__dict__}.items():
        if key != "__wrapped__":
            bare.__dict__[key] = value
    return bare
