"""The command ``neutone`` and what its subcommands share."""

import sys
import warnings

import click

from neutone_command import EPILOG
from neutone_sdk._version import __version__
from neutone_sdk.cli.benchmark.group import benchmark
from neutone_sdk.cli.card import card
from neutone_sdk.cli.check import check
from neutone_sdk.cli.info import info
from neutone_sdk.cli.render import render
from neutone_sdk.cli.samples import samples
from neutone_sdk.cli.terminal import printable
from neutone_sdk.errors import NeutoneError


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="neutone")
def commands() -> None:
    """Look at, check and play models that neutone_sdk exported."""


commands.add_command(benchmark)
commands.add_command(card)
commands.add_command(check)
commands.add_command(info)
commands.add_command(render)
commands.add_command(samples)


def main() -> None:
    """Run the command line."""
    run(commands)


def run(command: click.Command) -> None:
    """Run a command; what the user can do something about is one line, not a traceback."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            command()
        except NeutoneError as error:
            click.echo(printable(f"Error: {error}"), err=True)
            sys.exit(1)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    click.echo(printable(f"Warning: {message}"), err=True)
