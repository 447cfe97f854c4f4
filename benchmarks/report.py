"""Write docs/benchmarks.md from the JSON of a run: python -m benchmarks.report FILE ... [--docs FOLDER].

Only what stands between the two marks is written anew, and the plots.
"""

import argparse
import datetime as dt
import platform
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.goals import goal_rows
from benchmarks.plots import draw_ratios, draw_scaling, fit_line
from benchmarks.rounds import HEADER, Groups, Results, read, rows, with_unit

BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"
LIBRARIES = (
    "libbenchmark-dev", "libboost-dev", "libsoxr-dev", "libzita-resampler-dev", "libsamplerate0-dev", "libspeexdsp-dev",
)  # fmt: skip
PACKAGES = ("torch", "numpy", "scipy")


def merge(named: Iterable[tuple[str, Results]]) -> Results:
    """Return all results as one; contexts by the name of their benchmark."""
    merged = Results()
    for name, results in named:
        merged.groups.update(results.groups)
        merged.figures.update(results.figures)
        merged.counters.update(results.counters)
        merged.context[name] = results.context
    return merged


def processor() -> str:
    """Return the name of the processor, as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", maxsplit=1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor()


def library_versions() -> str:
    """Return the versions of what we compare with, as Debian's package manager knows them."""
    if shutil.which("dpkg-query") is None:
        return "unknown"
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}, ", *LIBRARIES]
    result = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    return result.stdout.rstrip(", ") or "none"


def package_versions() -> str:
    """Return the versions of Python packages that take part."""
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return the lines of a table in Markdown."""
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for cells in lines:
        yield f"| {' | '.join(cells)} |"
    yield ""


def machine_lines(results: Results) -> Iterator[str]:
    """Return what the run was made on and with."""
    native = [context for context in results.context.values() if "num_cpus" in context]
    first = native[0] if native else {}
    kernels = {name: context["kernel"] for name, context in results.context.items() if "kernel" in context}
    missing = sorted({context["missing"] for context in native if context.get("missing")})
    load = first.get("load_avg") or ["unknown"]
    yield from table(
        ("", ""),
        [
            ("date", dt.datetime.now(tz=dt.timezone.utc).strftime("%Y-%m-%d")),
            ("processor", f"{processor()}, {first.get('mhz_per_cpu', 'unknown')} MHz"),
            ("system", f"{platform.system()} {platform.release()}, load {load[0]} at the start"),
            ("compiler", str(first.get("compiler", "unknown"))),
            ("kernels chosen", ", ".join(f"{name}: {kernel}" for name, kernel in kernels.items()) or "unknown"),
            ("Python", f"{platform.python_version()}, {package_versions()}"),
            ("libraries", library_versions()),
            ("not installed", "; ".join(missing) or "nothing"),
        ],
    )


def goal_lines(results: Results) -> Iterator[str]:
    """Return the table of goals."""
    words = {True: "yes", False: "**no**", None: ""}
    header = ("what", "ours", "best known elsewhere", "ratio", "bound", "to reach", "reached")
    yield from table(
        header,
        (
            (row.what, row.ours, row.reference, row.ratio, row.bound, row.reach, words[row.is_reached])
            for row in goal_rows(results)
        ),
    )


def scaling_lines(groups: Groups, counters: dict[str, dict[str, float]]) -> Iterator[str]:
    """Return the table of lines, and what an instance weighs."""
    lines = {group.removeprefix("scaling/"): fit_line(rounds) for group, rounds in groups.items()}
    yield from table(
        ("block through", "at 0", "for each more", "R²"),
        (
            (what, with_unit(line.offset), with_unit(line.slope), f"{line.r_squared:.4f}")
            for what, line in lines.items()
        ),
    )
    weights = {
        case.rsplit(" by ", maxsplit=1)[0].removeprefix("scaling/"): found
        for case, found in counters.items()
        if found.get("tensor_bytes")
    }
    yield from table(
        ("an instance of", "resident, MB", "tensors, kB"),
        (
            (what, f"{found['resident_bytes'] / 1e6:.1f}", f"{found['tensor_bytes'] / 1e3:.0f}")
            for what, found in weights.items()
        ),
    )


def heap_lines(counters: dict[str, dict[str, float]]) -> Iterator[str]:
    """Return the table of calls to the heap."""
    cases = {case: found["heap_calls"] for case, found in counters.items() if "heap_calls" in found}
    yield from table(
        ("", "contender", "calls to the heap, a callback"),
        (
            (*case.rsplit("/", maxsplit=1), f"{calls:.0f}")
            for case, calls in cases.items()
            if case.startswith(("wrapper/", "engine/"))
        ),
    )


def callback_lines(counters: dict[str, dict[str, float]]) -> Iterator[str]:
    """Return the table of single callbacks of the engine."""
    columns = ("p50_us", "p99_9_us", "max_us")
    yield from table(
        ("", "contender", "p50", "p99.9", "max"),
        (
            (*case.rsplit("/", maxsplit=1), *(with_unit(1e3 * found[column]) for column in columns))
            for case, found in counters.items()
            if all(column in found for column in columns)
        ),
    )


def split(groups: Groups) -> tuple[Groups, Groups]:
    """Return the groups whose contenders are sizes, and the others."""
    scaling = {group: rounds for group, rounds in groups.items() if group.startswith("scaling/")}
    return scaling, {group: rounds for group, rounds in groups.items() if group not in scaling}


def report_lines(results: Results) -> Iterator[str]:
    """Return all that is generated, line by line."""
    scaling, others = split(results.groups)
    yield "## The run"
    yield ""
    yield from machine_lines(results)
    yield "## Numbers to reach"
    yield ""
    yield from goal_lines(results)
    yield "## Beside others"
    yield ""
    yield "![Time of ours over that of each reference](benchmarks/ratios.png)"
    yield ""
    yield "![The same for blocks of models](benchmarks/blocks.png)"
    yield ""
    yield from table(HEADER, rows(others))
    yield "## Calls to the heap"
    yield ""
    yield from heap_lines(results.counters)
    yield "## Single callbacks of the engine"
    yield ""
    yield from callback_lines(results.counters)
    yield "## Scaling"
    yield ""
    yield "![Cost of the parts against size](benchmarks/scaling-parts.png)"
    yield ""
    yield "![Cost of the wrapper against size](benchmarks/scaling-wrapper.png)"
    yield ""
    yield from scaling_lines(scaling, results.counters)


def draw(results: Results, folder: Path) -> None:
    """Draw all plots."""
    scaling, others = split(results.groups)
    wrapper = {group: rounds for group, rounds in scaling.items() if group.startswith("scaling/wrapper")}
    parts = {group: rounds for group, rounds in scaling.items() if group not in wrapper}
    blocks = {group: rounds for group, rounds in others.items() if group.startswith("blocks/")}
    draw_ratios({group: rounds for group, rounds in others.items() if group not in blocks}, folder / "ratios.png")
    draw_ratios(blocks, folder / "blocks.png")
    draw_scaling(parts, folder / "scaling-parts.png")
    draw_scaling(wrapper, folder / "scaling-wrapper.png")


def write_report(paths: Iterable[Path], docs: Path) -> None:
    """Write the page's generated part, and its plots."""
    results = merge((path.stem, read(path)) for path in paths)
    page = docs / "benchmarks.md"
    before, rest = page.read_text().split(BEGIN)
    _, after = rest.split(END)
    page.write_text("\n".join([before + BEGIN, "", *report_lines(results), END + after]))
    draw(results, docs / "benchmarks")


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    write_report(arguments.files, arguments.docs)


if __name__ == "__main__":
    main()
