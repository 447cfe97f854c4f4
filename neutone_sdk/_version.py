"""The version, which stands in pyproject.toml and nowhere else."""

from importlib.metadata import version
from typing import Final

__version__: Final = version("neutone_sdk")
