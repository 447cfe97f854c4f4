"""Reads archives, and writes them with whatever lies one likes."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field


@dataclass
class Piece:
    """A member of an archive; what is None is as it should be."""

    name: str
    content: bytes
    is_deflated: bool = False
    method: int | None = None
    flags: int = 0x800
    size: int | None = None
    stored_size: int | None = None
    crc: int | None = None
    local_name: str | None = None
    local_size: int | None = None
    header_at: int | None = None
    attributes: int = 0
    comment: bytes = b""
    extra: bytes = b""
    is_listed: bool = True


@dataclass
class Archive:
    """What `write` makes a file of."""

    pieces: list[Piece]
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    comment: bytes = b""
    end: dict[str, int] = field(default_factory=dict)

    def piece(self, name: str) -> Piece:
        """Return the member of that name in the archive's folder."""
        return next(piece for piece in self.pieces if piece.name.partition("/")[2] == name)

    def named(self, ending: str) -> list[Piece]:
        return [piece for piece in self.pieces if piece.name.endswith(ending)]

    def write(self) -> bytes:
        file = io.BytesIO()
        file.write(self.before)
        directory = b"".join([_write_piece(file, piece) for piece in self.pieces])
        file.write(self.between)
        start = file.tell()
        file.write(directory)
        listed = sum(piece.is_listed for piece in self.pieces)
        end = {"n_here": listed, "n": listed, "size": len(directory), "start": start} | self.end
        file.write(
            struct.pack(
                "<4s4H2LH",
                b"PK\x05\x06",
                0,
                0,
                end["n_here"] & 0xFFFF,
                end["n"] & 0xFFFF,
                end["size"] & 0xFFFFFFFF,
                end["start"] & 0xFFFFFFFF,
                len(self.comment),
            )
        )
        file.write(self.comment + self.after)
        return file.getvalue()


def _write_piece(file: io.BytesIO, piece: Piece) -> bytes:
    """Write header and contents, and return the entry of the directory."""
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
    stored = deflater.compress(piece.content) + deflater.flush() if piece.is_deflated else piece.content
    method = piece.method if piece.method is not None else 8 if piece.is_deflated else 0
    crc = zlib.crc32(piece.content) if piece.crc is None else piece.crc
    size = len(piece.content) if piece.size is None else piece.size
    stored_size = len(stored) if piece.stored_size is None else piece.stored_size
    name = piece.name.encode()
    local_name = name if piece.local_name is None else piece.local_name.encode()
    local_size = size if piece.local_size is None else piece.local_size
    at = file.tell() if piece.header_at is None else piece.header_at
    sizes = crc, stored_size & 0xFFFFFFFF
    file.write(
        struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            20,
            piece.flags,
            method,
            0,
            0,
            *sizes,
            local_size & 0xFFFFFFFF,
            len(local_name),
            0,
        )
        + local_name
        + stored
    )
    if not piece.is_listed:
        return b""
    lengths = len(name), len(piece.extra), len(piece.comment)
    fixed = (b"PK\x01\x02", 20, 20, piece.flags, method, 0, 0, *sizes, size & 0xFFFFFFFF, *lengths, 0, 0)
    return struct.pack("<4s6H3L5H2L", *fixed, piece.attributes, at) + name + piece.extra + piece.comment


def read(content: bytes) -> Archive:
    """Return a good archive as pieces."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return Archive(
            [Piece(info.filename, archive.read(info), info.compress_type == 8) for info in archive.infolist()]
        )
