"""``neutone samples``: the audio samples that a model brings along."""

from pathlib import Path

import click

from neutone_sdk.archive import read_metadata
from neutone_sdk.cli.terminal import printable
from neutone_sdk.files import make_folders, write_atomically
from neutone_sdk.samples import files_of


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("samples"),
    show_default=True,
    help="Folder to write to.",
)
def samples(model: Path, folder: Path) -> None:
    """Write the audio samples in MODEL to a folder: sample_in_0.mp3, sample_out_0.mp3 and so on.

    Nothing in the file is run, nor are the samples looked at.
    """
    files = files_of(read_metadata(model), folder)
    if not files:
        click.echo("the model holds no audio samples")
        return
    make_folders(folder)
    write_atomically(files)
    for path in files:
        click.echo(printable(click.format_filename(path)))
