"""``neutone check``: whether a model does what hosts expect of it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from neutone_sdk.archive import read_metadata
from neutone_sdk.checks import CHECKS, ONLINE_CHECKS, Check, Report, Result, Status, Subject, run_checks
from neutone_sdk.cli.terminal import printable
from neutone_sdk.errors import InvalidFileError
from neutone_sdk.export import load_neutone_model

_NAMES = [check.name for check in (*CHECKS, *ONLINE_CHECKS)]


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--online", is_flag=True, help="Also check whether the links lead somewhere, over the network.")
@click.option("--only", "names", multiple=True, type=click.Choice(_NAMES), help="Run this check; may be repeated.")
def check(model: Path, as_json: bool, online: bool, names: tuple[str, ...]) -> None:
    """Check that MODEL plays rightly in any host. The model is run, so it has to come from somebody you trust.

    Exits with 1 if something failed, with 0 if all passed or there were warnings only.
    """
    wanted = [each for each in (*CHECKS, *(ONLINE_CHECKS if online else ())) if not names or each.name in names]
    if not wanted:
        raise click.UsageError("links are only checked with --online")
    load_neutone_model(model)  # what is no model at all is one line
    try:
        subject = Subject(model.read_bytes(), read_metadata(model))
    except OSError as error:
        raise InvalidFileError(f"{model} cannot be read: {error.strerror or error}") from error
    report = _run(subject, wanted)
    if as_json:
        click.echo(json.dumps({"model": str(model), **report.to_dict()}, indent=4))
    else:
        _print(report)
    sys.exit(0 if report.is_good else 1)


def _run(subject: Subject, wanted: list[Check]) -> Report:
    console = Console(stderr=True)
    if not console.is_terminal:
        return run_checks(subject, wanted)
    with console.status("checking") as status:
        return run_checks(subject, wanted, on_check=lambda each: status.update(f"checking {each.name}"))


def _print(report: Report) -> None:
    from neutone_sdk.checks.table import as_table  # noqa: PLC0415  # other commands need none

    shown = Report(tuple(_printable(result) for result in report.results))
    Console().print(as_table(shown))
    counts = [f"{len(found)} {status.value}" for status in Status if (found := report.of(status))]
    Console().print(Text(", ".join(counts)))


def _printable(result: Result) -> Result:
    """Models come from strangers, and errors quote them."""
    return replace(result, detail=printable(result.detail), remedy=printable(result.remedy))
