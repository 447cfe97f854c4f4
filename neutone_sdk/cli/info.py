"""``neutone info``: what a model says of itself."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neutone_sdk.archive import read_metadata
from neutone_sdk.rendering import parameter_range


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
        console.print(_parameters(metadata["neutone_parameters"]))


def _facts(metadata: dict[str, Any]) -> Table:
    table = Table(
        show_header=False, box=None, title=Text(str(metadata.get("model_name", "")), style="bold"), title_justify="left"
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
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
        "look-behind": f"{metadata['look_behind_samples']} samples" if metadata.get("look_behind_samples") else "",
        "made with": f"neutone_sdk {metadata.get('sdk_version')}, torch {metadata.get('pytorch_version')}",
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(str(value)))
    return table


def _block_sizes(sizes: list[int]) -> str:
    shown = 12
    text = ", ".join(map(str, sizes[:shown])) or "any"
    return f"{text} and {len(sizes) - shown} more" if len(sizes) > shown else text


def _parameters(parameters: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="parameters", title_justify="left")
    table.add_column("name", style="bold", no_wrap=True)
    table.add_column("range", no_wrap=True)
    table.add_column("default", justify="right", no_wrap=True)
    table.add_column("description", overflow="fold")
    for parameter in parameters.values():
        labels = parameter.get("labels")
        if labels:
            scale, default = " | ".join(labels), labels[int(parameter["default_value"])]
        else:
            lowest, highest = parameter_range(parameter)
            scale, default = f"{lowest:g} .. {highest:g}", str(parameter["default_value"])
        table.add_row(*map(Text, (parameter["name"], scale, default, parameter["description"])))
    return table
