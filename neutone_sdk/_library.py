"""Finds and loads the native operators, once."""

import sys
from functools import cache
from pathlib import Path
from typing import Final

import torch

from neutone_sdk.errors import OperatorLibraryError

OLDEST_TORCH: Final = (2, 10)
_FILE_NAMES: Final = {"win32": "neutone_ops.dll", "darwin": "libneutone_ops.dylib"}


def ops_library_path() -> Path:
    """Return the file of the operator library that belongs to this package.

    Raises:
        OperatorLibraryError: It is not there.
    """
    file_name = _FILE_NAMES.get(sys.platform, "libneutone_ops.so")
    folders = _package_folders()
    for folder in folders:
        if (folder / file_name).is_file():
            return folder / file_name
    tried = "\n".join(f"  {folder / file_name}" for folder in folders)
    msg = (
        f"the native operators of neutone_sdk are not built. Looked for\n{tried}\n"
        "Install the package (pip install neutone_sdk), or build it from a checkout (make build)."
    )
    raise OperatorLibraryError(msg)


def _package_folders() -> list[Path]:
    """An editable install has two: the sources, and what was built from them."""
    return [Path(folder) for folder in sys.modules[__package__].__path__]


@cache
def load_ops_library() -> Path:
    """Register the operators ``torch.ops.neutone.*`` and return the file that they came from.

    Raises:
        OperatorLibraryError: The library is missing, torch is too old for it, or it was built for something else.
    """
    check_torch_version(torch.__version__)
    path = ops_library_path()
    try:
        torch.ops.load_library(path)
    except (OSError, RuntimeError) as error:
        msg = (
            f"cannot load the native operators of neutone_sdk from {path}\n"
            f"with torch {torch.__version__}, Python {sys.version.split()[0]}, {sys.platform}:\n"
            f"  {error}\n"
            "If the file was built on another machine, reinstall the package here. If the error says that neutone is\n"
            "registered twice, this process has already loaded another copy: keep one."
        )
        raise OperatorLibraryError(msg) from error
    return path


def check_torch_version(version: str) -> None:
    """Raise unless ``version`` is a torch that the operators run on.

    Raises:
        OperatorLibraryError: It is older than 2.10.
    """
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_TORCH:
        oldest = ".".join(map(str, OLDEST_TORCH))
        msg = f"neutone_sdk needs torch {oldest} or newer, found {version}; upgrade with: pip install 'torch>={oldest}'"
        raise OperatorLibraryError(msg)
