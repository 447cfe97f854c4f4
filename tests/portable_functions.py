"""How tests look at portable operators: scripted, beside the native ones."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from neutone_sdk.scripting import SCRIPT_ERRORS, message_of

from .operator_examples import ops


@cache
def scripted(function: Callable[..., Any]) -> Any:
    return torch.jit.script(function)


def native(function: Callable[..., Any]) -> Any:
    """Return the native operator that a portable function stands for."""
    return getattr(ops, function.__name__)


def refusal(call: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Return what a call raises, or nothing."""
    try:
        call(*arguments)
    except SCRIPT_ERRORS as error:
        return message_of(error)
    return ""


def assert_refused_alike(function: Callable[..., Any], *arguments: Any) -> None:
    """Check that both refuse, and say the same; before it, the native one says where in the C++ it does."""
    expected, actual = refusal(native(function), arguments), refusal(scripted(function), arguments)
    assert actual.startswith(f"{function.__name__}: ")
    assert expected.endswith(actual)


def calls_nothing_native(function: Callable[..., Any]) -> bool:
    graph = str(scripted(function).inlined_graph)
    return "aten::" in graph and "neutone::" not in graph
