"""Turns an exported file into one that stock torch can load: every call of a native operator becomes one of a function.

A TorchScript archive holds code as text, in which an operator is ``ops.neutone.NAME(...)``. For each there is a
function of this package that does the same with torch's own operators; its code is put into the archive, and the calls
go there. So whatever a model is made of - wrappers, its own modules, classes, modules that were scripted elsewhere - no
part of it has to know that there are two flavours.
"""

import io
import re
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import torch
from torch import nn
from torch.jit import ScriptModule

from neutone_sdk.errors import ExportError
from neutone_sdk.portable.operators import PORTABLE_OPERATORS
from neutone_sdk.scripting import without_deprecation

# A call of a native operator; or a text, in which nothing is one.
_CALL: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'" + r"|\bops\.neutone\.(\w+)\(")
_CODE: Final = re.compile(r"[^/]+/(code/.+\.py)")


def to_portable(content: bytes) -> ScriptModule:
    """Return the model in an exported file, without native operators.

    Args:
        content: The file, as `torch.jit.save` makes it.

    Raises:
        ExportError: The model calls an operator that has no portable form.
    """
    linked = _linked(content)
    with without_deprecation():
        script: ScriptModule = torch.jit.load(io.BytesIO(linked), map_location="cpu")
    for module in script.modules():
        # Some operators keep their state in a form of their own: what holds it can make it anew.
        rebuild: Any = getattr(module, "sdk_rebuild", None)
        if rebuild is not None:
            rebuild()
    return script


def _linked(content: bytes) -> bytes:
    """Return an archive in which functions take the place of native operators."""
    linked = io.BytesIO()
    used: set[str] = set()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(linked, "w") as target:
        top = archive.namelist()[0].split("/")[0]
        for name in archive.namelist():
            record = archive.read(name)
            if name.endswith(".debug_pkl"):
                continue  # says at which byte of the code a line of the source is
            if _CODE.fullmatch(name):
                record = _relinked(record.decode(), used).encode()
            target.writestr(name, record)
        for name, code in code_of(frozenset(used)).items():
            target.writestr(f"{top}/{name}", code)
    return linked.getvalue()


def _relinked(code: str, used: set[str]) -> str:
    """Return code that calls functions in place of native operators, whose names are added to ``used``."""

    def replaced(call: re.Match[str]) -> str:
        operator = call[1]
        if operator is None:
            return call[0]
        used.add(operator)
        return f"{_qualified(_portable(operator))}("

    return _CALL.sub(replaced, code)


def _portable(operator: str) -> Callable[..., Any]:
    if operator not in PORTABLE_OPERATORS:
        msg = (
            f"the model calls the operator neutone::{operator}, which only native files can hold; "
            'export it with flavour="native", or without that operator'
        )
        raise ExportError(msg)
    return PORTABLE_OPERATORS[operator]


def _qualified(function: Callable[..., Any]) -> str:
    return f"__torch__.{function.__module__}.{function.__name__}"


@cache
def code_of(operators: frozenset[str]) -> dict[str, bytes]:
    """Return the records of an archive that hold the functions for these operators, and all that they call."""

    class Holder(nn.Module):  # a new class each time, because modules of one class share their methods
        pass

    with without_deprecation():
        holder = torch.jit.script(Holder())
        for operator in sorted(operators):
            _define(holder, operator, torch.jit.script(_portable(operator)))
        buffer = io.BytesIO()
        torch.jit.save(holder, buffer)
    with zipfile.ZipFile(buffer) as archive:
        records = {match[1]: archive.read(name) for name in archive.namelist() if (match := _CODE.fullmatch(name))}
    return {name: code for name, code in records.items() if name.startswith("code/__torch__/neutone_sdk/portable/")}


def _define(holder: ScriptModule, operator: str, function: Any) -> None:
    """Give ``holder`` a method that calls ``function``, so that it is saved with it."""
    arguments = function.schema.arguments
    typed = ", ".join(f"{argument.name}: {argument.type.annotation_str}" for argument in arguments)
    returned = function.schema.returns[0].type.annotation_str.replace("NoneType", "None")
    names = ", ".join(argument.name for argument in arguments)
    holder.define(f"def {operator}(self, {typed}) -> {returned}:\n    return function({names})\n")
