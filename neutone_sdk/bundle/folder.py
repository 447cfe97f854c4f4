"""A folder that is there whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neutone_sdk.bundle.identity import FILE_NAME
from neutone_sdk.errors import BundleError


def check_place(output: Path, *, force: bool) -> None:
    """Raise unless a bundle may be put there.

    Raises:
        BundleError: Something is there already, and it is no bundle or shall stay.
    """
    if not os.path.lexists(output):
        return
    if not force:
        msg = f"{output} is there already; choose another name, or replace it with --force"
        raise BundleError(msg)
    if output.is_symlink() or not any(output.rglob(FILE_NAME)):
        msg = f"{output} is there already and is no bundle, so that it is not replaced; move it away yourself"
        raise BundleError(msg)


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes ``output``, in the place of what is there, when nothing went wrong.

    Raises:
        BundleError: Something cannot be written. All is as it was.
    """
    temporary = _beside(output, "part")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _replace(output, temporary)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        msg = f"cannot write {output}: {error.strerror or error}{place}; make room, or choose another place"
        raise BundleError(msg) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(output: Path, temporary: Path) -> None:
    if not os.path.lexists(output):
        temporary.rename(output)
        return
    old = _beside(output, "old")
    output.rename(old)
    try:
        temporary.rename(output)
    except BaseException:
        old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _beside(output: Path, suffix: str) -> Path:
    return output.with_name(f".{output.name}.{secrets.token_hex(8)}.{suffix}")
