"""Finds and loads the native operators, once."""

import platform
import re
import sys
from functools import cache
from pathlib import Path
from typing import Final

import torch

from neutone_sdk import _places
from neutone_sdk._version import __version__
from neutone_sdk.errors import OperatorLibraryError

OLDEST_TORCH: Final = (2, 10)


def ops_library_path() -> Path:
    """Return the file of the operator library that belongs to this package.

    Raises:
        OperatorLibraryError: It is not there.
    """
    path = _places.find(_places.OPERATORS)
    if path is None:
        raise OperatorLibraryError(_places.missing(_places.OPERATORS))
    return path


@cache
def load_ops_library() -> Path:
    """Register the operators ``torch.ops.neutone.*`` and return the file that belongs to this package.

    If the process has loaded a copy before, that one stays: torch would end the process if they were registered twice.

    Raises:
        OperatorLibraryError: The library is missing, torch is too old for it, or it was built for something else.
    """
    check_torch_version(torch.__version__)
    path = ops_library_path()
    if not hasattr(torch.ops.neutone, "version"):
        register_operators(path)
    check_operators_version(torch.ops.neutone.version(), "that this process has loaded")
    return path


def register_operators(path: Path) -> None:
    """Load an operator library.

    Raises:
        OperatorLibraryError: It is not one for this machine and torch.
    """
    try:
        torch.ops.load_library(path)
    except (OSError, RuntimeError) as error:
        reason = str(error.__cause__ or error)  # what the system says, if torch has put less around it
        msg = (
            f"cannot load the native operators of neutone_sdk from {path}\n"
            f"with torch {torch.__version__}, Python {sys.version.split()[0]}, {sys.platform}:\n"
            f"  {reason}\n{_remedy(reason)}"
        )
        raise OperatorLibraryError(msg) from error


def _remedy(reason: str) -> str:
    """Return what to do about a library that the system does not load."""
    lacking = re.search(r"version `((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found", reason)  # in the words of glibc
    if not lacking:
        return "If the file was built on another machine, reinstall the package here."
    here = " ".join(platform.libc_ver()).strip() or "another C library than glibc"
    return (
        f"The file needs a newer system: {lacking[1]}, where this one has {here}. Update the system, or build the "
        "package here, with a C++20 compiler: "
        "pip install --force-reinstall --no-deps --no-binary neutone_sdk neutone_sdk"
    )


def check_operators_version(version: str, where: str) -> None:
    """Raise unless the operators are those that this package was made with.

    Raises:
        OperatorLibraryError: They have another version; ``where`` says which they are.
    """
    if version != __version__:
        msg = (
            f"the operators {where} have version {version}, neutone_sdk has version {__version__}; "
            "install both from one package (pip install --force-reinstall neutone_sdk, or make build in a checkout)"
        )
        raise OperatorLibraryError(msg)


def check_torch_version(version: str) -> None:
    """Raise unless ``version`` is a torch that the operators run on.

    Raises:
        OperatorLibraryError: It is older than 2.10.
    """
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_TORCH:
        oldest = ".".join(map(str, OLDEST_TORCH))
        msg = f"neutone_sdk needs torch {oldest} or newer, found {version}; upgrade with: pip install 'torch>={oldest}'"
        raise OperatorLibraryError(msg)
