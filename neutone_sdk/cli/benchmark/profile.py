"""``neutone benchmark profile``: where a model's time and memory go."""

from pathlib import Path
from typing import Any

import click

from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.layers import has_modules
from neutone_sdk.benchmark.profiling import Profile, measure_profile
from neutone_sdk.benchmark.reports import profile_json
from neutone_sdk.benchmark.tables import layer_table, microseconds
from neutone_sdk.cli.benchmark.options import flag, takes_host, takes_model, takes_settings, takes_threads, the_model
from neutone_sdk.cli.benchmark.output import facts, finish, gather, show, title
from neutone_sdk.cli.terminal import printable
from neutone_sdk.files import check_writable


@click.command()
@takes_model
@takes_settings(sizes=(128,))
@takes_host("Callbacks.")
@takes_threads
@flag("--use-params", "--use_params", "moves_knobs", "Turn the knobs in every callback.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--trace", type=click.Path(path_type=Path), help="Also write a Chrome trace, as JSON. One setting only.")
def profile(
    model: Path | None,
    model_file: Path | None,
    rates_hz: tuple[int, ...],
    sizes: tuple[int, ...],
    n_iters: int,
    moves_knobs: bool,
    as_json: bool,
    trace: Path | None,
    **host: Any,
) -> None:
    """Show which layers of MODEL, and which operators, take how much time and memory.

    Runs callbacks under torch's profiler, in a process of their own. It takes time itself, much for small operators:
    the shares are what counts.
    """
    job = Job(
        model=the_model(model, model_file),
        sample_rates_hz=rates_hz,
        buffer_sizes=sizes,
        n_callbacks=n_iters,
        knobs="moving" if moves_knobs else "default",
        **host,  # these options have the names of its fields
    )
    if trace is not None:
        check_writable(trace)
    profiles: list[Profile] = []
    error = gather(measure_profile(job, trace), profiles.append)
    if as_json and (profiles or error is None):
        click.echo(profile_json(profiles, facts(job.model, job)))
    elif not as_json:
        for each in profiles:
            _print(each, title(job))
    finish(error, has_any=bool(profiles))


def _print(profile: Profile, what: str) -> None:
    click.echo(f"{what}, {profile.sample_rate_hz} Hz, blocks of {profile.buffer_size}")
    click.echo(
        f"a callback takes {microseconds(profile.plain_us)} us, and {microseconds(profile.profiled_us)} us under the "
        f"profiler (the mean without it, and with it the mean of the faster half of {profile.n_callbacks} callbacks)"
    )
    if has_modules(profile.layers):
        show(layer_table(profile, "Layers, us a callback"))
    else:
        click.echo(
            "The file does not say which layer an operator belongs to: export it with freeze=False, optimize=False."
        )
    tables = {
        "Total CPU time": profile.by_time,
        "CPU memory": profile.by_memory,
        "CPU memory, grouped by stack": profile.by_stack,
    }
    for name, table in tables.items():
        click.echo(f"\n{name}\n{printable(table)}")
