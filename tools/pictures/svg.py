"""A drawing as SVG text: boxes, texts, lines. The same drawing is the same text on every machine."""

from html import escape
from typing import Final

FONT: Final = "font-family='Helvetica, Arial, sans-serif'"
INK: Final = "#222222"
GREY: Final = "#666666"
# Colours that differ for people who see few, too, and light enough for black text.
TINTS: Final = ("#9ecae1", "#fdd0a2", "#c7e9c0", "#dadaeb", "#fcbba1")
LINES: Final = ("#1f6fa8", "#c05a00", "#2e7d32")


class Drawing:
    """A white sheet. All measures are in pixels, from the top left corner.

    Args:
        width: Of the sheet.
        height: Of the sheet.
        title: What it shows, for people who cannot see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        size = f"viewBox='0 0 {width} {height}' width='{width}' height='{height}'"
        tip = "viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' orient='auto'"
        self._parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img'>",
            f"<title>{escape(title)}</title>",
            f"<defs><marker id='tip' {tip}><path d='M0 1 L9 5 L0 9 Z' fill='{GREY}'/></marker></defs>",
            f"<rect width='{width}' height='{height}' fill='white'/>",
        ]

    def box(self, x: float, y: float, width: float, height: float, fill: str = "none", line: str = INK) -> None:
        """Draw a rectangle."""
        size = f"x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}'"
        self._parts.append(f"<rect {size} rx='3' fill='{fill}' stroke='{line}'/>")

    def text(  # noqa: D417  # the others say what they are
        self,
        x: float,
        y: float,
        text: str,
        size: float = 13,
        anchor: str = "start",
        colour: str = INK,
        weight: str = "",
    ) -> None:
        """Write one line.

        Args:
            anchor: What of the text ``x`` is: its ``start``, ``middle`` or ``end``. ``y`` is its base line.
        """
        style = f"font-size='{size:g}' text-anchor='{anchor}' fill='{colour}'" + (weight and f" font-weight='{weight}'")
        self._parts.append(f"<text x='{x:g}' y='{y:g}' {FONT} {style}>{escape(text)}</text>")

    def line(self, points: list[tuple[float, float]], colour: str = GREY, *, has_tip: bool = False) -> None:
        """Draw a line through points, with the tip of an arrow at its end or without."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        tip = " marker-end='url(#tip)'" if has_tip else ""
        self._parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.5'{tip}/>")

    def finished(self) -> str:
        """Return the text of the file."""
        return "\n".join([*self._parts, "</svg>", ""])
