"""Starts the command ``neutone``, and answers what needs no torch: importing that takes seconds.

It stands beside `neutone_sdk` because whatever lies in there imports torch first.
"""

import sys
from typing import Final

import click

# What the commands themselves say first; a test compares.
SUMMARIES: Final = {
    "benchmark": "Measure whether a model glitches, how fast and how late it is, and where its time goes.",
    "card": "Write a page about MODEL: what it is, how it sounds, how late and how fast it is.",
    "check": "Check that MODEL plays rightly in any host.",
    "info": "Show what MODEL says of itself.",
    "render": "Play the audio file IN through MODEL as a host does, and write OUT.",
    "samples": "Write the audio samples in MODEL to a folder: sample_in_0.mp3, sample_out_0.mp3 and so on.",
}

EPILOG: Final = "Where C++ programs find their parts: python -m neutone_sdk --cmake-dir | --include-dir | --ops-library"


@click.group(
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    commands=[click.Command(name, help=summary) for name, summary in SUMMARIES.items()],
)
@click.version_option(package_name="neutone_sdk", prog_name="neutone")
def outline() -> None:
    """Look at, check and play models that neutone_sdk exported."""


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] and sys.argv[1] in SUMMARIES:
        from neutone_sdk.cli import main as run  # noqa: PLC0415  # imports torch

        run()
    else:
        outline()
