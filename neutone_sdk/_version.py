"""The version, which stands in pyproject.toml and nowhere else."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed_version() -> str:
    """Sources that are not installed have a version that no operators have, and so are refused where those load."""
    try:
        return version("neutone_sdk")
    except PackageNotFoundError:
        return "unknown (not installed)"


__version__: Final = _installed_version()
