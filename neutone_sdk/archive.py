"""Reads a ``.nm`` file without running anything in it."""

import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from neutone_sdk.errors import InvalidFileError
from neutone_sdk.files import open_file
from neutone_sdk.metadata import parse_metadata

METADATA_NAME: Final = "metadata.json"
MAX_METADATA_BYTES: Final = 64 * 2**20  # room for embedded samples; more is not a model card but an attack


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Return the metadata of a ``.nm`` file; nothing in the file is run or unpickled.

    Files of the 1.x SDK are welcome: keys may be missing; numbers and booleans that are texts there come as such.

    Raises:
        InvalidFileError: The file is missing, cannot be read, is damaged, is no TorchScript archive, or has no
            metadata; or what the metadata holds under a key that this package reads is nothing that belongs there.
    """
    path = Path(path)
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            text = _metadata_text(path, archive)
    except InvalidFileError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        msg = f"{path} is not a model: it is damaged, truncated, or no TorchScript archive ({error})"
        raise InvalidFileError(msg) from error
    return parse_metadata(text, str(path))


def _metadata_text(path: Path, archive: zipfile.ZipFile) -> bytes:
    names = [info for info in archive.infolist() if info.filename.split("/")[1:] == ["extra", METADATA_NAME]]
    if len(names) != 1:
        kind = "a TorchScript file without metadata" if _is_torchscript(archive) else "a zip file, but no model"
        msg = f"{path} is {kind}; export it with save_neutone_model"
        raise InvalidFileError(msg)
    if names[0].file_size > MAX_METADATA_BYTES:
        msg = f"{path}: its {METADATA_NAME} claims {names[0].file_size} bytes, at most {MAX_METADATA_BYTES} are allowed"
        raise InvalidFileError(msg)
    if names[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = f"{path} is not a model: its {METADATA_NAME} is compressed as torch never does"
        raise InvalidFileError(msg)
    return archive.read(names[0])


def _is_torchscript(archive: zipfile.ZipFile) -> bool:
    return any(name.split("/")[1:] == ["constants.pkl"] for name in archive.namelist())
