"""The terms of what is in a bundle, which have to go with it."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

_NAMES: Final = ("LICENSE", "LICENCE", "NOTICE", "COPYING")


def license_files(package: str) -> dict[Path, Path]:
    """Return the files with the terms of an installed package, by the names that they have in there."""
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        return {}
    inside = [file for file in files if file.parts[0].endswith(".dist-info") and file.name.startswith(_NAMES)]
    return {Path(*file.parts[1:]): Path(str(file.locate())) for file in inside}
