"""The benchmarks on the command line. What a worker says is scripted here, but for where the real one is the point."""

import csv
import errno
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from torch import nn

from neutone_sdk.benchmark import Job, Timing, plots, speed, workers
from neutone_sdk.benchmark.__main__ import commands as old_commands
from neutone_sdk.cli.main import commands, run
from neutone_sdk.utils import save_neutone_model

from .wrappers import PassThrough, card

MS = 1_000_000
MODULE = [sys.executable, "-m", "neutone_sdk.benchmark"]
OLD_LINE = re.compile(r"Sample rate: +(\d+) \| Buffer size: +(\d+) \| duration: +([\d.]+)±([\d.]+) \| 1/RTF: +([\d.]+)")


class Result(NamedTuple):
    """What a command leaves behind."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Result]
Script = Callable[..., None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    facts = card(native_sample_rates=[48_000], native_buffer_sizes=[512])
    save_neutone_model(PassThrough(nn.Identity(), card=facts), folder, max_n_samples=0, speed_benchmark=False)
    return folder / "model.nm"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Result:
        is_old = str(arguments[0]).startswith("benchmark-") or arguments[0] == "profile"
        monkeypatch.setattr(sys, "argv", ["neutone", *([] if is_old else ["benchmark"]), *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            run(old_commands if is_old else commands)
        return Result(int(caught.value.code or 0), *capfd.readouterr())

    return command


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Let a process say what a worker would, and then end or hang."""

    def write(*messages: dict[str, Any], then: str = "") -> None:
        lines = "".join(f"print({json.dumps(message)!r}, flush=True)\n" for message in messages)
        code = f"import os, sys, threading\nsys.stdin.read()\n{lines}{then}\n"
        (tmp_path / "scripted_worker.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(workers, "MODULE", "scripted_worker")

    return write


def setting(size: int = 480, rate_hz: int = 48_000, n_planned: int = 4) -> dict[str, Any]:
    return {
        "setting": {
            "sample_rate_hz": rate_hz,
            "buffer_size": size,
            "model_rate_hz": 48_000,
            "model_block": 512,
            "n_planned": n_planned,
        }
    }


WARM_UP = {"warm_up_ns": [100 * MS, 2 * MS]}
CALLBACKS = {"callbacks_ns": [1 * MS, 2 * MS, 3 * MS, 14 * MS]}
END = {"end": {"n_preemptions": 3}}
WHOLE = (setting(), WARM_UP, CALLBACKS, END)


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


def test_a_model_that_is_too_slow_is_stopped_and_shown(call: Command, script: Script, model: Path) -> None:
    script(setting(n_planned=300), WARM_UP, {"callbacks_ns": [30 * MS]}, END)
    result = call("speed", model, "--max-seconds", 0.5)
    assert result.returncode == 0
    assert "1 of 1" in result.stdout
    assert "Stopped after 0.5 s, before all callbacks were made: 48000 Hz / 480." in result.stdout
    assert "Slower than real time at 1 of 1 settings" in result.stdout


@pytest.mark.filterwarnings("default")  # what users see
def test_a_callback_that_hangs_is_given_up(
    call: Command, script: Script, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "GRACE_SECONDS", 0.0)
    script(*WHOLE, setting(960), then="threading.Event().wait()")
    result = call("speed", model, "--max-seconds", 1.0)
    assert result.returncode == 0
    assert "1 of 4" in result.stdout
    assert result.stderr.startswith("Warning: stopped: a callback takes longer than the 1 s")


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ("print('no such thing', file=sys.stderr); sys.exit(3)", "ended with code 3: no such thing"),
        ("os.abort()", "ended with SIGABRT"),
    ],
)
def test_a_model_that_ends_its_process_is_one_line(
    call: Command, script: Script, model: Path, then: str, message: str
) -> None:
    script(*WHOLE, then=then)
    result = call("speed", model)
    assert result.returncode == 1
    assert "1 of 4" in result.stdout  # what there was
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_a_worker_raises_is_raised_here(call: Command, script: Script, model: Path) -> None:
    script(*WHOLE, {"error": "ModelOutputError", "message": "the model\x1b[31m failed"})
    result = call("speed", model)
    assert (result.returncode, result.stderr) == (1, "Error: the model[31m failed\n")
    assert "1 of 4" in result.stdout


