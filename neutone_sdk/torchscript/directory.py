"""The directory of a zip archive, read so that no two readers can see two archives in one file.

Python and torch read zip files by different rules: where they differ, what was judged is not what is loaded. So only
the plain form is let through, which torch and ``zipfile`` write: members one after the other from the first byte on,
then the directory, then its end, and nothing between, before or after.
"""

import os
import re
import stat
import struct
import zlib
from typing import BinaryIO, Final, NamedTuple

from neutone_sdk.torchscript.refusal import DamagedError, refuse_unless

MAX_FILE_BYTES: Final = 2**31  # of weights, uncompressed; more is no model for a DAW
MAX_MEMBERS: Final = 16_384
MAX_DIRECTORY_BYTES: Final = 4 * 2**20
MAX_NAME_BYTES: Final = 512
_MAX_INFLATION: Final = 1032  # by deflate

STORED: Final = 0
DEFLATED: Final = 8
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_HAS_DESCRIPTOR: Final = 0x8
_UTF8: Final = 0x800

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_LOCATOR64: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_MAX_DESCRIPTOR: Final = 24
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f\\:]+")


class Member(NamedTuple):
    """Where a member lies and what its bytes must be."""

    name: str
    start: int
    end: int
    size: int
    method: int
    crc: int

    @property
    def stored_size(self) -> int:
        """Bytes that it takes in the file."""
        return self.end - self.start


class _Entry(NamedTuple):
    """What the directory says of a member."""

    name: str
    flags: int
    method: int
    crc: int
    stored_size: int
    size: int
    header_at: int


class _Span(NamedTuple):
    """What the end of an archive says of its directory."""

    start: int
    size: int
    n_members: int


def read_directory(file: BinaryIO) -> dict[str, Member]:
    """Return the members of an archive by name, in the order of the file.

    Reads the directory and the header of each member, no contents; memory and time are bounded whatever the file says.

    Raises:
        DamagedError: The archive is damaged, or not in the plain form.
    """
    file_size = file.seek(0, os.SEEK_END)
    _require(file_size <= MAX_FILE_BYTES, f"it has {file_size} bytes, at most {MAX_FILE_BYTES} are allowed")
    span = _find_directory(file, file_size)
    entries = _read_entries(_read(file, span.start, span.size), span.n_members)
    members: dict[str, Member] = {}
    at = 0
    for entry in sorted(entries, key=lambda each: each.header_at):
        gap = entry.header_at - at
        _require(0 <= gap <= (_MAX_DESCRIPTOR if at else 0), f"something lies before {entry.name!r}, or overlaps it")
        member = _locate(file, entry)
        members[entry.name] = member
        at = member.end
    _require(
        0 <= span.start - at <= (_MAX_DESCRIPTOR if at else 0), "its members do not end where its directory starts"
    )
    _check_names(list(members), len(entries))
    return members


def read_member(file: BinaryIO, member: Member, max_bytes: int) -> bytes:
    """Return the contents of a member.

    Raises:
        DamagedError: They are more than ``max_bytes``, not as many as the directory says, or damaged.
    """
    _require(member.size <= max_bytes, f"{member.name!r} claims {member.size} bytes, at most {max_bytes} are allowed")
    content = _read(file, member.start, member.stored_size)
    if member.method == DEFLATED:
        content = _inflate(member, content)
    is_whole = len(content) == member.size and zlib.crc32(content) == member.crc
    _require(is_whole, f"the contents of {member.name!r} are damaged")
    return content


def check_stored(content: bytes, member: Member) -> None:
    """Refuse a damaged member of an archive in memory, without copying it.

    Raises:
        DamagedError: It is damaged.
    """
    crc = zlib.crc32(memoryview(content)[member.start : member.end])
    _require(crc == member.crc, f"the contents of {member.name!r} are damaged")


