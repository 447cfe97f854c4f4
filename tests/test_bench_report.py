"""The report of make bench, from small made-up results. Nothing is timed here."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.goals import MISSING, Timing, goal_rows
from benchmarks.native import SUITES, joined
from benchmarks.plots import comparisons, fit_line
from benchmarks.report import BEGIN, END, write_report
from benchmarks.rounds import Results, in_turns, ratio, read, rows, with_unit, write

MOST_BYTES = 60_000  # of a picture


def run(name: str, index: int, ns: float, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "family_index": 0, "repetition_index": index, "run_type": "iteration", "iterations": 1,
        "real_time": 100.0 * ns, "cpu_time": ns, "time_unit": "ns", **more,
    }  # fmt: skip


def suite(path: Path, runs: list[dict[str, Any]], **context: Any) -> Path:
    path.write_text(json.dumps({"context": {"num_cpus": 2, "mhz_per_cpu": 3000, **context}, "benchmarks": runs}))
    return path


def test_rounds_of_google_benchmark_are_read_in_order(tmp_path: Path) -> None:
    runs = [run("ring/one thread/neutone", index, ns) for index, ns in ((1, 20.0), (0, 10.0), (2, 30.0))]
    results = read(suite(tmp_path / "ring.json", runs))
    assert results.groups == {"ring/one thread": {"neutone": [10.0, 20.0, 30.0]}}


def test_time_is_shared_out_to_items_and_converted(tmp_path: Path) -> None:
    runs = [run("a/b/neutone", 0, 8.0, items=4.0, time_unit="us")]
    assert read(suite(tmp_path / "a.json", runs)).groups == {"a/b": {"neutone": [2000.0]}}


def test_the_clock_on_the_wall_counts_where_a_case_says_so(tmp_path: Path) -> None:
    runs = [run("ring/two threads/neutone/iterations:4000/real_time", 0, 5.0)]
    assert read(suite(tmp_path / "ring.json", runs)).groups == {"ring/two threads": {"neutone": [500.0]}}


def test_time_that_a_case_takes_itself_is_the_clocks(tmp_path: Path) -> None:
    runs = [run("engine/48000 Hz, 64 frames/neutone/manual_time", 0, 5.0, p50_us=0.25, other=1.0)]
    results = read(suite(tmp_path / "engine.json", runs))
    assert results.groups == {"engine/48000 Hz, 64 frames": {"neutone": [500.0]}}
    assert results.counters == {"engine/48000 Hz, 64 frames/neutone": {"p50_us": 0.25}}


def test_rounds_of_several_processes_are_numbered_on() -> None:
    context = {"num_cpus": 2}
    documents = [{"context": context, "benchmarks": [run("a/b", 1, ns), run("a/b", 0, 2.0 * ns)]} for ns in (1.0, 3.0)]
    document = joined(documents)
    assert document["context"] == context
    assert [(one["repetition_index"], one["cpu_time"]) for one in document["benchmarks"]] == [
        (1, 1.0), (0, 2.0), (3, 3.0), (2, 6.0),
    ]  # fmt: skip


def test_a_ratio_is_that_of_neighbours() -> None:
    # The machine is ten times slower in two of five rounds; medians would give 10 / 3.
    ours, theirs = [10.0, 1.0, 10.0, 10.0, 1.0], [30.0, 3.0, 30.0, 3.0, 3.0]
    assert ratio(ours, theirs) == pytest.approx(1 / 3)


def test_results_survive_being_written(tmp_path: Path) -> None:
    results = Results({"import": {"neutone": [1.0], "torch": [2.0]}}, {"decibels": [144.0]}, {}, {"rounds": 1})
    write(tmp_path / "x" / "import.json", results)
    assert read(tmp_path / "x" / "import.json") == results


def test_every_contender_has_a_turn_in_each_round() -> None:
    order: list[str] = []
    ticks = iter(range(0, 10_000, 10))
    rounds = in_turns(
        {"a": (lambda: order.append("a"), 1.0), "b": (lambda: order.append("b"), 2.0)}, 3, lambda: next(ticks)
    )
    assert rounds == {"a": [10.0] * 3, "b": [5.0] * 3}
    assert order == ["a", "b"] * 4  # the first round warms up


@pytest.mark.parametrize(
    ("ns", "text"), [(0.01234, "0.0123 ns"), (999.0, "999 ns"), (1_234.0, "1.23 µs"), (5.5e7, "55 ms"), (0.0, "0 ns")]
)
def test_durations_have_three_digits_and_a_unit(ns: float, text: str) -> None:
    assert with_unit(ns) == text


def test_tables_begin_with_ours_and_compare_only_with_it() -> None:
    lines = list(rows({"a": {"theirs": [4.0], "neutone": [2.0]}, "bounds": {"x": [1.0], "y": [2.0]}}))
    assert [line[1] for line in lines] == ["neutone", "theirs", "x", "y"]
    assert [line[-1] for line in lines] == ["", "0.5", "", ""]


def test_variants_of_ours_are_no_references() -> None:
    found = comparisons(
        {"a": {"neutone": [1.0], "neutone, fading": [2.0], "neutone high": [3.0], "neutone_sdk 1": [4.0]}}
    )
    assert found == [("a", "neutone_sdk 1", 0.25)]


@pytest.mark.parametrize("slope", [2.0, 0.0])
def test_a_line_is_found(slope: float) -> None:
    line = fit_line({str(x): [5.0 + slope * x] * 3 for x in (512, 64, 128)})
    assert line.x == [64.0, 128.0, 512.0]
    assert (line.offset, line.slope) == pytest.approx((5.0, slope), abs=1e-9)
    assert line.r_squared == pytest.approx(1.0, abs=1e-9) or slope == 0.0


def test_what_is_not_straight_has_a_low_r_squared() -> None:
    assert fit_line({"1": [1.0], "2": [9.0], "3": [1.0]}).r_squared < 0.1


@pytest.mark.parametrize(
    ("limit", "is_reached"),
    [({"at_most_ns": 10.0}, True), ({"at_most_ns": 9.0}, False), ({"at_most_of_reference": 0.5}, True),
     ({"at_most_of_reference": 0.4}, False), ({"at_most_of_bound": 5.0}, True), ({"at_most_of_bound": 4.0}, False)],
)  # fmt: skip
def test_a_goal_is_reached_or_not(limit: dict[str, float], is_reached: bool) -> None:
    goal = Timing("it", "a", "theirs", "", bound=lambda _: 2.0, bound_by="memcpy", **limit)  # type: ignore[arg-type]
    row = goal.row(Results({"a": {"neutone": [10.0], "theirs": [20.0]}}))
    assert (row.ours, row.ratio, row.bound, row.is_reached) == ("10 ns", "0.50", "2 ns (memcpy)", is_reached)


def test_a_goal_whose_reference_is_missing_is_open() -> None:
    row = Timing("it", "a", "theirs", "", at_most_of_reference=0.5).row(Results({"a": {"neutone": [10.0]}}))
    assert row.is_reached is None
    assert MISSING in row.reference


def test_without_results_every_goal_is_open() -> None:
    assert {(row.ours, row.is_reached) for row in goal_rows(Results())} == {(MISSING, None)}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    ring = [run(f"ring/one thread/{name}", 0, ns) for name, ns in (("neutone", 90.0), ("boost::lockfree", 100.0))]
    wrapper = [
        run(f"scaling/wrapper by instances/{n}", 0, 10.0 * n, tensor_bytes=2e5, resident_bytes=3e6) for n in (1, 2, 4)
    ]
    wrapper += [run("wrapper/48000 Hz, 512 frames/neutone", 0, 5000.0, heap_calls=12.0)]
    figures = {"p50_us": 0.25, "p99_9_us": 4.0, "max_us": 30.0, "heap_calls": 0.0}
    engine = [run("engine/48000 Hz, 512 frames/neutone/manual_time", 0, 300.0, **figures)]
    other = tmp_path / "blocks.json"
    write(other, Results({"blocks/conv": {"neutone": [1.0], "cached-conv==2.5.0": [2.0]}}))
    scaling = [run(f"scaling/fir by taps/{n}", 0, 10.0 * n) for n in (1, 2, 4)]
    return [
        suite(tmp_path / "ring.json", ring, kernel="AVX2", missing="soxr (Debian: libsoxr-dev)", compiler="GCC 12"),
        suite(tmp_path / "wrapper.json", wrapper),
        suite(tmp_path / "engine.json", engine),
        suite(tmp_path / "scaling.json", scaling),
        other,
    ]


def test_the_page_is_written_between_its_marks(files: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\nend\n")
    write_report(files, tmp_path)
    once = page.read_text()
    write_report(files, tmp_path)
    assert page.read_text() == once
    assert once.startswith(f"# Title\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\nend\n")
    assert "old" not in once
    for part in (
        "soxr (Debian: libsoxr-dev)", "GCC 12", "ring: AVX2", "| ring/one thread | boost::lockfree | 100 ns |",
        "| wrapper by instances | 0 ns | 10 ns | 1.0000 |", "| wrapper | 3.0 | 200 |",
        "| wrapper/48000 Hz, 512 frames | neutone | 12 |", "| engine/48000 Hz, 512 frames | neutone | 0 |",
        "| engine/48000 Hz, 512 frames | neutone | 250 ns | 4 µs | 30 µs |",
        "| callback of the engine at 48 kHz, a block of 512, p50 | 0.25 µs |  |  |  | ≤ 25 µs | yes |",
        "with the engine | 0 | neutone_sdk 1.5.2: not measured, ours through TorchScript: 12 |  |  | 0 | yes |",
    ):  # fmt: skip
        assert part in once


def test_its_pictures_are_small(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "benchmarks.md").write_text(BEGIN + END)
    write_report(files, tmp_path)
    pictures = sorted((tmp_path / "benchmarks").iterdir())
    assert [path.name for path in pictures] == ["blocks.png", "ratios.png", "scaling-parts.png", "scaling-wrapper.png"]
    for path in pictures:
        assert f"(benchmarks/{path.name})" in (tmp_path / "benchmarks.md").read_text()
        assert path.stat().st_size < MOST_BYTES
        assert len(np.unique(np.asarray(Image.open(path).convert("L")))) > 2


def test_the_pictures_of_the_page_are_there_and_small() -> None:
    docs = Path(__file__).parents[1] / "docs"
    for path in (docs / "benchmarks").glob("*.png"):
        assert path.stat().st_size < MOST_BYTES
        assert f"(benchmarks/{path.name})" in (docs / "benchmarks.md").read_text()


def test_every_native_suite_is_run() -> None:
    native = Path(__file__).parents[1] / "benchmarks" / "native"
    assert {path.stem for path in native.glob("*.cpp")} - {"main", "script", "resample_file"} == set(SUITES)