@pytest.mark.parametrize("command", ["speed", "benchmark-speed", "profile", "latency", "benchmark-latency"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.nm",), "missing.nm is not a file"),
        (("other.nm",), "other.nm is not a model"),
        (("missing.nm", "--json"), "missing.nm is not a file"),
        (("model.nm", "--buffer-size", 0), "a buffer size must be 1 to 16777216, got 0"),
        (("model.nm", "--sample-rate", -48_000), "a sample rate must be 1 to 768000, got -48000"),
    ],
)
def test_bad_input_is_one_line(
    call: Command, model: Path, tmp_path: Path, command: str, arguments: tuple[object, ...], message: str
) -> None:
    (tmp_path / "other.nm").write_bytes(b"no model")
    (tmp_path / "model.nm").write_bytes(model.read_bytes())
    result = call(command, *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("speed", "model.nm", "--repeat", 0), "--repeat and --n-iters must be at least 1, got 0 and 30"),
        (("speed", "model.nm", "--n-iters", -1), "--repeat and --n-iters must be at least 1, got 10 and -1"),
        (("profile", "model.nm", "--n-iters", 0), "the number of callbacks must be 1 to 100000000, got 0"),
        (("speed", "model.nm", "--num-threads", 0), "the number of threads must be 1 to 1024, got 0"),
        (("speed", "model.nm", "--num-threads", 5_000), "the number of threads must be 1 to 1024, got 5000"),
        (("speed", "model.nm", "--max-seconds", 0), "max_seconds must be finite and above 0, got 0.0"),
        (("speed", "model.nm", "--plot", "nowhere/load.png"), "cannot write nowhere/load.png"),
        (("speed", "model.nm", "--plot", ""), "cannot write .: there is a folder of that name"),
        (("profile", "model.nm", "--trace", "nowhere/trace.json"), "cannot write nowhere/trace.json"),
        (("profile", "model.nm", "--trace", "t.json", "--buffer-size", 1, "--buffer-size", 2), "one setting, got 2"),
    ],
)
def test_bad_options_are_one_line(
    call: Command, model: Path, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    (tmp_path / "model.nm").write_bytes(model.read_bytes())
    result = call(*arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one model"),
        (("model.nm", "--model_file", "model.nm"), "name one model"),
        (("model.nm", "--json", "--csv"), "--json and --csv exclude one another"),
    ],
)
@pytest.mark.parametrize("command", ["speed", "latency"])
def test_what_contradicts_itself_is_misuse(
    call: Command, command: str, arguments: tuple[str, ...], message: str
) -> None:
    result = call(command, *arguments)
    assert result.returncode == 2
    assert message in result.stderr


@pytest.mark.filterwarnings("default")
def test_more_threads_than_cores_work_with_a_warning(
    call: Command, script: Script, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neutone_sdk.benchmark.job.n_usable_cores", lambda: 2)
    script(*WHOLE)
    result = call("speed", model, "--num-threads", 3)
    assert result.returncode == 0
    assert result.stderr.startswith("Warning: 3 threads share 2 cores")


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


@pytest.mark.parametrize(
    ("given", "knobs"),
    [
        ((), "default"),
        (("--use_params", "True"), "moving"),
        (("--use_params",), "moving"),
        (("--use_params", "0"), "default"),
    ],
)
def test_a_profile_turns_knobs_if_it_shall(
    call: Command, model: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], knobs: str
) -> None:
    jobs: list[Job] = []

    def measured(job: Job, _: Path | None) -> Generator[Timing, None, None]:
        jobs.append(job)
        yield from ()

    monkeypatch.setattr("neutone_sdk.cli.benchmark.profile.measure_profile", measured)
    assert call("profile", "--model_file", model, *given).returncode == 0
    assert [job.knobs for job in jobs] == [knobs]


