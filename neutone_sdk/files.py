"""Files: opened with readable errors, and written so that they are never half there."""

import glob
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from neutone_sdk.errors import ExportError, InvalidFileError

LEFTOVER_SECONDS: Final = 3600.0


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        InvalidFileError: There is none, it is a folder, a pipe or a device, or it cannot be read.
    """
    try:
        if path.is_file():  # opening a device does something to it
            file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115  # Path.open takes no opener
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file
            file.close()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}; check its name, and whether you may read it"
        raise InvalidFileError(msg) from error
    msg = f"{path} is not a file"
    raise InvalidFileError(msg)


def _open_at_once(name: str, flags: int) -> int:
    """Should a pipe have taken the place of the file meanwhile, do not wait for somebody to write to it."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def write_atomically(contents: dict[Path, bytes]) -> None:
    """Write files so that at any moment each is there as it was or as it will be, whole.

    All are written and flushed beside their places first; then they move there, in the order given, at once. If the
    process is killed meanwhile, some may be as they will be and others as they were; what lies beside them then goes
    with the next call, once it is an hour old and nobody can be writing it any more.

    Raises:
        ExportError: One cannot be written. All files are as they were, nothing is left behind.
    """
    moves: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            _remove_leftovers(path)
            moves[path] = _write_beside(path, content)
        _move_all(moves)
    finally:
        for temporary in moves.values():
            temporary.unlink(missing_ok=True)


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and return those that had to be made, innermost first.

    Raises:
        ExportError: It cannot be made.
    """
    try:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {folder}: {error.strerror or error}; choose one that you may write to"
        raise ExportError(msg) from error
    return missing


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
    with _naming(path):
        if path.is_dir():
            msg = f"cannot write {path}: there is a folder of that name; choose another place, or move it away"
            raise ExportError(msg)
        temporary = _beside(path)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return temporary


def _remove_leftovers(path: Path) -> None:
    """Of processes that were killed."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 16}.part"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_ctime > LEFTOVER_SECONDS:
                leftover.unlink()


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
