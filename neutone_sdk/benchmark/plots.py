"""What was measured, as a picture. Needs matplotlib."""

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from neutone_sdk.benchmark.realtime import Run
from neutone_sdk.benchmark.speed import Timing
from neutone_sdk.benchmark.tables import short
from neutone_sdk.errors import InvalidArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_INCHES: Final = (3.4, 2.4)
_MIN_WIDTH_INCHES: Final = 7.0
_ROW_INCHES: Final = 0.55
_N_BINS: Final = 50
_MARGIN_DECADES: Final = 0.1
_WIDE_DECADES: Final = 2.0  # then powers of ten are ticks enough
_DPI: Final = 110
_MAX_PIXELS: Final = 30_000  # across: matplotlib refuses twice as many


def check_plotting() -> None:
    """Raise unless matplotlib is there.

    Raises:
        InvalidArgumentError: It is not.
    """
    if find_spec("matplotlib") is None:
        msg = "plots need matplotlib, which is not installed; install it with: pip install 'neutone_sdk[plot]'"
        raise InvalidArgumentError(msg)


def speed_picture(timings: Sequence[Timing], title: str) -> bytes:
    """Return a PNG: the load by rate and size as a map with its numbers, below it a histogram for each setting.

    Args:
        timings: With at least one callback each, at least one.
        title: Above all.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy; without pyplot, which would configure the process

    rates = sorted({timing.sample_rate_hz for timing in timings})
    sizes = sorted({timing.buffer_size for timing in timings})
    width = max(_MIN_WIDTH_INCHES, _PANEL_INCHES[0] * len(sizes))
    heights = [1.0 + _ROW_INCHES * len(rates), *[_PANEL_INCHES[1]] * len(rates)]
    height = sum(heights) + 0.5
    figure = Figure((width, height), layout="constrained", dpi=min(_DPI, _MAX_PIXELS / max(width, height)))
    figure.suptitle(title, parse_math=False)  # names of files may hold dollars
    grid = figure.add_gridspec(1 + len(rates), len(sizes), height_ratios=heights)
    _draw_loads(figure.add_subplot(grid[0, :]), timings, rates, sizes)
    for timing in timings:
        row, column = 1 + rates.index(timing.sample_rate_hz), sizes.index(timing.buffer_size)
        axes = figure.add_subplot(grid[row, column])
        what = f"{timing.sample_rate_hz} Hz / {timing.buffer_size}: {timing.n_late} late"
        _draw_histogram(axes, timing.durations_us, timing.deadline_us, what, "callback")
    return _png(figure)


def realtime_picture(runs: Sequence[Run], title: str) -> bytes:
    """Return a PNG: a row for each setting, with histograms of the model's blocks, the callbacks and the wake-ups.

    Args:
        runs: At least one, each with a callback.
        title: Above all.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy; without pyplot, which would configure the process

    width, height = 3 * _PANEL_INCHES[0], _PANEL_INCHES[1] * len(runs) + 0.5
    figure = Figure((width, height), layout="constrained", dpi=min(_DPI, _MAX_PIXELS / max(width, height)))
    figure.suptitle(title, parse_math=False)
    panels = figure.subplots(len(runs), 3, squeeze=False)
    for row, run in zip(panels, runs, strict=True):
        for axes, (name, deadline_us, durations_ns) in zip(row, run.durations(), strict=True):
            durations_us = np.maximum(durations_ns, 1) / 1e3  # a wake-up may be on the dot
            what = f"{run.setting}: {run.late_blocks} blocks late" if name == "worker" else run.setting
            if durations_ns:
                _draw_histogram(axes, durations_us, deadline_us, what, name)
    return _png(figure)


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_loads(axes: "Axes", timings: Sequence[Timing], rates: list[int], sizes: list[int]) -> None:
    loads = np.full((len(rates), len(sizes)), np.nan)
    for timing in timings:
        loads[rates.index(timing.sample_rate_hz), sizes.index(timing.buffer_size)] = 100 * timing.load
    axes.imshow(loads, cmap="RdYlGn_r", vmin=0, vmax=100, aspect="auto")
    for timing in timings:
        at = sizes.index(timing.buffer_size), rates.index(timing.sample_rate_hz)
        percent = 100 * timing.load
        is_dark = not 15 < percent < 85  # the ends of the colours
        text = f"{short(percent)} %\nmax {short(100 * timing.max_us / timing.deadline_us)} %"
        axes.text(*at, text, ha="center", va="center", color="white" if is_dark else "black", fontsize=9)
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_yticks(range(len(rates)), [f"{rate} Hz" for rate in rates])
    axes.set_xlabel("block of the host, samples")
    axes.set_title("load: mean callback, and the longest, in % of the deadline", fontsize=10)


def _draw_histogram(axes: "Axes", durations_us: NDArray[np.float64], deadline_us: float, title: str, what: str) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415  # heavy

    decades = np.log10(durations_us / deadline_us)
    lowest, highest = min(decades.min(), 0.0) - _MARGIN_DECADES, max(decades.max(), 0.0) + _MARGIN_DECADES
    width = (highest - lowest) / _N_BINS
    bins = np.arange(np.floor(lowest / width), np.ceil(highest / width) + 1)
    # The deadline is the border of two bins, or it would run through a bar that is late in part.
    edges_us = deadline_us * 10.0 ** (width * bins)
    counts, _, _ = axes.hist(durations_us, bins=edges_us.tolist(), color="tab:blue")
    axes.axvline(deadline_us, color="tab:red", linestyle="--", label=f"deadline {deadline_us:.0f} µs")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if highest - lowest > _WIDE_DECADES else (1.0, 3.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yscale("log")
    axes.set_ylim(0.5, 4 * max(5, np.max(counts)))  # a single late callback has to be seen, and the legend above all
    axes.set_xlabel(f"{what}, µs")
    axes.set_ylabel("number")
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8)
