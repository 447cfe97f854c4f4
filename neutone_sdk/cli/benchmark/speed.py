"""``neutone benchmark speed``: whether a model keeps up with real time."""

from pathlib import Path
from typing import Any

import click

from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.plots import check_plotting, speed_picture
from neutone_sdk.benchmark.reports import speed_csv, speed_json, speed_line
from neutone_sdk.benchmark.speed import Timing, measure_speed
from neutone_sdk.benchmark.tables import speed_notes, speed_table
from neutone_sdk.cli.benchmark.options import (
    number,
    takes_host,
    takes_knobs,
    takes_model,
    takes_settings,
    takes_threads,
    the_model,
)
from neutone_sdk.cli.benchmark.output import facts, finish, gather, progress_bar, show, title
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.files import check_writable, write_atomically


@click.command()
@takes_model
@takes_settings()
@number("--repeat", "--repeat", "repeat", 10, "Callbacks are --repeat times --n-iters.")
@takes_host("See --repeat.")
@takes_threads
@takes_knobs
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every callback.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line for each setting, with commas.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw a PNG: loads and histograms.")
@click.pass_context
def speed(
    context: click.Context,
    /,
    model: Path | None,
    model_file: Path | None,
    rates_hz: tuple[int, ...],
    sizes: tuple[int, ...],
    repeat: int,
    n_iters: int,
    as_json: bool,
    as_csv: bool,
    plot: Path | None,
    **host: Any,
) -> None:
    """Time single callbacks of MODEL as a host makes them, in a process of their own.

    Times are microseconds. Nothing is left out: mean, median and percentiles are of all callbacks, the warm-up apart.
    The deadline is the time until the host brings the next block; the load is the mean's part of it. Ctrl-C prints
    what there is.
    """
    if repeat < 1 or n_iters < 1:
        raise InvalidArgumentError(f"--repeat and --n-iters must be at least 1, got {repeat} and {n_iters}")
    job = Job(
        model=the_model(model, model_file),
        sample_rates_hz=rates_hz,
        buffer_sizes=sizes,
        n_callbacks=repeat * n_iters,
        **host,  # these options have the names of its fields
    )
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    if plot is not None:
        check_plotting()
        check_writable(plot)
    timings: dict[tuple[int, int], Timing] = {}
    error = _measure(job, timings, n_iters if context.obj == "1.x" else None)
    found = [timing for timing in timings.values() if timing.callbacks_ns]
    if plot is not None and found:  # first: whoever reads what is printed may not want all of it
        write_atomically({plot: speed_picture(found, title(job))})
    if found or error is None:
        _print(found, job, as_json=as_json, as_csv=as_csv)
    finish(error, has_any=bool(found))


def _measure(job: Job, timings: dict[tuple[int, int], Timing], n_iters: int | None) -> BaseException | None:
    """Collect what is known of each setting; with ``n_iters`` show it as 1.x does, once it is all."""
    with progress_bar() as progress:
        task = progress.add_task("starting", total=len(list(job.settings())))

        def on_timing(timing: Timing) -> None:
            timings[timing.sample_rate_hz, timing.buffer_size] = timing
            part = 1.0 if timing.is_over else min(1.0, len(timing.callbacks_ns) / timing.n_planned)
            setting = f"{timing.sample_rate_hz} Hz / {timing.buffer_size}"
            progress.update(task, completed=len(timings) - 1 + part, description=setting)
            if timing.is_over and n_iters is not None:
                progress.console.print(speed_line(timing, n_iters), markup=False, highlight=False, soft_wrap=True)

        return gather(measure_speed(job), on_timing)


def _print(timings: list[Timing], job: Job, *, as_json: bool, as_csv: bool) -> None:
    is_table = not (as_json or as_csv)
    if is_table:
        show(speed_table(timings, title(job)))
    elif as_json:
        click.echo(speed_json(timings, facts(job.model, job)))
    elif as_csv:
        click.echo(speed_csv(timings), nl=False)
    for note in speed_notes(timings, job.max_seconds):
        click.echo(note, err=not is_table)