def test_latency_shows_all_parts_and_the_recommendation(call: Command, model: Path) -> None:
    result = call("latency", model)
    assert result.returncode == 0, result.stderr
    for name in ("buffering", "resampling", "model", "total", "ms", "changing", "44100", "2048"):
        assert name in result.stdout
    assert "recommended sample rate / buffer size combination is sample rate 48000, buffer size 512" in result.stdout


def test_latency_of_1_x_has_its_lines(call: Command, model: Path) -> None:
    result = call("benchmark-latency", "--model_file", model)
    lines = re.findall(r"Total delay: +(\d+) \| \(Buffering delay: +(\d+) \| Model delay: +(\d+)\)", result.stderr)
    assert len(lines) == 10
    assert all(int(total) == int(buffering) + int(own) for total, buffering, own in lines)


def test_latency_of_1_x_recommends_on_the_same_stream(call: Command, model: Path) -> None:
    result = call("benchmark-latency", "--model_file", model, "--json", "--buffer_size", 256)
    assert result.stderr.splitlines()[-1].startswith("The recommended sample rate / buffer size combination is")
    assert len(json.loads(result.stdout)["settings"]) == 4


def test_latency_as_json_and_csv(call: Command, model: Path) -> None:
    settings = json.loads(call("latency", model, "--json", "--buffer-size", 128).stdout)["settings"]
    rows = list(csv.DictReader(call("latency", model, "--csv", "--buffer-size", 128).stdout.splitlines()))
    assert [str(each["total_samples"]) for each in settings] == [row["total_samples"] for row in rows]
    assert len(rows) == 4


@pytest.mark.parametrize("n_threads", [1, 2])
def test_real_callbacks_with_threads_of_their_own(call: Command, model: Path, n_threads: int) -> None:
    arguments = ("--num-threads", n_threads, "--num-interop-threads", n_threads)
    result = call("speed", model, "--buffer-size", 64, "--repeat", 1, "--n-iters", 20, "--json", *arguments)
    assert result.returncode == 0, result.stderr
    (found,) = json.loads(result.stdout)["settings"]
    assert found["n_callbacks"] == found["n_planned"] == 24  # whole blocks of the model
    assert min(found["callbacks_ns"]) > 0


def test_a_real_profile(call: Command, model: Path, tmp_path: Path) -> None:
    result = call("profile", "--model_file", model, "--n_iters", 4, "--use_params", "True", "--trace", "trace.json")
    assert result.returncode == 0, result.stderr
    for text in (
        "the faster half of 4 callbacks",
        "(between operators)",
        "Total CPU time",
        "CPU memory",
        "grouped by stack",
    ):
        assert text in result.stdout
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]


@pytest.mark.parametrize("command", ["speed", "profile"])
def test_ctrl_c_before_there_is_anything_says_so(
    call: Command, model: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def interrupted(*_: object) -> Generator[Timing, None, None]:
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(f"neutone_sdk.cli.benchmark.{command}.measure_{command}", interrupted)
    assert call(command, model) == Result(1, "", "Error: interrupted; nothing was measured until then\n")


# What a shell starts in the background ignores Ctrl-C, and so does what that starts, unless told otherwise.
HEEDING_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child alone")
def test_ctrl_c_prints_what_there_is(model: Path) -> None:
    sizes = [text for size in range(64, 124) for text in ("--buffer_size", str(size))]
    endless = ["--n_iters", "1000000", "--max-seconds", "1"]
    python, *module = MODULE
    command = [python, "-c", HEEDING_CTRL_C, *module, "benchmark-speed", "--model_file", str(model), *sizes, *endless]
    command.append("--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr is not None
        first_line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
    assert OLD_LINE.search(first_line)
    assert process.returncode == 1
    settings = json.loads(stdout)["settings"]
    assert settings[0]["callbacks_ns"]
    assert len(settings) < 60
    assert "Error: interrupted; this is what was measured until then" in stderr
    assert "Traceback" not in stderr
