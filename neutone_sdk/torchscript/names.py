"""What the names in a pickle of TorchScript stand for. There are few, and none is a function of Python."""

import ast
import re
from collections.abc import Callable
from typing import Any, Final

from neutone_sdk.torchscript.refusal import refuse_unless
from neutone_sdk.torchscript.types import TypeChecker
from neutone_sdk.torchscript.values import (
    ITEM_BYTES,
    DictValue,
    GlobalValue,
    InstanceValue,
    ListValue,
    PlainValue,
    StorageValue,
    TensorValue,
    TupleValue,
)

MAX_DIMENSIONS: Final = 64
MAX_ITEMS: Final = 2**40  # a tensor may repeat the same memory, but not so often that its size overflows
_LISTS: Final = {
    "build_intlist": "List[int]",
    "build_doublelist": "List[float]",
    "build_boollist": "List[bool]",
    "build_tensorlist": "List[Tensor]",
}
_QUANTIZERS: Final = (
    "per_tensor_affine",
    "per_tensor_symmetric",
    "per_channel_affine",
    "per_channel_symmetric",
    "per_channel_affine_float_qparams",
)
_DEVICE: Final = re.compile(r"(cpu|cuda|mps|xpu|hpu)(:\d{1,3})?")


def look_up(module: str, name: str) -> Any:
    """Return what a name pushes.

    Raises:
        RefusedError: It is neither one that tensors and lists need, nor a class of the file.
    """
    if module == "torch" and name in _QUANTIZERS:
        return PlainValue("qscheme")
    is_known = f"{module} {name}" in _FUNCTIONS or (module == "torch" and name in ITEM_BYTES)
    refuse_unless(is_known or is_class(module), f"the name {module[:80]}.{name[:80]}, which no model needs")
    return GlobalValue(module, name)


def is_class(module: str) -> bool:
    """Return whether a module is one of the file's code."""
    return module.partition(".")[0] == "__torch__"


def call(function: GlobalValue, argument: Any, checker: TypeChecker) -> Any:
    """Return what a call gives, or refuse it; the argument of an enumeration is one of its values."""
    called = _FUNCTIONS.get(f"{function.module} {function.name}")
    if called:
        refuse_unless(isinstance(argument, TupleValue), f"a call of {function.name} without arguments")
        return called(function.name, argument.items, checker)
    name = f"{function.module}.{function.name}"
    declaration = checker.declaration(name)
    is_member = declaration.kind == "Enum" and any(
        type(argument) is type(value) and argument == value for value in map(_literal, declaration.attributes.values())
    )
    refuse_unless(is_member, f"a call of {name}")
    return InstanceValue(name, is_built=True)


def _literal(text: str) -> Any:
    """Code spells bytes that are no ASCII in octal; pickles hold UTF-8."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value.encode("latin-1", "replace").decode("utf-8", "replace") if isinstance(value, str) else value


def storage(arguments: Any) -> tuple[str, int, int]:
    """Return the record, the number of items and their bytes of a tensor's memory."""
    items = arguments.items if isinstance(arguments, TupleValue) else []
    is_storage = len(items) == 5 and items[0] == "storage" and isinstance(items[1], GlobalValue)
    refuse_unless(is_storage and items[1].module == "torch" and items[1].name in ITEM_BYTES, "a reference to no tensor")
    _, kind, record, device, n_items = items
    refuse_unless(_is_count(n_items) and isinstance(record, str), "a tensor of no size")
    _check_device(device)
    return record, n_items, n_items * ITEM_BYTES[kind.name]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_ITEMS


def _check_device(device: Any) -> None:
    refuse_unless(isinstance(device, str) and _DEVICE.fullmatch(device), f"the device {str(device)[:80]!r}")


def _typed_list(name: str, arguments: list[Any], checker: TypeChecker) -> Any:
    is_list = len(arguments) == 1 and checker.fits(arguments[0], _LISTS[name])
    refuse_unless(is_list, f"a list that is no {_LISTS[name]}")
    return arguments[0]


def _tagged(_: str, arguments: list[Any], checker: TypeChecker) -> Any:
    is_tag = len(arguments) == 2 and isinstance(arguments[1], str)
    refuse_unless(is_tag and isinstance(arguments[0], (ListValue, DictValue)), "a type for what has none")
    value, kind = arguments
    refuse_unless(checker.fits(value, kind), f"a value that is no {kind[:80]}")
    return value


def _tensor(name: str, arguments: list[Any], _: TypeChecker) -> TensorValue:
    is_quantized = name == "_rebuild_qtensor"
    n_arguments = 7 if is_quantized else 6
    refuse_unless(len(arguments) in (n_arguments, n_arguments + 1), "a tensor of too few or too many parts")
    memory, offset, sizes, strides, *rest = arguments
    refuse_unless(isinstance(memory, StorageValue), "a tensor without memory")
    _check_view(memory.n_items, offset, _counts(sizes), _counts(strides))
    if is_quantized:
        _check_quantizer(rest.pop(0))
    refuse_unless(isinstance(rest[0], bool), "a tensor of which is not said whether it is trained")
    return TensorValue()


def _counts(value: Any) -> list[int]:
    items = value.items if isinstance(value, TupleValue) else [None]
    refuse_unless(len(items) <= MAX_DIMENSIONS and all(map(_is_count, items)), "a tensor of no shape")
    return list(items)


def _check_view(n_items: int, offset: Any, sizes: list[int], strides: list[int]) -> None:
    refuse_unless(_is_count(offset) and len(sizes) == len(strides), "a tensor of no shape")
    total = 1
    for size in sizes:
        total *= size
        refuse_unless(total <= MAX_ITEMS, f"a tensor of the shape {sizes}")
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    refuse_unless(0 in sizes or last < n_items, f"a tensor that reaches item {last} of {n_items}")


def _check_quantizer(value: Any) -> None:
    items = value.items if isinstance(value, TupleValue) else []
    kinds = [type(item) for item in items]
    is_known = kinds in (
        [PlainValue, float, int],
        [PlainValue, TensorValue, TensorValue, int],
    )
    refuse_unless(is_known and items[0] == PlainValue("qscheme"), "a tensor that is quantized in no way")


def _plain(name: str, arguments: list[Any], _: TypeChecker) -> PlainValue:
    if name == "device":
        refuse_unless(len(arguments) == 1, "a device of no name")
        _check_device(arguments[0])
    if name == "complex":
        is_complex = len(arguments) == 2 and all(isinstance(part, float) for part in arguments)
        refuse_unless(is_complex, "a complex number of other than two numbers")
    return PlainValue(name)


_FUNCTIONS: Final[dict[str, Callable[[str, list[Any], TypeChecker], Any]]] = {
    **{f"torch.jit._pickle {name}": _typed_list for name in _LISTS},
    "torch.jit._pickle restore_type_tag": _tagged,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_qtensor": _tensor,
    "collections OrderedDict": _plain,
    "builtins complex": _plain,
    "torch device": _plain,
}
