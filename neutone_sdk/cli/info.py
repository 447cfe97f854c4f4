"""``neutone info``: what a model says of itself."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neutone_sdk.archive import read_metadata
from neutone_sdk.cli.terminal import printable
from neutone_sdk.metadata import is_numerical, parameter_range

_MAX_LINE = 24  # labels in one line, otherwise one a line


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the metadata as JSON.")
def info(model: Path, as_json: bool) -> None:
    """Show what MODEL says of itself. Nothing in the file is run."""
    metadata = read_metadata(model)
    if as_json:
        click.echo(json.dumps(metadata, indent=4, sort_keys=True))
        return
    console = Console()
    console.print(_facts(metadata))
    if metadata.get("neutone_parameters"):
        console.print()
        console.print(_parameters(metadata["neutone_parameters"]))


def _facts(metadata: dict[str, Any]) -> Table:
    title = metadata.get("model_name", "") + (" (experimental)" if metadata.get("is_experimental") else "")
    table = Table(show_header=False, box=None, title=_text(title, "bold"), title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    look_behind, look_ahead = (metadata.get(f"look_{way}_samples", 0) for way in ("behind", "ahead"))
    n_samples = len(metadata.get("sample_sound_files", []))
    makers = {"neutone_sdk": metadata.get("sdk_version"), "torch": metadata.get("pytorch_version")}
    rows = {
        "": metadata.get("model_short_description"),
        "authors": ", ".join(metadata.get("model_authors", [])),
        "version": metadata.get("model_version"),
        "about": metadata.get("model_long_description"),
        "technical": metadata.get("technical_description"),
        "tags": ", ".join(metadata.get("tags", [])),
        "links": "\n".join(f"{caption}: {link}" for caption, link in metadata.get("technical_links", {}).items()),
        "citation": metadata.get("citation"),
        "channels": metadata.get("model_type"),
        "sample rates": ", ".join(f"{rate} Hz" for rate in metadata.get("native_sample_rates", [])) or "any",
        "block sizes": _block_sizes(metadata.get("native_buffer_sizes", [])),
        "look-behind": f"{look_behind} samples" if look_behind else "",
        "look-ahead": f"{look_ahead} samples" if look_ahead else "",
        "audio samples": f"{n_samples}, see neutone samples" if n_samples else "",
        "flavour": metadata.get("flavour"),
        "made with": ", ".join(f"{name} {version}" for name, version in makers.items() if version),
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, _text(value))
    return table


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)


def _block_sizes(sizes: list[int]) -> str:
    shown = 12
    text = ", ".join(map(str, sizes[:shown])) or "any"
    return f"{text} and {len(sizes) - shown} more" if len(sizes) > shown else text


def _parameters(parameters: dict[str, dict[str, Any]]) -> Table:
    """However long the labels are, names and descriptions have room."""
    table = Table(title="parameters", title_justify="left")
    table.add_column("name", style="bold", overflow="fold", min_width=8)
    table.add_column("range", overflow="fold")
    table.add_column("default", justify="right", overflow="fold", min_width=7)
    table.add_column("description", overflow="fold")
    for parameter in parameters.values():
        scale, default = _scale_and_default(parameter)
        table.add_row(*map(_text, (parameter["name"], scale, default, parameter.get("description", ""))))
    return table


def _scale_and_default(parameter: dict[str, Any]) -> tuple[str, str]:
    if not is_numerical(parameter):
        return parameter["type"], str(parameter.get("default_value") or "")
    default, labels = parameter["default_value"], parameter.get("labels")
    if labels:
        line = " | ".join(labels)
        return line if len(line) <= _MAX_LINE else "\n".join(labels), labels[int(default)]
    lowest, highest = parameter_range(parameter)
    return f"{lowest:g} .. {highest:g}", f"{default:g}"
