"""What `neutone benchmark speed` shows: tables, JSON, CSV, plots, the lines of 1.x."""

import csv
import errno
import io
import json
import re
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neutone_sdk.benchmark import Job, Timing, plots
from tests.conftest import Result

from .scripted import CALLBACKS, END, MS, OLD_LINE, WARM_UP, WHOLE, Command, Script, setting


def test_the_table_has_every_column(call: Command, script: Script, model: Path) -> None:
    script(*WHOLE)
    result = call("speed", model)
    assert result.returncode == 0, result.stderr
    names, values = (re.split(r" {2,}", line.strip()) for line in result.stdout.splitlines()[1:3])
    assert dict(zip(names, values, strict=True)) == {
        "rate": "48000",
        "block": "480",
        "deadline": "10000",
        "mean": "5000",
        "p50": "2000",
        "p99": "14000",
        "p99.9": "14000",
        "max": "14000",
        "load": "50 %",
        "1/RTF": "2",
        "late": "1 of 4",
        "warm-up": "100000",
    }
    assert "took the core away 3 times" in result.stdout
    assert result.stderr == ""


def test_json_keeps_every_callback(call: Command, script: Script, model: Path) -> None:
    script(*WHOLE)
    report = json.loads(call("speed", model, "--json", "--num-threads", "1").stdout)
    (first,) = report["settings"]
    assert first["callbacks_ns"] == CALLBACKS["callbacks_ns"]
    assert first["warm_up_ns"] == WARM_UP["warm_up_ns"]
    assert (first["mean_us"], first["p99_9_us"], first["n_late"], first["load"]) == (5_000, 14_000, 1, 0.5)
    assert (report["model"], report["n_threads"]) == (str(model), 1)


@pytest.mark.parametrize("format_", [(), ("--json",), ("--csv",)])
def test_nothing_is_shown_of_what_was_not_measured(
    call: Command, script: Script, model: Path, format_: tuple[str, ...]
) -> None:
    script(setting(), WARM_UP, {"error": "ModelOutputError", "message": "failed"})
    assert call("speed", model, *format_, "--plot", "load.png") == Result(1, "", "Error: failed\n")
    assert not Path("load.png").exists()


def test_numbers_have_no_exponents(call: Command, script: Script, model: Path) -> None:
    script(setting(480), WARM_UP, {"callbacks_ns": [2_000]}, END, setting(960), WARM_UP, {"callbacks_ns": [MS**2]}, END)
    fast, slow = call("speed", model).stdout.splitlines()[2:4]
    assert fast.split()[8:11] == ["0.02", "%", "5000"]
    assert slow.split()[8:11] == ["5000000", "%", "2e-05"]


def test_csv_is_a_line_a_setting(call: Command, script: Script, model: Path) -> None:
    script(*WHOLE, setting(960), WARM_UP, CALLBACKS, END)
    rows = list(csv.DictReader(call("speed", model, "--csv").stdout.splitlines()))
    assert [(row["buffer_size"], row["n_callbacks"], row["max_us"]) for row in rows] == [
        ("480", "4", "14000.0"),
        ("960", "4", "14000.0"),
    ]


def test_the_plot_is_a_picture(call: Command, script: Script, model: Path) -> None:
    script(*WHOLE, setting(960), WARM_UP, CALLBACKS, END, setting(960, 96_000), WARM_UP)
    assert call("speed", model, "--plot", "load.png").returncode == 0
    with Image.open("load.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
    assert min(pixels.shape[:2]) > 300


def test_the_plot_is_there_also_if_nobody_reads_the_table(
    call: Command, script: Script, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("neutone_sdk.cli.benchmark.speed.show", closed)
    script(*WHOLE)
    assert call("speed", model, "--plot", "load.png").returncode == 1
    assert Path("load.png").read_bytes().startswith(b"\x89PNG")


def test_names_of_files_mean_nothing_to_tables_and_plots(call: Command, script: Script, model: Path) -> None:
    name = "[red]a$b_$.nm"
    Path(name).write_bytes(model.read_bytes())
    script(*WHOLE)
    result = call("speed", name, "--plot", "load.png")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(name)


def test_the_size_of_a_plot_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_MAX_PIXELS", 600)
    timings = [Timing(48_000, size, 48_000, size, 1, [MS], [MS]) for size in (64, 128, 256)]
    with Image.open(io.BytesIO(plots.speed_picture(timings, ""))) as picture:
        assert max(picture.size) in {599, 600}


def test_the_lines_of_1_x_are_there(call: Command, script: Script, model: Path) -> None:
    script(*WHOLE)
    result = call("benchmark-speed", "--model_file", model, "--buffer_size", 480, "--repeat", 2, "--n_iters", 2)
    assert OLD_LINE.findall(result.stderr) == [("48000", "480", "0.010", "0.007", "2.000")]
    assert "1/RTF" in result.stdout


@pytest.mark.parametrize(
    ("mono", "is_mono"),
    [((), False), (("--daw_is_mono",), True), (("--daw_is_mono", "True"), True), (("--daw_is_mono", "False"), False)],
)
def test_the_command_line_of_1_x_goes_on_working(
    call: Command, model: Path, monkeypatch: pytest.MonkeyPatch, mono: tuple[str, ...], is_mono: bool
) -> None:
    jobs: list[Job] = []

    def measured(job: Job) -> Generator[Timing, None, None]:
        jobs.append(job)
        yield from ()

    monkeypatch.setattr("neutone_sdk.cli.benchmark.speed.measure_speed", measured)
    old = ("--buffer_size", 64, "--buffer_size", 128, "--sample_rate", 44_100, "--repeat", 2, "--n_iters", 3, *mono)
    result = call("benchmark-speed", "--model_file", model, *old, "--num_threads", 2, "--num_interop_threads", 2)
    assert (result.returncode, result.stderr) == (0, "")
    fields = {"sample_rates_hz": (44_100,), "buffer_sizes": (64, 128), "n_callbacks": 6, "is_mono": is_mono}
    assert jobs == [Job(model=model, n_threads=2, n_interop_threads=2, **fields)]  # type: ignore[arg-type]


@pytest.mark.parametrize("n_threads", [1, 2])
def test_real_callbacks_with_threads_of_their_own(call: Command, model: Path, n_threads: int) -> None:
    arguments = ("--num-threads", n_threads, "--num-interop-threads", n_threads)
    result = call("speed", model, "--buffer-size", 64, "--repeat", 1, "--n-iters", 20, "--json", *arguments)
    assert result.returncode == 0, result.stderr
    (found,) = json.loads(result.stdout)["settings"]
    assert found["n_callbacks"] == found["n_planned"] == 24  # whole blocks of the model
    assert min(found["callbacks_ns"]) > 0
