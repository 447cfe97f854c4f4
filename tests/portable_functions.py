"""How tests look at portable operators: scripted, beside the native ones."""

import re
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


def complaint(message: str) -> str:
    """Return which operator says something about which argument; what it says of it may differ."""
    found = re.search(r"\b([a-z_]+: [a-z_]+)", message)
    return found[1] if found else message


def assert_refused_alike(function: Callable[..., Any], *arguments: Any) -> None:
    """Check that both refuse, by the name of the same argument."""
    expected, actual = refusal(native(function), arguments), refusal(scripted(function), arguments)
    assert complaint(actual).startswith(f"{function.__name__}: ")
    assert complaint(actual) == complaint(expected)


def calls_nothing_native(function: Callable[..., Any]) -> bool:
    graph = str(scripted(function).inlined_graph)
    return "aten::" in graph and "neutone::" not in graph