def _inflate(member: Member, content: bytes) -> bytes:
    """One byte more than promised is enough to know a liar."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, member.size + 1)
    except zlib.error as error:
        raise DamagedError(f"the contents of {member.name!r} are damaged ({error})") from error
    _require(inflater.eof and not inflater.unused_data, f"the contents of {member.name!r} are not as long as said")
    return inflated


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    content = file.read(size)
    _require(len(content) == size, "it ends before it should")
    return content


def _find_directory(file: BinaryIO, file_size: int) -> _Span:
    """The end must be the last bytes: a comment could hide a second end."""
    _require(file_size >= _END.size, "it is too short for a zip archive")
    end_at = file_size - _END.size
    signature, disk, start_disk, n_here, n_members, size, start, comment = _END.unpack(_read(file, end_at, _END.size))
    _require(signature == b"PK\x05\x06" and not comment, "it does not end as a zip archive without comment does")
    _require(not disk and not start_disk and n_here == n_members, "it is a part of an archive in several files")
    span = _Span(start, size, n_members)
    directory_end = end_at
    locator_at = end_at - _LOCATOR64.size
    locator = _read(file, locator_at, _LOCATOR64.size) if locator_at >= 0 else b""
    if locator.startswith(b"PK\x06\x07"):
        span, directory_end = _find_directory64(file, locator, locator_at, span)
    _require(span.start + span.size == directory_end, "its directory is not where its end says")
    _require(span.n_members <= MAX_MEMBERS, f"it has {span.n_members} members, at most {MAX_MEMBERS} are allowed")
    _require(span.size <= MAX_DIRECTORY_BYTES, f"its directory has {span.size} bytes")
    return span


def _find_directory64(file: BinaryIO, locator: bytes, locator_at: int, short: _Span) -> tuple[_Span, int]:
    """Some readers prefer the 64-bit numbers, some the short ones: they must agree."""
    _, disk, end64_at, n_disks = _LOCATOR64.unpack(locator)
    _require(not disk and n_disks == 1, "it is a part of an archive in several files")
    _require(end64_at == locator_at - _END64.size, "its 64-bit end is not where it says")
    signature, size64, _, _, disk, start_disk, n_here, n_members, size, start = _END64.unpack(
        _read(file, end64_at, _END64.size)
    )
    _require(signature == b"PK\x06\x06" and size64 == _END64.size - 12, "its 64-bit end is damaged")
    _require(not disk and not start_disk and n_here == n_members, "it is a part of an archive in several files")
    span = _Span(start, size, n_members)
    limits = _Span(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFF)
    agrees = all(given in (long, limit) for given, long, limit in zip(short, span, limits, strict=True))
    _require(agrees, "its 32-bit and 64-bit ends contradict each other")
    return span, end64_at


def _read_entries(directory: bytes, n_members: int) -> list[_Entry]:
    entries = []
    at = 0
    for _ in range(n_members):
        _require(at + _CENTRAL.size <= len(directory), "its directory is too short")
        fields = _CENTRAL.unpack_from(directory, at)
        signature, _, _, flags, method, _, _, crc, stored, size, n_name, n_extra, n_comment, disk, _, kind, start = (
            fields
        )
        _require(signature == b"PK\x01\x02", "its directory is damaged")
        name_end = at + _CENTRAL.size + n_name
        name = _decode_name(directory[at + _CENTRAL.size : name_end], flags)
        _require(not n_comment and not disk, f"{name!r} has a comment, or lies in another file")
        is_file = stat.S_IFMT(kind >> 16) in (0, stat.S_IFREG)
        _require(is_file, f"{name!r} is a link, a folder or a device")
        size, stored, start = _widen(name, directory[name_end : name_end + n_extra], (size, stored, start))
        entries.append(_Entry(name, flags, method, crc, stored, size, start))
        at = name_end + n_extra
    _require(at == len(directory), "its directory is longer than its members")
    return entries


def _decode_name(raw: bytes, flags: int) -> str:
    _require(0 < len(raw) <= MAX_NAME_BYTES, f"a member has a name of {len(raw)} bytes")
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise DamagedError(f"{raw!r} is no name") from error
    parts = name.split("/")
    is_plain = _NAME.fullmatch(name) and not any(part in ("", ".", "..") for part in parts)
    _require(is_plain, f"{name!r} is no name that torch gives: folders, '..', '\\' and ':' are not allowed")
    return name


def _check_names(names: list[str], n_entries: int) -> None:
    """Torch looks names up without regard to case."""
    _require(len(names) == n_entries, "two members have the same name")
    folded = {name.lower() for name in names}
    _require(len(folded) == n_entries, "the names of two members differ in case only, which torch does not see")


def _widen(name: str, extra: bytes, short: tuple[int, int, int]) -> tuple[int, int, int]:
    """Numbers of all ones stand for those in a 64-bit field, which holds no others."""
    field = b""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            _require(not field, f"{name!r} has two 64-bit fields")
            field = extra[at + 4 : at + 4 + length]
        at += 4 + length
    _require(at == len(extra), f"the extra field of {name!r} is damaged")
    n_wide = short.count(0xFFFFFFFF)
    _require(len(field) == 8 * n_wide, f"the 64-bit sizes of {name!r} contradict the short ones")
    wide = iter(struct.unpack(f"<{n_wide}Q", field))
    size, stored, start = (next(wide) if value == 0xFFFFFFFF else value for value in short)
    return size, stored, start


def _locate(file: BinaryIO, entry: _Entry) -> Member:
    """What stands before the contents must say the same as the directory, or leave it to the directory."""
    name = entry.name
    _require(not entry.flags & _ENCRYPTED, f"{name!r} is encrypted")
    _require(entry.method in (STORED, DEFLATED), f"{name!r} is compressed as torch never does")
    is_plausible = entry.size == entry.stored_size if entry.method == STORED else entry.size <= _most_inflated(entry)
    _require(is_plausible, f"{name!r} claims {entry.size} bytes, made of {entry.stored_size}")
    header = _LOCAL.unpack(_read(file, entry.header_at, _LOCAL.size))
    signature, _, flags, method, _, _, crc, stored, size, n_name, n_extra = header
    start = entry.header_at + _LOCAL.size + n_name + n_extra
    end = start + entry.stored_size
    says_same = (flags, method) == (entry.flags, entry.method) and all(
        local in (value, 0xFFFFFFFF, 0 if flags & _HAS_DESCRIPTOR else value)
        for local, value in ((crc, entry.crc), (stored, entry.stored_size), (size, entry.size))
    )
    is_here = signature == b"PK\x03\x04" and _read(file, entry.header_at + _LOCAL.size, n_name) == _encode_name(entry)
    _require(is_here and says_same, f"the header of {name!r} contradicts the directory")
    return Member(name, start, end, entry.size, entry.method, entry.crc)


def _most_inflated(entry: _Entry) -> int:
    return _MAX_INFLATION * entry.stored_size


def _encode_name(entry: _Entry) -> bytes:
    return entry.name.encode("utf-8" if entry.flags & _UTF8 else "ascii")


def _require(condition: object, reason: str) -> None:
    refuse_unless(condition, reason, DamagedError)
