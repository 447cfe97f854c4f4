"""What a pickle of TorchScript describes, as far as a judge has to know; numbers, texts and None are themselves."""

from dataclasses import dataclass, field
from typing import Any, Final

ITEM_BYTES: Final = {
    "BoolStorage": 1,
    "ByteStorage": 1,
    "CharStorage": 1,
    "ShortStorage": 2,
    "IntStorage": 4,
    "LongStorage": 8,
    "UInt16Storage": 2,
    "UInt32Storage": 4,
    "UInt64Storage": 8,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "FloatStorage": 4,
    "DoubleStorage": 8,
    "ComplexHalfStorage": 4,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
    "QInt8Storage": 1,
    "QUInt8Storage": 1,
    "QInt32Storage": 4,
    "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1,
    "Float8_e5m2Storage": 1,
    "Float8_e4m3fnStorage": 1,
    "Float8_e5m2fnuzStorage": 1,
    "Float8_e4m3fnuzStorage": 1,
    "Float8_e8m0fnuStorage": 1,
}


@dataclass(slots=True, eq=False)
class TupleValue:
    """A tuple."""

    items: list[Any]
    depth: int


@dataclass(slots=True, eq=False)
class ListValue:
    """A list; it may grow until something holds it."""

    items: list[Any] = field(default_factory=list)
    depth: int = 1
    is_held: bool = False


@dataclass(slots=True, eq=False)
class DictValue:
    """A dictionary, which may hold a key twice; it may grow until something holds it."""

    items: list[tuple[Any, Any]] = field(default_factory=list)
    depth: int = 1
    is_held: bool = False


@dataclass(slots=True, eq=False)
class InstanceValue:
    """An object, or a member of an enumeration; useless to others until it has got its state."""

    type_name: str
    depth: int = 1
    is_built: bool = False


@dataclass(slots=True, frozen=True)
class GlobalValue:
    """A name of Python that torch knows."""

    module: str
    name: str


@dataclass(slots=True, frozen=True)
class StorageValue:
    """Memory of a tensor: as many items as the pickle says, for which the archive has bytes."""

    n_items: int


@dataclass(slots=True, frozen=True)
class TensorValue:
    """A tensor that lies inside its storage."""


@dataclass(slots=True, frozen=True)
class PlainValue:
    """A device, a complex number, or the hooks of a tensor: nothing inside it matters."""

    kind: str
