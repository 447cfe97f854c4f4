"""``neutone benchmark latency``: by how much a model is late in any host."""

from pathlib import Path

import click

from neutone_sdk.benchmark.latency import DEFAULT_RATES_HZ, measure_delays
from neutone_sdk.benchmark.reports import latency_csv, latency_json, latency_line
from neutone_sdk.benchmark.tables import latency_table, recommendation
from neutone_sdk.cli.benchmark.options import takes_model, takes_settings, the_model
from neutone_sdk.cli.benchmark.output import facts, show
from neutone_sdk.cli.terminal import printable
from neutone_sdk.export import load_neutone_model


@click.command()
@takes_model
@takes_settings(DEFAULT_RATES_HZ)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line for each setting, with commas.")
@click.pass_context
def latency(
    context: click.Context,
    /,
    model: Path | None,
    model_file: Path | None,
    rates_hz: tuple[int, ...],
    sizes: tuple[int, ...],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show by how much MODEL is late at each rate and block size of a host, the least delay first.

    Delays are samples of the host. A host may keep to one block size, or change it in every callback up to a maximum;
    the latter takes longer.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    path = the_model(model, model_file)
    delays = measure_delays(load_neutone_model(path)[0], rates_hz, sizes)
    is_old = context.obj == "1.x"
    if is_old:
        for delay in delays:
            if delay.is_fixed:
                click.echo(latency_line(delay), err=True)
        click.echo(recommendation(delays), err=True)
    if as_json:
        click.echo(latency_json(delays, facts(path)))
    elif as_csv:
        click.echo(latency_csv(delays), nl=False)
    else:
        show(latency_table(delays, printable(path.name)))
        if not is_old:
            click.echo(recommendation(delays))
