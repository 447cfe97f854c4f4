"""Draws what benchmarks/report.py shows. Needs matplotlib, which is imported where it is used."""

import io
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rounds import OURS, Groups, Rounds, ratio

OURS_COLOUR, THEIRS_COLOUR, GREY = "#2a6f97", "#c8553d", "#888888"


@dataclass(frozen=True)
class Line:
    """A straight line through the medians of a group whose contenders are numbers: ``offset + slope * x``, in ns."""

    x: list[float]
    ns: list[float]
    offset: float
    slope: float
    r_squared: float


def fit_line(rounds: Rounds) -> Line:
    """Return the line of least squares."""
    points = sorted((float(name), statistics.median(values)) for name, values in rounds.items())
    x, ns = ([point[axis] for point in points] for axis in (0, 1))
    slope, offset = (float(number) for number in np.polyfit(x, ns, 1))
    rest = np.asarray(ns) - (offset + slope * np.asarray(x))
    spread = np.asarray(ns) - statistics.mean(ns)
    total = float(spread @ spread)
    return Line(x, ns, offset, slope, 1.0 - float(rest @ rest) / total if total > 0.0 else 1.0)


def is_ours(contender: str) -> bool:
    """Return whether a contender is this package, in whatever form."""
    return re.match(r"neutone($|[ ,])", contender) is not None


def comparisons(groups: Groups) -> list[tuple[str, str, float]]:
    """Return group, reference, and how much longer ours takes, of all groups with a reference."""
    return [
        (group, name, ratio(rounds[OURS], values))
        for group, rounds in groups.items()
        if OURS in rounds
        for name, values in rounds.items()
        if not is_ours(name)
    ]


def _save(figure: Any, path: Path) -> None:
    """Write as PNG with few colours, which is a quarter of the size."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  # see the module
    from PIL import Image  # noqa: PLC0415  # comes with matplotlib

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=80)
    plt.close(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(drawn).convert("RGB").quantize(48, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


def draw_ratios(groups: Groups, path: Path) -> None:
    """Draw a dot for each reference: left of 1 ours is quicker."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  # see the module

    rows = comparisons(groups)[::-1]
    figure, axes = plt.subplots(figsize=(10, 1.2 + 0.22 * len(rows)), layout="constrained")
    labels = [f"{group.replace('/', ': ')}  -  {name}" for group, name, _ in rows]
    ratios = [value for _, _, value in rows]
    colours = [OURS_COLOUR if value <= 1.0 else THEIRS_COLOUR for value in ratios]
    axes.hlines(range(len(rows)), [min(value, 1.0) for value in ratios], [max(value, 1.0) for value in ratios], colours)
    axes.scatter(ratios, range(len(rows)), s=18, c=colours, zorder=3)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="ours / reference, time; left of 1 ours is quicker", ylim=(-1, len(rows)))
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.grid(axis="x", color="#dddddd")
    _save(figure, path)


def draw_scaling(groups: Groups, path: Path) -> None:
    """Draw each group's medians and the line through them."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  # see the module

    n_columns = 4
    n_rows = -(-len(groups) // n_columns)
    figure, grid = plt.subplots(n_rows, n_columns, figsize=(12, 2.6 * n_rows), layout="constrained", squeeze=False)
    for axes in grid.flat[len(groups) :]:
        axes.set_axis_off()
    for axes, (group, rounds) in zip(grid.flat, groups.items(), strict=False):
        line = fit_line(rounds)
        scale, unit = (1e3, "µs") if max(line.ns) >= 1e4 else (1.0, "ns")
        ends = [0.0, max(line.x)]
        axes.plot(ends, [(line.offset + line.slope * x) / scale for x in ends], color=GREY, linewidth=1)
        axes.plot(line.x, [ns / scale for ns in line.ns], "o", color=OURS_COLOUR, markersize=4)
        what, quantity = group.removeprefix("scaling/").rsplit(" by ", maxsplit=1)
        axes.set_title(f"{what.rstrip(',')}   R² {line.r_squared:.4f}", fontsize=9)
        axes.set_xlabel("host rate in Hz" if quantity == "rate" else quantity, fontsize=8)
        axes.set_ylabel(unit, fontsize=8)
        axes.set(xlim=(0, None), ylim=(0, None))
        axes.tick_params(labelsize=7)
        axes.grid(color="#e5e5e5")
    _save(figure, path)
