"""Reads a ``.nm`` file without running anything in it."""

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from neutone_sdk.errors import InvalidFileError
from neutone_sdk.files import open_file
from neutone_sdk.metadata import parse_metadata
from neutone_sdk.torchscript.directory import Member, read_directory, read_member
from neutone_sdk.torchscript.judge import judge_archive
from neutone_sdk.torchscript.refusal import DamagedError, RefusedError

METADATA_NAME: Final = "metadata.json"
MAX_METADATA_BYTES: Final = 16 * 2**20  # room for embedded samples; more is not a model card but an attack


class ModelFile(NamedTuple):
    """A file that has been judged, and of which nothing has been run."""

    content: bytes
    metadata: dict[str, Any]
    operators: set[str]  # called by name, as "namespace::name"


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Return the metadata of a ``.nm`` file; nothing in the file is run or unpickled, and little of it is read.

    Files of the 1.x SDK are welcome: keys may be missing; numbers and booleans that are texts there come as such.

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
    return parse_metadata(text, str(path))


def _metadata_member(path: Path, members: dict[str, Member]) -> Member:
    found = [member for name, member in members.items() if name.split("/")[1:] == ["extra", METADATA_NAME]]
    if len(found) != 1:
        is_torchscript = any(name.split("/")[1:] == ["constants.pkl"] for name in members)
        kind = "a TorchScript file without metadata" if is_torchscript else "a zip file, but no model"
        msg = f"{path} is {kind}; export it with save_neutone_model"
        raise InvalidFileError(msg)
    return found[0]
