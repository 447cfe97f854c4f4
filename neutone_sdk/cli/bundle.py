"""``neutone bundle``: a plugin that plays one model."""

from pathlib import Path

import click
from rich.console import Console

from neutone_sdk.bundle import bundle_model
from neutone_sdk.bundle.layout import HOST_FOLDERS
from neutone_sdk.cli.terminal import printable


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--plugin", "plugin_format", required=True, type=click.Choice(list(HOST_FOLDERS)), help="Its format.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder to make: Name.vst3, Name.lv2, or Name for a CLAP.  [default: after the plugin's name]",
)
@click.option("--name", help="What hosts show.  [default: the model's name]")
@click.option("--mono", is_flag=True, help="One channel in and out instead of two.")
@click.option("--hard-links", is_flag=True, help="Share libraries with the installed torch, instead of copying them.")
@click.option("--force", is_flag=True, help="Replace a bundle that is there.")
@click.option("--plugins-from", type=click.Path(path_type=Path), help="Folder with plugins that you have built.")
def bundle(
    model: Path,
    plugin_format: str,
    output: Path | None,
    name: str | None,
    mono: bool,
    hard_links: bool,
    force: bool,
    plugins_from: Path | None,
) -> None:
    """Make a plugin of MODEL that needs nothing but its folder: no Python, no torch, no other file.

    MODEL is run, so it has to come from somebody you trust. The plugin is for Linux and for processors like this one.
    torch makes it large: several 100 MB.
    """
    console = Console(stderr=True)
    with console.status("starting") as status:
        made = bundle_model(
            model,
            plugin_format,
            output,
            name=name,
            mono=mono,
            hard_links=hard_links,
            force=force,
            plugins_from=plugins_from,
            on_step=status.update,
        )
    shown = click.format_filename(made.folder)
    click.echo(printable(f"{shown}: {made.identity.name}, {made.n_bytes / 1e6:.0f} MB, nearly all of it torch"))
    click.echo(f"Copy the whole folder to {HOST_FOLDERS[plugin_format]} and let your DAW look for new plugins.")
