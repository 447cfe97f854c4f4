"""Reads a ``.nm`` file without running anything in it, and writes files that are never half there."""

import json
import math
import os
import reprlib
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import ExportError, InvalidFileError

METADATA_NAME: Final = "metadata.json"
MAX_METADATA_BYTES: Final = 64 * 2**20  # room for embedded samples; more is not a model card but an attack


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        InvalidFileError: There is none, or it cannot be read.
    """
    try:
        if path.is_file():
            return path.open("rb")
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}; check its name, and whether you may read it"
        raise InvalidFileError(msg) from error
    msg = f"{path} is not a file"
    raise InvalidFileError(msg)


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Return the metadata of a ``.nm`` file; nothing in the file is run or unpickled.

    Files of the 1.x SDK are welcome: keys may be missing, and numbers and booleans may be texts.

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
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{path}: its {METADATA_NAME} is not JSON ({error})"
        raise InvalidFileError(msg) from error
    if not isinstance(metadata, dict):
        msg = f"{path}: its {METADATA_NAME} must hold an object, got {type(metadata).__name__}"
        raise InvalidFileError(msg)
    problem = _problem(metadata)
    if problem:
        msg = f"{path}: in its {METADATA_NAME}, {problem}; export it again with save_neutone_model"
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
    if names[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = f"{path} is not a model: its {METADATA_NAME} is compressed as torch never does"
        raise InvalidFileError(msg)
    return archive.read(names[0])


def _is_torchscript(archive: zipfile.ZipFile) -> bool:
    return any(name.split("/")[1:] == ["constants.pkl"] for name in archive.namelist())


class _Shape(NamedTuple):
    """What belongs under a key."""

    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    """JSON may hold halves of surrogate pairs, which cannot be shown."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


_TEXT = _Shape("a text", _is_text)
_TEXTS = _Shape("a list of texts", lambda value: _is_list(value, _is_text))
_NUMBER = _Shape("a number", _is_number)
_NUMBERS = _Shape("a list of numbers", lambda value: _is_list(value, _is_number))
_LINKS = _Shape(
    "an object of texts", lambda value: isinstance(value, dict) and _is_list([*value, *value.values()], _is_text)
)
_PARAMETERS = _Shape(
    "an object of objects",
    lambda value: isinstance(value, dict) and _is_list([*value.values()], lambda each: isinstance(each, dict)),
)

_SHAPES: Final = {
    "model_name": _TEXT,
    "model_authors": _TEXTS,
    "model_version": _TEXT,
    "model_short_description": _TEXT,
    "model_long_description": _TEXT,
    "technical_description": _TEXT,
    "technical_links": _LINKS,
    "tags": _TEXTS,
    "citation": _TEXT,
    "is_experimental": _Shape("true or false", lambda value: str(value).lower() in {"true", "false", "1", "0"}),
    "model_type": _TEXT,
    "native_sample_rates": _NUMBERS,
    "native_buffer_sizes": _NUMBERS,
    "look_behind_samples": _NUMBER,
    "sdk_version": _TEXT,
    "pytorch_version": _TEXT,
    "neutone_parameters": _PARAMETERS,
}
_PARAMETER_SHAPES: Final = {
    "name": _TEXT,
    "description": _TEXT,
    "type": _TEXT,
    "min_value": _NUMBER,
    "max_value": _NUMBER,
    "n_values": _NUMBER,
    "labels": _TEXTS,
}


def is_numerical(parameter: dict[str, Any]) -> bool:
    """Return whether a parameter, given as its metadata, is a knob or a menu; files of 1.x may not say."""
    return parameter.get("type") not in ("text", "tokens")


def parameter_range(parameter: dict[str, Any]) -> tuple[float, float]:
    """Return what 0 and 1 stand for, from the metadata of a numerical parameter."""
    given = _without_nulls(parameter)
    if "n_values" in given:
        return 0.0, float(given["n_values"]) - 1.0
    return float(given.get("min_value", 0.0)), float(given.get("max_value", 1.0))


