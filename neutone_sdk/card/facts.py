"""What a card shows of the metadata: bounded, cleaned, whatever is in the file."""

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from neutone_sdk.card.text import link_host, shown

_LINE: Final = 200
_PARAGRAPH: Final = 4000
_MAX_ENTRIES: Final = 24
_MAX_LISTED: Final = 6


@dataclass(frozen=True)
class Link:
    """A link of the author. ``host`` is empty where the address must not be clicked: it is shown as text."""

    caption: str
    address: str
    host: str


@dataclass(frozen=True)
class Facts:
    """The texts of a card; what the file does not say is empty."""

    name: str
    version: str
    is_experimental: bool
    authors: list[str]
    tags: list[str]
    lead: str
    about: str
    technical: str
    citation: str
    links: list[Link]
    properties: dict[str, str]


def read_facts(metadata: dict[str, Any]) -> Facts:
    """Return what a card says, from the metadata of any version of the SDK."""
    return Facts(
        name=shown(metadata.get("model_name"), 80) or "Unnamed model",
        version=shown(metadata.get("model_version"), 40),
        is_experimental=str(metadata.get("is_experimental")).lower() in {"true", "1"},
        authors=_lines(metadata.get("model_authors")),
        tags=_lines(metadata.get("tags")),
        lead=shown(metadata.get("model_short_description"), 500),
        about=shown(metadata.get("model_long_description"), _PARAGRAPH),
        technical=shown(metadata.get("technical_description"), _PARAGRAPH),
        citation=shown(metadata.get("citation"), _PARAGRAPH),
        links=_links(metadata.get("technical_links")),
        properties=_properties(metadata),
    )


def number_of(value: Any) -> float | None:
    """Return a finite number, which 1.x may have written as a text, or nothing."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def number_text(value: float) -> str:
    """Return a number as people write it."""
    return f"{value:.6g}".replace("-", "−")  # noqa: RUF001  # the sign, as long as a plus


def brief(value: float) -> str:
    """Return a measured number, with at most three digits of which the last is not quite sure."""
    return f"{value:.3g}" if value < 1000.0 else f"{value:.0f}"


def _lines(values: Any) -> list[str]:
    texts = [shown(value, _LINE) for value in (values if isinstance(values, list) else [])[:_MAX_ENTRIES]]
    return [text for text in texts if text]


def _links(links: Any) -> list[Link]:
    pairs = list(links.items())[:_MAX_ENTRIES] if isinstance(links, dict) else []
    return [
        Link(shown(caption, _LINE) or "Link", shown(address, _LINE) if not host else address, host)
        for caption, address in pairs
        if isinstance(address, str)
        for host in [link_host(address)]
    ]


def _properties(metadata: dict[str, Any]) -> dict[str, str]:
    rows = {
        "Channels": _channels(metadata),
        "Native sample rates": _list_of(metadata.get("native_sample_rates"), "kHz", 1e-3),
        "Native block sizes": _list_of(metadata.get("native_buffer_sizes"), "samples"),
        "Look-behind": _samples(metadata.get("look_behind_samples")),
        "Look-ahead": _samples(metadata.get("look_ahead_samples")),
        "Flavour": shown(metadata.get("flavour"), _LINE),
        "Needs operators": _operators(metadata.get("required_ops")),
        "neutone_sdk": shown(metadata.get("sdk_version"), _LINE),
        "torch": shown(metadata.get("pytorch_version"), _LINE),
        "Exported": _day(metadata.get("date_created")),
    }
    return {name: value for name, value in rows.items() if value}


def _channels(metadata: dict[str, Any]) -> str:
    kind = shown(metadata.get("model_type"), 40)
    sides = kind.split("-")
    return f"{sides[0]} → {sides[1]}" if len(sides) == 2 else kind


def _list_of(values: Any, unit: str, scale: float = 1.0) -> str:
    if not isinstance(values, list):
        return ""
    numbers = [scale * number for number in map(number_of, values[:_MAX_LISTED]) if number is not None]
    rest = f" and {len(values) - _MAX_LISTED} more" if len(values) > _MAX_LISTED else ""
    return f"{', '.join(map(number_text, numbers))} {unit}{rest}" if numbers else "any"


def _samples(value: Any) -> str:
    number = number_of(value)
    return f"{number_text(number)} samples" if number else ""


def _operators(required: Any) -> str:
    items = list(required.items())[:_MAX_ENTRIES] if isinstance(required, dict) else []
    return ", ".join(f"{shown(name, 40)} {shown(version, 40)}" for name, version in items)


def _day(seconds: Any) -> str:
    number = number_of(seconds)
    if not number:
        return ""
    try:
        return datetime.fromtimestamp(number, tz=timezone.utc).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
