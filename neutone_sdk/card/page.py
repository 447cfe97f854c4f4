"""Puts a card together: one HTML page that needs nothing else, and fetches nothing."""

import base64
import hashlib
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from neutone_sdk.archive import read_metadata
from neutone_sdk.card.controls import read_controls, read_mix
from neutone_sdk.card.facts import Facts, brief, read_facts
from neutone_sdk.card.measuring import SPEED_RATE_HZ, Measurements
from neutone_sdk.card.plots import WAVE_COLUMNS, WAVE_HEIGHT, read_pairs
from neutone_sdk.card.png import palette
from neutone_sdk.files import open_file

_TEMPLATE: Final = "card.html.jinja"
_TILE_BLOCK: Final = 512


def card_page(path: Path | str, measurements: Measurements | None = None) -> str:
    """Return the card of a ``.nm`` file as HTML. Nothing in the file is run or unpickled.

    Whatever the file holds ends up as text: the page allows no script, style or address but its own, and fetches
    nothing.

    Args:
        path: Of the model.
        measurements: What `measure` says of it; without, the card holds what the metadata says.

    Raises:
        InvalidFileError: See `read_metadata`.
    """
    path = Path(path)
    metadata = read_metadata(path)
    facts = read_facts(metadata)
    pairs, n_hidden_pairs = read_pairs(metadata)
    return _rendered(
        facts=facts,
        controls=read_controls(metadata),
        mix=read_mix(metadata),
        pairs=pairs,
        n_hidden_pairs=n_hidden_pairs,
        measurements=measurements,
        latencies=_by_rate(measurements),
        longest_ms=max((row.total_ms for row in measurements.latencies), default=0.0) if measurements else 0.0,
        tiles=_tiles(facts, measurements),
        file=_file_facts(path),
    )


def _rendered(**content: Any) -> str:
    import jinja2  # noqa: PLC0415  # only who makes cards needs it
    from markupsafe import Markup  # noqa: PLC0415

    folder = resources.files("neutone_sdk.card") / "templates"
    template, style, script = (
        (folder / name).read_text(encoding="utf-8") for name in (_TEMPLATE, "card.css", "card.js")
    )
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["brief"] = brief
    return environment.from_string(template).render(
        **content,
        style=Markup(style),  # noqa: S704  # ours, as are the next ones
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
        wave_columns=WAVE_COLUMNS,
        wave_height=WAVE_HEIGHT,
        colours=[f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in palette().tolist()],
    )


def _policy(style: str, script: str) -> str:
    """Only this style and this script count; pictures and sounds come out of the page itself; nothing is fetched."""
    rules = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "img-src": "data:",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {value}" for rule, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _by_rate(measurements: Measurements | None) -> list[tuple[int, list[Any]]]:
    rows = measurements.latencies if measurements else []
    return [(rate_hz, list(group)) for rate_hz, group in groupby(rows, key=lambda row: row.sample_rate_hz)]


def _tiles(facts: Facts, measurements: Measurements | None) -> list[tuple[str, str]]:
    """What people look for first."""
    names = {"Channels": "Channels", "Native sample rates": "Sample rates", "Native block sizes": "Block sizes"}
    tiles = [(short, facts.properties[name]) for name, short in names.items() if name in facts.properties]
    setting = (SPEED_RATE_HZ, _TILE_BLOCK)
    words = f"{SPEED_RATE_HZ // 1000} kHz / {_TILE_BLOCK}"
    for row in measurements.latencies if measurements else []:
        if (row.sample_rate_hz, row.buffer_size) == setting:
            tiles += [(f"Latency, {words}", f"{row.total_ms:.1f} ms")]
    for time in measurements.block_times if measurements else []:
        if (time.sample_rate_hz, time.buffer_size) == setting:
            tiles += [(f"Speed, {words}", f"{brief(time.real_time_factor)} × real time")]  # noqa: RUF001
    return tiles


def _file_facts(path: Path) -> dict[str, str]:
    """The fingerprint says which file a card is about."""
    digest, size = hashlib.sha256(), 0
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    return {"size": f"{size / 1e6:.2f} MB", "sha256": digest.hexdigest()}
