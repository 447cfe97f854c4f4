"""The command ``neutone``."""

from neutone_sdk.cli.main import main

__all__ = ["main"]
