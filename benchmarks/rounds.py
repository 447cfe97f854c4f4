"""Timings in rounds: what benchmarks measure, write, read and print, all in one form.

In each round every contender of a group has a turn, so that what slows the machine down slows all of them. A ratio is
the median of the ratios within rounds. Google Benchmark's JSON is read as well.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COUNTERS = ("heap_calls", "resident_bytes", "tensor_bytes", "p50_us", "p99_9_us", "max_us")
OURS = "neutone"  # a group's contender that the others are compared with
EMPTY_CALL = "empty scripted call"  # of a script that copies its audio

Rounds = dict[str, list[float]]  # from a contender to nanoseconds per item, one for each round
Groups = dict[str, Rounds]


@dataclass
class Results:
    """What one or more benchmarks have found.

    Attributes:
        groups: Timings.
        figures: Anything else, by name: decibels, samples.
        counters: Of a native case (``group/contender``): bytes, calls, percentiles of single callbacks.
        context: Machine and libraries, by name.
    """

    groups: Groups = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, dict[str, float]] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


def in_turns(
    cases: Mapping[str, tuple[Callable[[], object], float]],
    n_rounds: int,
    clock_ns: Callable[[], int] = time.thread_time_ns,
) -> Rounds:
    """Time calls, each of which works on so many items.

    The clock is that of the processor in this thread, so that other processes do not count; what works in another
    process or thread needs ``time.perf_counter_ns``.
    """
    rounds: Rounds = {name: [] for name in cases}
    for call, _ in cases.values():
        call()
    for _ in range(n_rounds):
        for name, (call, n_items) in cases.items():
            start_ns = clock_ns()
            call()
            rounds[name].append((clock_ns() - start_ns) / n_items)
    return rounds


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Return how much longer ours takes: the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def quantile(values: list[float], share: float) -> float:
    """Return the value that so many are below."""
    return sorted(values)[round(share * (len(values) - 1))]


def with_unit(ns: float) -> str:
    """Return a duration to three digits; less than a femtosecond is nothing."""
    scale, unit = next(((s, u) for s, u in ((1e6, "ms"), (1e3, "µs")) if abs(ns) >= s), (1.0, "ns"))
    return f"{0.0 if abs(ns) < 1e-6 else float(f'{ns / scale:.3g}'):g} {unit}"


def rows(groups: Groups) -> Iterable[tuple[str, ...]]:
    """Return group, contender, median, 10th and 90th percentile, and how much longer ours takes, as text."""
    for group, rounds in groups.items():
        for name, values in sorted(rounds.items(), key=lambda item: item[0] != OURS):
            times = (with_unit(ns) for ns in (statistics.median(values), quantile(values, 0.1), quantile(values, 0.9)))
            is_compared = OURS in rounds and name != OURS
            yield group, name, *times, f"{ratio(rounds[OURS], values):.3g}" if is_compared else ""


HEADER = ("group", "contender", "median", "10 %", "90 %", "ours / this")


def print_groups(groups: Groups) -> None:
    """Print a table."""
    lines = [HEADER, *rows(groups)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    for line in lines:
        cells = (
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def write(path: Path, results: Results) -> None:
    """Write to a JSON file that ``read`` takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"groups": results.groups, "figures": results.figures, "context": results.context}))


def read(path: Path) -> Results:
    """Read what ``write`` or a native suite has written."""
    document = json.loads(path.read_text())
    if "benchmarks" in document:
        return _from_google_benchmark(document)
    return Results(document["groups"], document["figures"], {}, document["context"])


def _from_google_benchmark(document: dict[str, Any]) -> Results:
    results = Results(context=document["context"])
    to_ns = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
    runs = sorted(document["benchmarks"], key=lambda run: (run["family_index"], run["repetition_index"]))
    for run in runs:
        is_real = run["name"].endswith(("/real_time", "/manual_time"))
        name = re.sub(r"(/iterations:\d+)?(/(real|manual)_time)?$", "", run["name"])
        group, contender = name.rsplit("/", maxsplit=1)
        duration = run["real_time" if is_real else "cpu_time"] * to_ns[run["time_unit"]]
        results.groups.setdefault(group, {}).setdefault(contender, []).append(duration / run.get("items", 1.0))
        results.counters[name] = {key: run[key] for key in COUNTERS if key in run}
    return results


def run(description: str | None, measure: Callable[[bool], Results]) -> None:
    """Measure as the command line says, print the timings, and write them if asked to.

    Args:
        description: For ``--help``.
        measure: Gets whether it has to be quick.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    results = measure(arguments.quick)
    if results.groups:
        print_groups(results.groups)
    if arguments.json:
        write(arguments.json, results)
