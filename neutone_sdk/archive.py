"""Reads a ``.nm`` file without running anything in it, and writes files that are never half there."""

import json
import os
import secrets
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from neutone_sdk.errors import ExportError, InvalidFileError

METADATA_NAME: Final = "metadata.json"
MAX_METADATA_BYTES: Final = 64 * 2**20  # room for embedded samples; more is not a model card but an attack


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Return the metadata of a ``.nm`` file; nothing in the file is run or unpickled.

    Raises:
        InvalidFileError: The file is missing or damaged, is no TorchScript archive, or has no metadata.
    """
    path = Path(path)
    if not path.is_file():
        msg = f"{path} is not a file"
        raise InvalidFileError(msg)
    try:
        with zipfile.ZipFile(path) as archive:
            text = _metadata_text(path, archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        msg = f"{path} is not a model: it is damaged, truncated, or no TorchScript archive ({error})"
        raise InvalidFileError(msg) from error
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{path}: its {METADATA_NAME} is not JSON ({error})"
        raise InvalidFileError(msg) from error
    if not isinstance(metadata, dict):
        msg = f"{path}: its {METADATA_NAME} must hold an object, got {type(metadata).__name__}"
        raise InvalidFileError(msg)
    return metadata


def _metadata_text(path: Path, archive: zipfile.ZipFile) -> bytes:
    names = [info for info in archive.infolist() if info.filename.split("/")[1:] == ["extra", METADATA_NAME]]
    if len(names) != 1:
        kind = "a TorchScript file without metadata" if _is_torchscript(archive) else "a zip file, but no model"
        msg = f"{path} is {kind}; export it with save_neutone_model"
        raise InvalidFileError(msg)
    if names[0].file_size > MAX_METADATA_BYTES:
        msg = f"{path}: its {METADATA_NAME} claims {names[0].file_size} bytes, at most {MAX_METADATA_BYTES} are allowed"
        raise InvalidFileError(msg)
    return archive.read(names[0])


def _is_torchscript(archive: zipfile.ZipFile) -> bool:
    return any(name.split("/")[1:] == ["constants.pkl"] for name in archive.namelist())


def write_atomically(contents: dict[Path, bytes]) -> None:
    """Write files so that at any moment each is there as it was or as it will be, whole.

    All are written and flushed beside their places first; then they move there, in the order given, at once.

    Raises:
        ExportError: One cannot be written. All files are as they were, nothing is left behind.
    """
    moves: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            if path.is_dir():
                msg = f"cannot write {path}: there is a folder of that name; choose another place, or move it away"
                raise ExportError(msg)
            moves[path] = _write_beside(path, content)
        for path, temporary in moves.items():
            temporary.replace(path)
    except OSError as error:
        raise _cannot_write(next(iter(contents)), error) from error
    finally:
        for temporary in moves.values():
            temporary.unlink(missing_ok=True)


def _write_beside(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _cannot_write(path: Path, error: OSError) -> ExportError:
    return ExportError(f"cannot write {path}: {error.strerror or error}; choose a folder that you may write to")
