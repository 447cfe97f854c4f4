"""What was measured, as tables for people."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from neutone_sdk.benchmark.latency import Delay
from neutone_sdk.benchmark.layers import Layer
from neutone_sdk.benchmark.percentiles import percentile_us
from neutone_sdk.benchmark.profiling import Profile
from neutone_sdk.benchmark.realtime import Run
from neutone_sdk.benchmark.speed import Timing

MIN_SHARE: Final = 0.002  # layers that take less of the time are counted together
_HALF: Final = 0.5  # of its time a model may take before its load is shown as something to look at


def speed_table(timings: Sequence[Timing], title: str) -> Table:
    """Return a row for each setting; each has callbacks. Times are microseconds."""
    table = _table(title)
    for name in ("rate", "block", "deadline", "mean", "p50", "p99", "p99.9", "max", "load", "1/RTF", "late", "warm-up"):
        table.add_column(name, justify="right", no_wrap=True)
    for timing in timings:
        table.add_row(*_speed_row(timing))
    return table


def _speed_row(timing: Timing) -> list[Text | str]:
    setting = [str(timing.sample_rate_hz), str(timing.buffer_size), microseconds(timing.deadline_us)]
    times = [timing.mean_us, *map(timing.percentile_us, (50, 99, 99.9)), timing.max_us]
    style = "bold red" if timing.load > 1 else "yellow" if timing.load > _HALF else "green"
    return [
        *setting,
        *map(microseconds, times),
        Text(f"{short(100 * timing.load)} %", style),
        short(timing.speed),
        Text(f"{timing.n_late} of {len(timing.callbacks_ns)}", "bold red" if timing.n_late else ""),
        microseconds(max(timing.warm_up_ns) / 1e3),
    ]


def speed_notes(timings: Sequence[Timing], max_seconds: float) -> list[str]:
    """Return what has to be known of the table, a sentence each."""
    notes = []
    cut = [
        f"{timing.sample_rate_hz} Hz / {timing.buffer_size}" for timing in timings if timing.is_over and timing.is_cut
    ]
    if cut:
        notes.append(f"Stopped after {max_seconds:g} s, before all callbacks were made: {', '.join(cut)}.")
    slow = [timing for timing in timings if timing.load > 1]
    if slow:
        notes.append(f"Slower than real time at {len(slow)} of {len(timings)} settings: no host can play it there.")
    n_preemptions = sum(timing.n_preemptions or 0 for timing in timings)
    if n_preemptions:
        notes.append(
            f"Other work took the core away {n_preemptions} times meanwhile; p99 and above show that, too. "
            "A quiet machine tells more."
        )
    return notes


def realtime_table(runs: Sequence[Run], title: str) -> Table:
    """Return three rows for each setting, at which something was played. Times are microseconds."""
    table = _table(title)
    for name in ("rate", "block", "latency", "late", "missing", "time of", "deadline", "p50", "p99", "p99.9", "max"):
        table.add_column(name, justify="left" if name == "time of" else "right", no_wrap=True)
    for run in runs:
        style = "" if run.is_clean else "bold red"
        facts: list[Text | str] = [
            *map(str, (run.sample_rate_hz, run.buffer_size, run.latency_samples)),
            Text(f"{run.late_blocks} of {run.blocks}", style),
            Text(str(run.missing_samples), style),
        ]
        for name, deadline_us, durations_ns in run.durations():
            times = [percentile_us(durations_ns, percent) for percent in (50, 99, 99.9, 100) if durations_ns]
            table.add_row(*facts, name, microseconds(deadline_us), *map(microseconds, times))
            facts = [""] * len(facts)
    return table


def realtime_notes(runs: Sequence[Run]) -> list[str]:
    """Return what has to be known of the table, a sentence each."""
    why = ", ".join(sorted({run.refusal for run in runs if run.refusal}))
    notes = [
        f"The device's thread had no real-time priority ({why}): a host's would wake earlier."
        if why
        else "The device's thread had real-time priority (SCHED_FIFO), as in a host."
    ]
    n_overruns = sum(run.n_overruns for run in runs)
    if n_overruns:
        notes.append(
            f"The system woke the device's thread {n_overruns} times after the next callback was due: then anything "
            "clicks, whatever the model. Larger buffers help, or a quieter machine."
        )
    return notes


def latency_table(delays: Sequence[Delay], title: str) -> Table:
    """Return a row for each setting. Delays are samples of the host."""
    table = _table(title)
    for name in ("rate", "block", "blocks", "buffering", "resampling", "model", "total", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for delay in delays:
        latency = delay.latency
        parts = (latency.buffering_samples, latency.resampling_samples, latency.model_samples, latency.total_samples)
        setting = (latency.sample_rate_hz, latency.buffer_size, "fixed" if delay.is_fixed else "changing")
        table.add_row(*map(str, (*setting, *parts)), f"{latency.total_ms:.2f}")
    return table


def recommendation(delays: Sequence[Delay]) -> str:
    """Return the setting with the least delay, in a sentence that scripts for 1.x look for."""
    best = delays[0].latency
    return (
        "The recommended sample rate / buffer size combination is "
        f"sample rate {best.sample_rate_hz}, buffer size {best.buffer_size}"
    )


def layer_table(profile: Profile, title: str) -> Table:
    """Return a row for each layer, those in a module below it. Times are microseconds a callback."""
    table = _table(title)
    table.add_column("layer", overflow="fold")
    table.add_column("class", overflow="fold")
    for name in ("total", "share", "own", "operators"):
        table.add_column(name, justify="right", no_wrap=True)
    whole_us = profile.profiled_us * profile.n_callbacks
    shown = [layer for layer in profile.layers if layer.total_us >= MIN_SHARE * whole_us]
    for layer in shown:
        table.add_row(*_layer_row(layer, profile, whole_us))
    n_hidden = len(profile.layers) - len(shown)
    if n_hidden:
        table.add_row(f"and {n_hidden} below {100 * MIN_SHARE:g} %", style="dim")
    return table


def _layer_row(layer: Layer, profile: Profile, whole_us: float) -> list[Text]:
    style = "dim" if layer.name.startswith("(") else ""
    cells = (
        layer.name,
        layer.kind,
        microseconds(layer.total_us / profile.n_callbacks),
        f"{100 * layer.total_us / whole_us:.1f} %",
        microseconds(layer.own_us / profile.n_callbacks),
        f"{layer.n_operators / profile.n_callbacks:.3g}",
    )
    return [Text(cell, style) for cell in cells]


def microseconds(value: float) -> str:
    """Return a time to a tenth of a microsecond below 100 of them: finer is no clock."""
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def short(value: float) -> str:
    """Return a number with three digits, or as many as it takes: no exponents for large ones."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _table(title: str) -> Table:
    # Text, because a string could hold rich's markup: names of files do not mean it.
    return Table(box=None, padding=(0, 2, 0, 0), title=Text(title), title_justify="left")
