"""Lets TorchScript see a module with other methods than Python does.

``torch.jit.script`` calls ``__prepare_scriptable__`` on every module and compiles what that returns. Ours return a
twin: an object with the same attributes, of a subclass in which TorchScript finds what it can compile.
"""

import inspect
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn
from torch._jit_internal import FunctionModifiers, get_torchscript_modifier

from neutone_sdk.facts import FactGetters
from neutone_sdk.script_methods import evaluated, is_of, names_around, scriptable_methods

Module = TypeVar("Module", bound=nn.Module)

# What a scripted model raises: the one where its code says raise, the other where an operator fails.
SCRIPT_ERRORS = (torch.jit.Error, RuntimeError)


def scriptable_twin(module: Module) -> Module:
    """Return a module that shares everything with ``module`` and is ready for TorchScript.

    Its getters answer from tables, its methods are those that TorchScript can compile, and its attributes' annotations
    are complete. Modules below it that need the latter two have twins as well; none of the originals is changed.
    """
    submodules = module._modules  # noqa: SLF001
    return _twin(module, _wrapper_class(type(module), submodules), _Submodules().of(module))


def forget_converted_classes() -> None:
    """Let torch convert all classes anew: it remembers half-converted ones, and would fail on them ever after."""
    torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()  # noqa: SLF001


@contextmanager
def without_deprecation() -> Iterator[None]:
    """Torch announces that TorchScript will go; users of this package can do nothing about it."""
    with warnings.catch_warnings():
        # A DeprecationWarning, from torch 2.14 on a FutureWarning, which everybody sees.
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)")
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


def _twin(module: Module, twin_class: type, submodules: dict[str, nn.Module | None]) -> Module:
    twin: Module = object.__new__(twin_class)
    twin.__dict__.update(module.__dict__)
    twin.__dict__["_modules"] = submodules
    return twin


class _Submodules:
    """Finds or makes what TorchScript can compile in place of the modules below a wrapper: a twin only where needed.

    A module that stands in several places has one twin, and modules of one class have twins of one class.
    """

    def __init__(self) -> None:
        self._modules: dict[int, nn.Module] = {}
        self._classes: dict[tuple[Any, ...], type] = {}

    def of(self, module: nn.Module) -> dict[str, nn.Module | None]:
        """Return the submodules of ``module``, prepared; a new dict, because torch replaces submodules in place."""
        children = module._modules.items()  # noqa: SLF001
        return {name: None if child is None else self._prepared(child) for name, child in children}

    def _prepared(self, module: nn.Module) -> nn.Module:
        if isinstance(module, torch.jit.ScriptModule) or hasattr(module, "__prepare_scriptable__"):
            return module
        if id(module) not in self._modules:
            self._modules[id(module)] = module  # should it contain itself
            originals = module._modules  # noqa: SLF001
            children = self.of(module)
            kind = (type(module), *originals)
            if kind not in self._classes:
                self._classes[kind] = _submodule_class(type(module), originals)
            if self._classes[kind] is not type(module) or any(
                children[name] is not originals[name] for name in children
            ):
                self._modules[id(module)] = _twin(module, self._classes[kind], children)
        return self._modules[id(module)]


def _submodule_class(module_class: type, submodules: Iterable[str]) -> type:
    """Return ``module_class`` if TorchScript can compile it as it is, and a subclass that it can compile otherwise."""
    if is_of("torch", module_class):
        return module_class
    methods = scriptable_methods(module_class)
    if not methods and not any(isinstance(kind, str) for kind in inspect.get_annotations(module_class).values()):
        return module_class
    annotations = _all_annotations(module_class.__mro__, submodules)
    return _subclass((module_class,), {"__annotations__": annotations, **methods})


def _wrapper_class(module_class: type, submodules: Iterable[str]) -> type:
    """Return a new class each time: torch remembers half-converted ones, and would fail on them ever after."""
    body = {
        "__annotations__": _all_annotations((*module_class.__mro__, FactGetters), submodules),
        "__jit_ignored_attributes__": ["card", *getattr(module_class, "__jit_ignored_attributes__", [])],
        "__prepare_scriptable__": lambda self: self,
        **scriptable_methods(module_class, besides=dir(FactGetters)),
    }
    return _subclass((module_class,) if issubclass(module_class, FactGetters) else (FactGetters, module_class), body)


def _subclass(bases: tuple[type, ...], body: dict[str, Any]) -> type:
    """Return a class that TorchScript takes for the last of ``bases``."""
    original = bases[-1]
    names = {"__module__": original.__module__, "__qualname__": original.__qualname__}
    return type(original)(original.__name__, bases, {**names, **body})


def _all_annotations(bases: Sequence[type], submodules: Iterable[str]) -> dict[str, Any]:
    """TorchScript reads the annotations of one class only; the attributes of its bases need theirs too.

    Submodules must have none: their types are known, and TorchScript takes ``model: MyNet`` for another class.
    """
    merged: dict[str, Any] = {}
    for base in reversed(bases):
        if base not in nn.Module.__mro__:
            merged |= {
                name: evaluated(kind, names_around(base)) for name, kind in inspect.get_annotations(base).items()
            }
    return {name: kind for name, kind in merged.items() if name not in set(submodules)}