def _without_nulls(parameter: dict[str, Any]) -> dict[str, Any]:
    """1.x says null where a key belongs to another kind of parameter."""
    return {key: value for key, value in parameter.items() if value is not None}


def _problem(metadata: dict[str, Any]) -> str:
    """Say what is wrong with the first key that holds what it should not, or nothing."""
    problem = _shape_problem(metadata, _SHAPES)
    parameters = {} if problem else metadata.get("neutone_parameters", {})
    for key, parameter in parameters.items():
        problem = _parameter_problem(parameter)
        if problem:
            return f"neutone_parameters[{key!r}].{problem}"
    n_numerical = sum(map(is_numerical, parameters.values()))
    if n_numerical > MAX_N_PARAMS:
        return f"neutone_parameters must hold at most {MAX_N_PARAMS} knobs and menus, got {n_numerical}"
    return problem


def _shape_problem(values: dict[str, Any], shapes: dict[str, _Shape]) -> str:
    for key, shape in shapes.items():
        if key in values and not shape.fits(values[key]):
            return f"{key} must be {shape.words}, got {reprlib.repr(values[key])}"
    return ""


def _parameter_problem(parameter: dict[str, Any]) -> str:
    given = _without_nulls(parameter)
    problem = _shape_problem({"name": None, **given}, _PARAMETER_SHAPES)
    if problem or not is_numerical(given):
        return problem
    lowest, highest = parameter_range(given)
    if not lowest < highest:
        return f"min_value must be below max_value, got {lowest:g} and {highest:g}"
    default: Any = given.get("default_value")
    if not _is_number(default) or not lowest <= float(default) <= highest:
        return f"default_value must be a number in [{lowest:g}, {highest:g}], got {reprlib.repr(default)}"
    n_labels = len(given.get("labels", []))
    if n_labels and n_labels != highest + 1:
        return f"labels must be one for each of {highest + 1:g} values, got {n_labels}"
    return ""


def write_atomically(contents: dict[Path, bytes]) -> None:
    """Write files so that at any moment each is there as it was or as it will be, whole.

    All are written and flushed beside their places first; then they move there, in the order given, at once.

    Raises:
        ExportError: One cannot be written. All files are as they were, nothing is left behind.
    """
    moves: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            moves[path] = _write_beside(path, content)
        _move_all(moves)
    finally:
        for temporary in moves.values():
            temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise what `write_atomically` would, as far as can be told before there is something to write.

    Raises:
        ExportError: There is a folder of that name, or no file can be made beside it.
    """
    _write_beside(path, b"").unlink()


def _move_all(moves: dict[Path, Path]) -> None:
    """Move files to their places; if one cannot go there, those before it are put back."""
    kept: dict[Path, Path] = {}
    moved: list[Path] = []
    try:
        for path, temporary in moves.items():
            with _naming(path):
                if os.path.lexists(path) and len(moves) > 1:  # one alone moves or does not
                    kept[path] = _second_name(path)
                temporary.replace(path)
            moved.append(path)
    except BaseException:
        for path in moved:
            with _naming(path):
                kept[path].replace(path) if path in kept else path.unlink()
        raise
    finally:
        for second_name in kept.values():
            second_name.unlink(missing_ok=True)


def _second_name(path: Path) -> Path:
    """Let a file stay when another takes its place."""
    second_name = _beside(path)
    try:
        second_name.hardlink_to(path)
    except OSError:  # some file systems have no links
        shutil.copy2(path, second_name)
    return second_name


def _write_beside(path: Path, content: bytes) -> Path:
    temporary = _beside(path)
    with _naming(path):
        if path.is_dir():
            msg = f"cannot write {path}: there is a folder of that name; choose another place, or move it away"
            raise ExportError(msg)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return temporary


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error of the system say which file it is about."""
    try:
        yield
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}; choose a place that you may write to"
        raise ExportError(msg) from error
