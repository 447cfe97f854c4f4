"""Damage to the file as bytes, and to the archive as a zip file."""

import random
import stat
import struct

from . import zips
from .zips import Archive, Piece

Random = random.Random


# Bytes


def truncated(rng: Random, good: bytes) -> bytes:
    return good[: rng.choice([rng.randrange(len(good)), len(good) - rng.randrange(1, 200)])]


def flipped(rng: Random, good: bytes) -> bytes:
    damaged = bytearray(good)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def flipped_near_the_end(rng: Random, good: bytes) -> bytes:
    """Where the directory is."""
    damaged = bytearray(good)
    for _ in range(rng.choice([1, 2, 4])):
        damaged[-rng.randrange(1, min(len(good), 4000))] = rng.randrange(256)
    return bytes(damaged)


def zeroed(rng: Random, good: bytes) -> bytes:
    start = rng.randrange(len(good))
    n_bytes = min(rng.choice([4, 512, 4096]), len(good) - start)
    return good[:start] + bytes(n_bytes) + good[start + n_bytes :]


def cut_out(rng: Random, good: bytes) -> bytes:
    start = rng.randrange(len(good))
    return good[:start] + good[start + rng.randrange(1, 5000) :]


def pushed_in(rng: Random, good: bytes) -> bytes:
    at = rng.choice([0, rng.randrange(len(good)), len(good)])
    return good[:at] + rng.randbytes(rng.randrange(1, 300)) + good[at:]


def doubled(rng: Random, good: bytes) -> bytes:
    return good + good[: rng.choice([len(good), rng.randrange(len(good))])]


def noise(rng: Random, good: bytes) -> bytes:
    heads = [b"", b"PK\x03\x04", b"PK\x05\x06", b"PYTORCH1", b"\x80\x02", good[:200]]
    return rng.choice(heads) + rng.randbytes(rng.choice([0, 1, 22, 100, 5000]))


# The zip file


def lying_sizes(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = rng.choice(archive.pieces)
    lie = rng.choice([0, 1, len(piece.content) - 1, len(piece.content) + 1, 2**31 - 1, 2**32 - 1, 2**32 - 2])
    for which in rng.sample(["size", "stored_size", "local_size", "crc"], rng.choice([1, 1, 2, 3])):
        setattr(piece, which, max(0, lie))
    return archive.write()


def zip64_lies(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = rng.choice(archive.pieces)
    huge = rng.choice([2**31, 2**33, 2**40, 2**63 - 1, 2**64 - 1])
    piece.size = piece.stored_size = 0xFFFFFFFF
    numbers = rng.choice([[huge, huge], [huge, len(piece.content)], [len(piece.content), huge], [huge], [huge] * 3])
    piece.extra = struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
    return archive.write()


def bomb(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    n_bytes = rng.choice([2**22, 2**25, 2**26])
    names = [".py", ".debug_pkl", "data.pkl", "metadata.json", "version", "constants.pkl", "data/0"]
    piece = rng.choice(archive.named(rng.choice(names)) or archive.pieces)
    piece.content = rng.choice([bytes(n_bytes), b"[" * n_bytes, b" " * n_bytes, b"N" * n_bytes, b"x," * (n_bytes // 2)])
    piece.is_deflated = True
    if rng.random() < 0.3:
        piece.size = rng.choice([10, 2**20, 2**31, 2**32 - 1])
    return archive.write()


def names_outside(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    names = ["../evil", "/etc/evil", "archive/../../evil", "C:\\evil", "archive\\evil", "archive/extra/../../../evil"]
    names += [
        "",
        ".",
        "archive//evil",
        "archive/\0evil",
        "archive/evil/",
        "~/evil",
        "a" * 60000,
        "archive/" + "d/" * 9000,
    ]
    name = rng.choice(names)
    if rng.random() < 0.5:
        archive.pieces.append(Piece(name, b"evil"))
    else:
        rng.choice(archive.pieces).name = name
    return archive.write()


def strange_members(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = rng.choice(archive.pieces)
    match rng.randrange(9):
        case 0:
            piece.attributes = rng.choice([stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFBLK]) << 16
        case 1:
            piece.flags |= rng.choice([0x1, 0x40, 0x2000])
        case 2:
            piece.method = rng.choice([1, 6, 9, 12, 14, 93, 99, 65535])
        case 3:
            piece.comment = b"x" * rng.choice([1, 60000])
        case 4:
            piece.extra = rng.randbytes(rng.choice([1, 4, 20, 60000]))
        case 5:
            piece.local_name = rng.choice(["archive/version", piece.name[:-1], "x" * 1000])
        case 6:
            piece.is_listed = False
        case 7:
            archive.pieces += [Piece(f"archive/extra/{index}", b"") for index in range(rng.choice([1000, 20_000]))]
        case 8:
            archive.pieces.append(Piece(piece.name.swapcase(), piece.content))
    return archive.write()


def duplicates(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = rng.choice(archive.pieces)
    twin = Piece(piece.name, rng.choice([piece.content, b"", b"other"]), piece.is_deflated)
    archive.pieces.insert(rng.randrange(len(archive.pieces) + 1), twin)
    return archive.write()


def overlapping(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = rng.choice(archive.pieces)
    piece.header_at = rng.choice([0, 1, rng.randrange(len(good)), len(good), 2**32 - 1])
    return archive.write()


def nested(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = rng.choice(archive.pieces)
    inner = good
    for _ in range(rng.randrange(3)):
        inner = Archive([Piece("archive/version", inner)]).write()
    if rng.random() < 0.5:
        piece.content = inner
        return archive.write()
    return Archive([Piece(rng.choice([piece.name, "archive/model.nm"]), inner)]).write()


def strange_ends(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    junk = rng.choice([b"x", rng.randbytes(100), good[:500], good[-22:], bytes(5000)])
    match rng.randrange(5):
        case 0:
            archive.before = junk
        case 1:
            archive.between = junk
        case 2:
            archive.after = junk
        case 3:
            archive.comment = junk[:1000] + good[-22:]
        case 4:
            archive.end = {
                rng.choice(["n", "n_here", "size", "start"]): rng.choice([0, 1, 65535, 2**32 - 1, len(good)])
            }
    return archive.write()


BYTES = (truncated, flipped, flipped_near_the_end, zeroed, cut_out, pushed_in, doubled, noise)
ZIP = (lying_sizes, zip64_lies, bomb, names_outside, strange_members, duplicates, overlapping, nested, strange_ends)
