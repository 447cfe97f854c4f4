"""TorchScript files written by hand, as small as they can be: torch loads them, if it lives."""

import struct

from .zips import Archive, Piece

HEAD = "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
FORWARD = "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n"
RETURN = "    return x\n"


def script(code: str, attributes: bytes = b"", records: dict[str, bytes] | None = None) -> bytes:
    """Return a file that holds one object of the class ``M``.

    Args:
        code: Of the class, and of others.
        attributes: Of the object, as opcodes, names and values in turn.
        records: Others, and others instead.
    """
    state = b"(" + attributes + text("training") + b"\x89u"
    contents = {
        "data.pkl": b"\x80\x02c__torch__\nM\n)\x81}" + state + b"b.",
        "code/__torch__.py": code.encode(),
        "constants.pkl": b"\x80\x02).",
        "version": b"3\n",
    }
    contents |= records or {}
    return Archive([Piece(f"archive/{name}", content) for name, content in contents.items()]).write()


def with_attribute(kind: str, value: bytes, more_code: str = "", records: dict[str, bytes] | None = None) -> bytes:
    """Return a file of which the object has an attribute ``a``, declared and pickled as one likes."""
    return script(more_code + HEAD + f"  a : {kind}\n" + FORWARD + RETURN, text("a") + value, records)


def with_line(line: str, before: str = "") -> bytes:
    """Return a file whose ``forward`` has a line."""
    return script(before + HEAD + FORWARD + f"    {line}\n" + RETURN)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def storage(n_items: int, *, key: str = "0", kind: bytes = b"torch\nFloatStorage", device: str = "cpu") -> bytes:
    return b"(" + text("storage") + b"c" + kind + b"\n" + text(key) + text(device) + number(n_items) + b"tQ"


def tensor(memory: bytes, *, offset: int = 0, sizes: tuple[int, ...] = (4,), strides: tuple[int, ...] = (1,)) -> bytes:
    numbers = [b"(" + b"".join(map(number, each)) + b"t" for each in (sizes, strides)]
    hooks = b"\x89ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + memory + number(offset) + b"".join(numbers) + hooks + b"tR"
