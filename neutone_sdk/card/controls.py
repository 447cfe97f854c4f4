"""How a card draws the parameters of a model."""

import math
from dataclasses import dataclass
from typing import Any, Final

from neutone_sdk.card.facts import number_of, number_text
from neutone_sdk.card.text import shown
from neutone_sdk.metadata import is_numerical, parameter_range

_MAX_CONTROLS: Final = 12
_MAX_LABELS: Final = 20
_RADIUS: Final = 40.0
_CENTRE: Final = 50.0
_START_DEGREES: Final = 135.0  # clockwise from the right; a knob turns by 270
_SWEEP_DEGREES: Final = 270.0


@dataclass(frozen=True)
class Knob:
    """Paths in a square of 100: the scale, the part of it up to the default, and the pointer."""

    track: str
    value: str
    pointer: str


@dataclass(frozen=True)
class Control:
    """A parameter.

    Attributes:
        name: Of the parameter.
        description: Of the parameter.
        default: What a new plugin has.
        lowest: Least value, of a knob.
        highest: Greatest value, of a knob.
        knob: Its picture; else it is a menu or a text.
        labels: Choices of a menu, and whether each is the default.
        note: What else there is to know.
    """

    name: str
    description: str
    default: str
    lowest: str = ""
    highest: str = ""
    knob: Knob | None = None
    labels: tuple[tuple[str, bool], ...] = ()
    note: str = ""


def read_controls(metadata: dict[str, Any]) -> list[Control]:
    """Return the parameters that hosts show."""
    parameters = list(metadata.get("neutone_parameters", {}).values())[:_MAX_CONTROLS]
    return [_control(parameter) for parameter in parameters if str(parameter.get("used")).lower() not in {"false", "0"}]


def read_mix(metadata: dict[str, Any]) -> list[Control]:
    """Return how a host mixes and amplifies by default; what the file does not say is left out."""
    controls = []
    for name, key in (("Dry", "dry"), ("Wet", "wet"), ("Input gain", "input_gain"), ("Output gain", "output_gain")):
        position = number_of(metadata.get(f"{key}_default_value"))
        if position is None or not 0.0 <= position <= 1.0:
            continue
        if key.endswith("gain"):
            default = number_text(60.0 * position - 30.0) + " dB"
            knob, ends = _knob(position, 0.5), ("−30 dB", "+30 dB")  # noqa: RUF001
        else:
            default = f"{100.0 * position:.3g} %"
            knob, ends = _knob(position, 0.0), ("0 %", "100 %")
        controls.append(Control(name, "", default, lowest=ends[0], highest=ends[1], knob=knob))
    return controls


def _control(parameter: dict[str, Any]) -> Control:
    name, description = shown(parameter.get("name"), 80), shown(parameter.get("description"), 500)
    if not is_numerical(parameter):
        return Control(name, description, _text_default(parameter.get("default_value")), note=_limit(parameter))
    lowest, highest = parameter_range(parameter)
    default = float(parameter["default_value"])
    labels = [shown(label, 40) for label in (parameter.get("labels") or [])[:_MAX_LABELS]]
    if labels:
        menu = tuple((label, index == int(default)) for index, label in enumerate(labels))
        more = int(highest) + 1 - len(labels)
        chosen = labels[int(default)] if default < len(labels) else number_text(default)
        return Control(name, description, chosen, labels=menu, note=f"and {more} more" if more else "")
    position, zero = ((value - lowest) / (highest - lowest) for value in (default, min(max(0.0, lowest), highest)))
    smoothing_ms = number_of(parameter.get("smoothing_ms"))
    return Control(
        name,
        description,
        number_text(default),
        lowest=number_text(lowest),
        highest=number_text(highest),
        knob=_knob(position, zero if lowest < 0.0 < highest else 0.0),
        note=f"smoothed over {number_text(smoothing_ms)} ms" if smoothing_ms else "",
    )


def _text_default(value: Any) -> str:
    if isinstance(value, list):
        numbers = [number_text(number) for number in map(number_of, value[:_MAX_LABELS]) if number is not None]
        return ", ".join(numbers) + (" …" if len(value) > _MAX_LABELS else "") or "empty"
    return shown(value, 200) or "empty"


def _limit(parameter: dict[str, Any]) -> str:
    is_text = parameter.get("type") == "text"
    limit = number_of(parameter.get("max_n_chars" if is_text else "max_n_tokens"))
    what = "characters" if is_text else "tokens"
    return f"at most {number_text(limit)} {what}" if limit is not None and limit >= 0 else f"any number of {what}"


def _knob(position: float, origin: float) -> Knob:
    """Draw from where nothing happens, the origin, to the position; both 0..1."""
    inner, outer = _point(position, _RADIUS * 0.28), _point(position, _RADIUS * 0.68)
    return Knob(_arc(0.0, 1.0), _arc(*sorted((position, origin))), f"M{inner} L{outer}")


def _arc(start: float, end: float) -> str:
    is_large = int((end - start) * _SWEEP_DEGREES > 180.0)
    return f"M{_point(start, _RADIUS)} A{_RADIUS:g} {_RADIUS:g} 0 {is_large} 1 {_point(end, _RADIUS)}"


def _point(position: float, radius: float) -> str:
    angle = math.radians(_START_DEGREES + position * _SWEEP_DEGREES)
    return f"{_CENTRE + radius * math.cos(angle):.2f} {_CENTRE + radius * math.sin(angle):.2f}"
