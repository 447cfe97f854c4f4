"""``neutone benchmark realtime``: whether a model glitches in a host on this machine."""

import math
import sys
from pathlib import Path
from typing import Any, Final

import click

from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.plots import check_plotting, realtime_picture
from neutone_sdk.benchmark.realtime import (
    FIND_SIZES,
    MODES,
    Run,
    find_verdict,
    measure_realtime,
    smallest_safe_sizes,
    verdict,
)
from neutone_sdk.benchmark.reports import realtime_csv, realtime_json
from neutone_sdk.benchmark.tables import realtime_notes, realtime_table
from neutone_sdk.cli.benchmark.options import (
    takes_audio,
    takes_knobs,
    takes_model,
    takes_settings,
    takes_threads,
    the_model,
)
from neutone_sdk.cli.benchmark.output import facts, finish, gather, progress_bar, show, title
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.files import check_writable, write_atomically

SECONDS: Final = 10.0
FIND_SECONDS: Final = 2.0


@click.command()
@takes_model
@takes_settings(sizes=(512,))
@click.option(
    "--seconds",
    type=float,
    help=f"Audio to play at each setting, in as much time.  [default: {SECONDS:g}, or {FIND_SECONDS:g} to find a size]",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=MODES[0],
    show_default=True,
    help="How long the model may take for a block: as long as it lasts, or less, for less latency.",
)
@click.option(
    "--find-buffer-size",
    "finds",
    is_flag=True,
    help=f"Try {', '.join(map(str, FIND_SIZES))} instead of --buffer-size, until something is missing.",
)
@takes_audio
@takes_knobs
@takes_threads
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every callback and block.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line for each setting, with commas.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw a PNG: histograms.")
def realtime(
    model: Path | None,
    model_file: Path | None,
    rates_hz: tuple[int, ...],
    sizes: tuple[int, ...],
    seconds: float | None,
    mode: str,
    finds: bool,
    as_json: bool,
    as_csv: bool,
    plot: Path | None,
    **host: Any,
) -> None:
    """Play MODEL as a plugin does, in real time, and say whether that glitches here.

    The engine of the plugins runs the model on a worker thread; the thread of a simulated sound card calls it at every
    deadline, with real-time priority where the system allows it, and never waits. What the worker has not finished when
    it is due is missing, and counted. Exit code 1 if anything was. Times are microseconds. Ctrl-C prints what there is.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    job = Job(
        model=the_model(model, model_file),
        sample_rates_hz=rates_hz,
        buffer_sizes=FIND_SIZES if finds else sizes,
        max_seconds=_checked(seconds, FIND_SECONDS if finds else SECONDS),
        **host,  # these options have the names of its fields
    )
    if plot is not None:
        check_plotting()
        check_writable(plot)
    runs: dict[tuple[int, int], Run] = {}
    error = _measure(job, mode, runs, finds=finds)
    played = [run for run in runs.values() if run.callbacks_ns]
    if plot is not None and played:  # first: whoever reads what is printed may not want all of it
        write_atomically({plot: realtime_picture(played, title(job))})
    if played or error is None:
        _print(played, job, finds=finds, as_json=as_json, as_csv=as_csv)
    finish(error, has_any=bool(played))
    if not _is_safe(played, finds=finds):
        sys.exit(1)


def _checked(seconds: float | None, default: float) -> float:
    if seconds is None:
        return default
    if not (math.isfinite(seconds) and seconds > 0):
        msg = f"--seconds must be finite and above 0, got {seconds}"
        raise InvalidArgumentError(msg)
    return seconds


def _measure(job: Job, mode: str, runs: dict[tuple[int, int], Run], *, finds: bool) -> BaseException | None:
    """Collect what is known of each setting."""
    with progress_bar() as progress:
        task = progress.add_task("starting", total=len(list(job.settings())))

        def on_run(run: Run) -> None:
            runs[run.sample_rate_hz, run.buffer_size] = run
            part = 1.0 if run.is_over else min(1.0, run.seconds / job.max_seconds)
            progress.update(task, completed=len(runs) - 1 + part, description=run.setting)

        return gather(measure_realtime(job, mode, finds=finds), on_run)


def _print(runs: list[Run], job: Job, *, finds: bool, as_json: bool, as_csv: bool) -> None:
    is_table = not (as_json or as_csv)
    if is_table:
        show(realtime_table(runs, title(job)))
    elif as_json:
        click.echo(realtime_json(runs, facts(job.model, job)))
    elif as_csv:
        click.echo(realtime_csv(runs), nl=False)
    if runs:
        answer = find_verdict(runs) if finds else verdict(runs)
        for note in (*realtime_notes(runs), answer):
            click.echo(note, err=not is_table)


def _is_safe(runs: list[Run], *, finds: bool) -> bool:
    if finds:
        return None not in smallest_safe_sizes(runs).values()
    return all(run.is_clean for run in runs)
