"""Reads a ``.nm`` file without running anything in it."""

import io
import json
import os
import re
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from neutone_sdk.errors import InvalidFileError
from neutone_sdk.files import open_file
from neutone_sdk.metadata import problem_in
from neutone_sdk.torchscript.directory import Member, read_directory, read_member
from neutone_sdk.torchscript.judge import judge_archive
from neutone_sdk.torchscript.refusal import DamagedError, RefusedError, refuse_unless

METADATA_NAME: Final = "metadata.json"
MAX_METADATA_BYTES: Final = 16 * 2**20  # room for embedded samples; more is not a model card but an attack
MAX_METADATA_VALUES: Final = 20_000
MAX_METADATA_DEPTH: Final = 32
MAX_DIGITS: Final = 500  # a double has 309 before the point


class ModelFile(NamedTuple):
    """A file that has been judged, and of which nothing has been run."""

    content: bytes
    metadata: dict[str, Any]
    operators: set[str]  # called by name, as "namespace::name"


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Return the metadata of a ``.nm`` file; nothing in the file is run or unpickled, and little of it is read.

    Files of the 1.x SDK are welcome: keys may be missing, and numbers and booleans may be texts.

    Raises:
        InvalidFileError: The file is missing, cannot be read, is damaged, is no TorchScript archive, or has no
            metadata; or what the metadata holds under a key that this package reads is nothing that belongs there.
    """
    path = Path(path)
    with open_file(path) as file:
        return _metadata_of(path, file)


def read_model(path: Path | str) -> ModelFile:
    """Return a ``.nm`` file as it may be given to torch: read once and judged, nothing in it run or unpickled.

    Raises:
        InvalidFileError: As `read_metadata`; or the file is not one that torch wrote, or loading it could do harm.
    """
    path = Path(path)
    with open_file(path) as file:
        _members_of(path, file)  # says how long the file may be, before it is read
        content = _read_whole(path, file)
    metadata = _metadata_of(path, io.BytesIO(content))
    try:
        return ModelFile(content, metadata, judge_archive(content))
    except DamagedError as error:
        raise _damaged(path, error) from error
    except RefusedError as error:
        msg = f"{path} cannot be loaded: {error}. Torch writes no such files: ask who made it, or export it again"
        raise InvalidFileError(msg) from error


def _read_whole(path: Path, file: BinaryIO) -> bytes:
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return file.read(size)
    except OSError as error:
        raise _damaged(path, error) from error
    except MemoryError as error:
        msg = f"{path} cannot be read: its {size} bytes do not fit into memory"
        raise InvalidFileError(msg) from error


def _members_of(path: Path, file: BinaryIO) -> dict[str, Member]:
    try:
        return read_directory(file)
    except (DamagedError, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InvalidFileError:
    return InvalidFileError(f"{path} is not a model: it is damaged, truncated, or no TorchScript archive ({error})")


def _metadata_of(path: Path, file: BinaryIO) -> dict[str, Any]:
    member = _metadata_member(path, _members_of(path, file))
    try:
        text = read_member(file, member, MAX_METADATA_BYTES)
    except (DamagedError, OSError) as error:
        raise _damaged(path, error) from error
    metadata = _parse(path, text)
    problem = problem_in(metadata)
    if problem:
        msg = f"{path}: in its {METADATA_NAME}, {problem}; export it again with save_neutone_model"
        raise InvalidFileError(msg)
    return metadata


def _metadata_member(path: Path, members: dict[str, Member]) -> Member:
    found = [member for name, member in members.items() if name.split("/")[1:] == ["extra", METADATA_NAME]]
    if len(found) != 1:
        is_torchscript = any(name.split("/")[1:] == ["constants.pkl"] for name in members)
        kind = "a TorchScript file without metadata" if is_torchscript else "a zip file, but no model"
        msg = f"{path} is {kind}; export it with save_neutone_model"
        raise InvalidFileError(msg)
    return found[0]


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        _check_structure(text)
        metadata = json.loads(text.decode(), parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        msg = f"{path}: its {METADATA_NAME} is not JSON ({error})"
        raise InvalidFileError(msg) from error
    if not isinstance(metadata, dict):
        msg = f"{path}: its {METADATA_NAME} must hold an object, got {type(metadata).__name__}"
        raise InvalidFileError(msg)
    return metadata


def _check_structure(text: bytes) -> None:
    """Lists of nothing take a hundred times the memory of their text, and deep ones break what walks them."""
    without_escapes = text.replace(rb"\\", b"").replace(rb"\"", b"")
    structure = re.sub(rb'"[^"]*"', b"", without_escapes)
    n_values = sum(map(structure.count, (b"[", b"{", b",")))
    refuse_unless(n_values <= MAX_METADATA_VALUES, f"more than {MAX_METADATA_VALUES} values are not a model's")
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", structure):
        depth += 1 if bracket in b"[{" else -1
        refuse_unless(depth <= MAX_METADATA_DEPTH, f"it is nested more than {MAX_METADATA_DEPTH} deep")


def _parse_int(digits: str) -> int:
    refuse_unless(len(digits) <= MAX_DIGITS, f"a number of {len(digits)} digits")
    return int(digits)
