"""``neutone card``: a page about a model."""

from pathlib import Path

import click

from neutone_sdk.card import card_page, measure
from neutone_sdk.export import load_neutone_model
from neutone_sdk.files import check_writable, write_atomically


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("card.html"),
    show_default=True,
    help="Page to write.",
)
@click.option("--no-speed", is_flag=True, help="Do not time the model.")
@click.option("--no-run", is_flag=True, help="Do not load or run the model, for files that you do not trust.")
def card(model: Path, output: Path, no_speed: bool, no_run: bool) -> None:
    """Write a page about MODEL: what it is, how it sounds, how late and how fast it is.

    The page is one HTML file that works without a network.
    """
    check_writable(output)
    measurements = None if no_run else measure(load_neutone_model(model)[0], with_speed=not no_speed)
    page = card_page(model, measurements).encode()
    write_atomically({output: page})
    click.echo(f"{click.format_filename(output)}: {len(page) / 1e6:.2f} MB, open it in a browser")
