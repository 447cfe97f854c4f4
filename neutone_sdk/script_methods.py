"""Methods as TorchScript can compile them: without decorators, fully annotated, without ``super()``.

TorchScript reads a method's source. There it finds no types where an override leaves them to the method that it
overrides, and no base class to ask. So methods that need it are handed over parsed, with both filled in; they keep
their lines, so what torch says of them points into the user's file.
"""

import ast
import copy
import inspect
import sys
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

from torch._jit_internal import (
    FunctionModifiers,
    createResolutionCallbackFromClosure,
    get_torchscript_modifier,
    is_ignored_fn,
)
from torch._sources import parse_def
from torch.jit._recursive import ScriptMethodStub
from torch.jit.frontend import get_jit_def

# What a model may override besides its getters; other methods of the package call these.
OVERRIDES = (
    "do_forward_pass",
    "aggregate_params",
    "reset_model",
    "set_model_sample_rate_and_buffer_size",
    "calc_model_delay_samples",
)


def is_of(package: str, thing: type | FunctionType) -> bool:
    """Return whether a class or function stands in a package."""
    return (thing.__module__ or "").split(".")[0] == package


def evaluated(annotation: Any, names: Mapping[str, Any]) -> Any:
    """Evaluate what ``from __future__ import annotations`` leaves as a text; return it as it is if that fails."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(names))  # noqa: S307  # as Python does without the import
    except Exception:  # noqa: BLE001  # only torch knows whether it needs this one
        return annotation


def names_around(module_class: type) -> dict[str, Any]:
    """Return what names mean in the body of a class."""
    return {**getattr(sys.modules.get(module_class.__module__), "__dict__", {}), **vars(module_class)}


def overridden(module_class: type, name: str) -> tuple[FunctionType, FunctionType] | None:
    """Return a user's method, and the one of this package that it overrides; None if there are not both."""
    methods = [(base, vars(base)[name]) for base in module_class.__mro__ if name in vars(base)]
    ours = [method for base, method in methods if is_of("neutone_sdk", base)]
    if not ours or not all(isinstance(method, FunctionType) for method in (methods[0][1], ours[0])):
        return None
    return None if methods[0][1] is ours[0] else (inspect.unwrap(methods[0][1]), ours[0])


def scriptable_methods(module_class: type, *, besides: Iterable[str] = ()) -> dict[str, Any]:
    """Return what a subclass of ``module_class`` has to define for TorchScript to compile the class's methods.

    Args:
        module_class: The class of a module.
        besides: Names of methods that the subclass replaces.
    """
    methods: dict[str, Any] = {}
    for name in sorted({*dir(module_class)} - {*besides}):
        method = inspect.getattr_static(module_class, name)
        if not isinstance(method, FunctionType) or is_of("torch", method):
            continue
        if _is_compiled(name, method) and _needs_parsing(module_class, name):
            _Parser(module_class, methods).add(_owner_of(module_class.__mro__, name), name, name)
        elif hasattr(method, "__wrapped__"):
            methods[name] = _bare(method)
    return methods


def _is_compiled(name: str, method: FunctionType) -> bool:
    """Return whether TorchScript compiles a method in any case; others only where something calls them."""
    modifier = get_torchscript_modifier(method)
    called = name in {"forward", *OVERRIDES} and not is_ignored_fn(method)
    return called or modifier is FunctionModifiers.EXPORT


def _needs_parsing(module_class: type, name: str) -> bool:
    method = inspect.unwrap(inspect.getattr_static(module_class, name))
    arguments = method.__code__.co_varnames[: method.__code__.co_argcount]
    override = overridden(module_class, name)
    typed = {*arguments[1 : override[1].__code__.co_argcount], "return"} if override else set()
    return bool(arguments) and ("super" in method.__code__.co_names or not typed <= method.__annotations__.keys())


def _owner_of(bases: tuple[type, ...], name: str) -> type:
    return next(base for base in bases if name in vars(base))


class _ParsedMethod(ScriptMethodStub):
    """Torch takes one in place of a method, if it is exported, and asks only callables whether they are."""

    _torchscript_modifier = FunctionModifiers.EXPORT

    def __call__(self, *arguments: object) -> Any:
        return self.original_method(*arguments)


class _Parser:
    """Adds parsed methods of ``module_class`` to ``methods``, and what they reach by ``super()``."""

    def __init__(self, module_class: type, methods: dict[str, Any]) -> None:
        self.module_class = module_class
        self.methods = methods

    def add(self, owner: type, name: str, alias: str) -> None:
        """Add the method ``name`` that ``owner`` defines, and call it ``alias``."""
        method = _bare(vars(owner)[name])
        parsed = parse_def(method)
        definition = parsed.ast.body[0]
        override = overridden(self.module_class, name)
        if override is not None:
            _annotate_like(definition, override[1])
        _WithoutSuper(self, owner, definition.args.args[0].arg).visit(definition)
        stub = get_jit_def(parsed, alias, self_name="RecursiveScriptModule")
        self.methods[alias] = _ParsedMethod(createResolutionCallbackFromClosure(method), stub, method)

    def add_super(self, owner: type, name: str) -> str | None:
        """Add the method that ``super().name`` is to the methods of ``owner``, and return its alias."""
        bases = self.module_class.__mro__
        behind = bases[bases.index(owner) + 1 :]
        base = next((base for base in behind if name in vars(base)), None)
        if base is None or not isinstance(vars(base)[name], FunctionType):
            return None
        # Short: torch takes it for as long as what stands in the source, super().name().
        alias = f"up{bases.index(base)}_{name}"
        if alias not in self.methods:
            self.add(base, name, alias)
        return alias


class _WithoutSuper(ast.NodeTransformer):
    """Turns ``super().name`` into ``self.alias``."""

    def __init__(self, parser: _Parser, owner: type, self_name: str) -> None:
        self.parser = parser
        self.owner = owner
        self.self_name = self_name

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(called, ast.Name) and called.id == "super":
            alias = self.parser.add_super(self.owner, node.attr)
            if alias is not None:
                node.value = ast.copy_location(ast.Name(self.self_name, ast.Load()), called)
                node.attr = alias
        return node


def _annotate_like(definition: ast.FunctionDef, ours: FunctionType) -> None:
    """Give every parameter without annotation, and the result, the type that they have in our method."""
    model = parse_def(ours).ast.body[0]
    for argument, known in zip(definition.args.args, model.args.args, strict=False):
        if argument.annotation is None and known.annotation is not None:
            argument.annotation = _at(argument, known.annotation)
    if definition.returns is None:
        definition.returns = _at(definition.args.args[0], model.returns)


def _at(place: ast.arg, expression: ast.expr) -> ast.expr:
    moved = copy.deepcopy(expression)
    for node in ast.walk(moved):
        ast.copy_location(node, place)
    return moved


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
