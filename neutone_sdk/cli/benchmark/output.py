"""What the benchmarks show, and how they end before their time."""

import platform
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from neutone_sdk._version import __version__
from neutone_sdk.benchmark.job import Job, n_usable_cores
from neutone_sdk.cli.terminal import printable
from neutone_sdk.errors import NeutoneError

MIN_WIDTH: Final = 120  # cells are not cut, even if a terminal has to break the lines
T = TypeVar("T")


def gather(results: Generator[T, None, None], on_result: Callable[[T], object]) -> BaseException | None:
    """Hand on results until there are no more. What ended them before their time is returned, for `finish`."""
    try:
        with closing(results):
            for result in results:
                on_result(result)
    except (KeyboardInterrupt, NeutoneError) as error:
        return error
    return None


def finish(error: BaseException | None, *, has_any: bool) -> None:
    """After what there is has been shown, end as the error wants it."""
    if isinstance(error, KeyboardInterrupt):
        what = "this is what was measured until then" if has_any else "nothing was measured until then"
        click.echo(f"Error: interrupted; {what}", err=True)
        sys.exit(1)
    if error is not None:
        raise error


def show(table: Table) -> None:
    """Print a table whole."""
    console = Console()
    console.width = max(console.width, MIN_WIDTH)
    console.print(table)


def progress_bar() -> Progress:
    """Return a bar on a terminal, for a ``with``; elsewhere nothing."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def facts(model: Path, job: Job | None = None) -> dict[str, Any]:
    """Return what has to be known of figures."""
    known = {
        "model": str(model),
        "neutone_sdk": __version__,
        "torch": torch.__version__,
        "platform": platform.platform(),
        "n_cores": n_usable_cores(),
    }
    names = ("n_threads", "n_interop_threads", "is_mono", "knobs", "max_seconds")
    return {**known, **({name: getattr(job, name) for name in names} if job else {})}


def title(job: Job) -> str:
    """Return what was measured, in a line."""
    threads = "1 thread" if job.n_threads == 1 else f"{job.n_threads} threads"
    return printable(f"{job.model.name}, {'mono' if job.is_mono else 'stereo'}, {threads}")
