"""``neutone benchmark realtime``. Workers are scripted, or models held back by a gate: no time decides."""

import csv
import json
import re
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from neutone_sdk.benchmark import Job, Run, playing, realtime
from neutone_sdk.benchmark.__main__ import commands as old_commands
from neutone_sdk.benchmark.realtime import FIND_SIZES, find_verdict, smallest_safe_sizes, verdict
from neutone_sdk.cli.main import run as run_commands
from neutone_sdk.realtime import Audio, FileModel, SimulatedDevice
from tests.conftest import Neutone

from .scripted import MS, Command, Script


@pytest.fixture
def call(neutone: Neutone, model: Path) -> Command:
    return lambda *arguments: neutone("benchmark", "realtime", model, *arguments)


def setting(size: int = 480, rate_hz: int = 48_000, **values: Any) -> tuple[dict[str, Any], ...]:
    """What is said of a setting with 100 callbacks and 94 blocks of 512, one of which took 20 ms."""
    facts = {"model_rate_hz": 48_000, "model_block": 512, "latency_samples": 1_504, "blocks": 94}
    durations = {
        "callbacks_ns": [10_000] * 99 + [30_000],
        "wake_ups_ns": [50_000] * 100,
        "worker_ns": [2 * MS] * 93 + [20 * MS],
    }
    return (
        {"begin": {"sample_rate_hz": rate_hz, "buffer_size": size, "mode": "two-blocks"}},
        {"values": {**facts, **values}, "durations": durations},
        {"is_over": True},
    )


GLITCHY = {"late_blocks": 3, "missing_samples": 1_440}


def test_a_clean_run_is_told_and_passes(call: Command, script: Script) -> None:
    script(*setting())
    result = call()
    assert (result.returncode, result.stderr) == (0, "")
    rows = [re.split(r" {2,}", line.strip()) for line in result.stdout.splitlines()[1:5]]
    assert rows == [
        ["rate", "block", "latency", "late", "missing", "time of", "deadline", "p50", "p99", "p99.9", "max"],
        ["48000", "480", "1504", "0 of 94", "0", "worker", "10667", "2000", "20000", "20000", "20000"],
        ["callback", "10000", "10.0", "10.0", "30.0", "30.0"],
        ["wake-up", "10000", "50.0", "50.0", "50.0", "50.0"],
    ]
    assert result.stdout.splitlines()[-1] == (
        "It plays here without a glitch: nothing was missing in 1 s at 48000 Hz / 480; "
        "the model took 20000 us at most for a block, the deadline is 10667 us."
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (GLITCHY, "3 of 94 blocks were late and 1440 samples missing"),
        ({"failed_blocks": 2, "last_error": "ValueError: no"}, "the model failed in 2 of 94 blocks (ValueError: no)"),
        ({"muted_blocks": 1}, "it returned NaN or infinity in 1 of 94 blocks"),
    ],
    ids=["late", "failed", "muted"],
)
def test_a_glitch_is_told_and_fails(call: Command, script: Script, values: dict[str, Any], told: str) -> None:
    script(*setting(**values))
    result = call()
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == f"It glitches here: {told} in 1 s at 48000 Hz / 480."
    assert result.stderr == ""


@pytest.mark.parametrize("format_", ["--json", "--csv"])
def test_the_verdict_goes_beside_what_programs_read(call: Command, script: Script, format_: str) -> None:
    script(*setting(), *setting(960, **GLITCHY))
    result = call(format_)
    assert result.returncode == 1
    assert "It glitches here at 1 of 2 settings: 3 of 94 blocks were late" in result.stderr
    assert "glitches" not in result.stdout


def test_json_keeps_everything(call: Command, script: Script, model: Path) -> None:
    script(*setting(**GLITCHY, refusal="Operation not permitted", n_overruns=2))
    report = json.loads(call("--json").stdout)
    (found,) = report["settings"]
    assert (report["model"], report["n_threads"]) == (str(model), 1)
    assert found["worker_ns"] == [2 * MS] * 93 + [20 * MS]
    assert (len(found["callbacks_ns"]), len(found["wake_ups_ns"])) == (100, 100)
    expected = {
        **GLITCHY,
        "mode": "two-blocks",
        "latency_samples": 1_504,
        "refusal": "Operation not permitted",
        "n_overruns": 2,
        "seconds": 1.0,
        "is_clean": False,
        "worker_p50_us": 2_000.0,
        "worker_max_us": 20_000.0,
        "callback_p99_9_us": 30.0,
        "wake_up_p99_us": 50.0,
        "callback_deadline_us": 10_000.0,
    }
    assert {name: found[name] for name in expected} == expected


def test_csv_is_a_line_a_setting(call: Command, script: Script) -> None:
    script(*setting(), *setting(960, **GLITCHY))
    rows = list(csv.DictReader(call("--csv").stdout.splitlines()))
    assert [(row["buffer_size"], row["missing_samples"], row["worker_max_us"]) for row in rows] == [
        ("480", "0", "20000.0"),
        ("960", "1440", "20000.0"),
    ]


def test_what_priority_the_device_had_is_said(call: Command, script: Script) -> None:
    script(*setting())
    assert "had real-time priority (SCHED_FIFO)" in call().stdout
    script(*setting(refusal="Operation not permitted", n_overruns=7))
    said = call().stdout
    assert "had no real-time priority (Operation not permitted)" in said
    assert "woke the device's thread 7 times after the next callback was due" in said


def test_the_plot_is_a_picture(call: Command, script: Script) -> None:
    no_blocks = setting(960)
    no_blocks[1]["durations"]["worker_ns"] = []
    no_blocks[1]["durations"]["wake_ups_ns"][0] = 0
    script(*setting(), *no_blocks)
    assert call("--plot", "load.png").returncode == 0
    with Image.open("load.png") as picture:
        assert min(picture.size) > 300


def test_what_was_measured_until_an_error_is_shown(call: Command, script: Script) -> None:
    script(*setting(), {"error": "ModelOutputError", "message": "failed"})
    result = call()
    assert (result.returncode, result.stderr) == (1, "Error: failed\n")
    assert "0 of 94" in result.stdout


def test_a_process_that_ends_is_one_line(call: Command, script: Script) -> None:
    script(setting()[0], then="os.abort()")
    result = call()
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "Error: the process that ran the model ended with SIGABRT\n"


@pytest.mark.filterwarnings("default")  # what users see
def test_a_block_that_hangs_is_given_up(call: Command, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "GRACE_SECONDS", 0.0)
    script(*setting(), setting(960)[0], then="threading.Event().wait()")
    result = call("--seconds", 3)
    assert "0 of 94" in result.stdout
    assert result.stderr.startswith("Warning: stopped: a callback takes longer than the 3 s")


def test_ctrl_c_prints_what_there_is(call: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Generator[Run, None, None]:
        yield Run(48_000, 480, "two-blocks", 48_000, 512, callbacks_ns=[1_000], wake_ups_ns=[0])
        raise KeyboardInterrupt

    monkeypatch.setattr("neutone_sdk.cli.benchmark.realtime.measure_realtime", interrupted)
    result = call()
    assert result.returncode == 1
    assert "0 of 0" in result.stdout
    assert result.stderr == "Error: interrupted; this is what was measured until then\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.nm",), "missing.nm is not a file"),
        (("other.nm",), "other.nm is not a model"),
        (("model.nm", "--buffer-size", 0), "a buffer size must be 1 to 16777216, got 0"),
        (("model.nm", "--sample-rate", 0), "a sample rate must be 1 to 768000, got 0"),
        (("model.nm", "--seconds", 0), "--seconds must be finite and above 0, got 0.0"),
        (("model.nm", "--seconds", "nan"), "--seconds must be finite and above 0, got nan"),
        (("model.nm", "--num-threads", 0), "the number of threads must be 1 to 1024, got 0"),
        (("model.nm", "--plot", "nowhere/load.png"), "cannot write nowhere/load.png"),
    ],
)
def test_bad_input_is_one_line(
    neutone: Neutone, model: Path, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    (tmp_path / "other.nm").write_bytes(b"no model")
    (tmp_path / "model.nm").write_bytes(model.read_bytes())
    result = neutone("benchmark", "realtime", *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json", "--csv"), "--json and --csv exclude one another"),
        (("--mode", "blocking"), "Invalid value for '--mode'"),
        (("--knobs", "up"), "Invalid value for '--knobs'"),
    ],
)
def test_what_contradicts_itself_is_misuse(call: Command, arguments: tuple[str, ...], message: str) -> None:
    result = call(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


def runs(*sizes_and_missing: tuple[int, int], rate_hz: int = 48_000) -> list[Run]:
    return [
        Run(rate_hz, size, "two-blocks", 48_000, 512, late_blocks=missing, missing_samples=missing, callbacks_ns=[1])
        for size, missing in sizes_and_missing
    ]


def test_a_size_is_safe_if_all_larger_ones_are() -> None:
    tried = [*runs((512, 0), (128, 9), (64, 0), (256, 0)), *runs((512, 1), (256, 0), rate_hz=96_000)]
    assert smallest_safe_sizes(tried) == {48_000: 256, 96_000: None}
    assert find_verdict(tried).startswith(
        "The smallest safe buffer size here: 256 samples at 48000 Hz, none up to 512 at 96000 Hz;"
    )


def test_one_sentence_answers_for_many_settings() -> None:
    assert verdict(runs((512, 0), (256, 0))) == "It plays here without a glitch at all 2 settings."
    assert "at 1 of 2 settings" in verdict(runs((512, 0), (256, 1)))
    assert "too short for any block" in verdict(runs((512, 0)))


@pytest.mark.parametrize(("n_safe", "code"), [(3, 0), (0, 1)])
def test_the_smallest_safe_size_is_told(call: Command, script: Script, n_safe: int, code: int) -> None:
    safe = [message for size in FIND_SIZES[:n_safe] for message in setting(size)]
    script(*safe, *setting(FIND_SIZES[n_safe], **GLITCHY))
    result = call("--find-buffer-size")
    assert result.returncode == code
    size = f"{FIND_SIZES[n_safe - 1]} samples" if n_safe else f"none up to {FIND_SIZES[0]}"
    assert f"The smallest safe buffer size here: {size} at 48000 Hz" in result.stdout


def played(job: Job, mode: str = "two-blocks", *, finds: bool = False) -> list[Run]:
    """Play with the real engine and device, in this process."""
    runs: list[Run] = []
    for message in playing.play_settings(job, mode, finds):
        run = realtime.updated(None if "begin" in message else runs.pop(), message)
        runs.append(run)
    assert all(run.is_over for run in runs)
    return runs


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models say nothing before the device is done."""
    gate = threading.Event()

    def process(_: FileModel, audio: Audio, __: Audio) -> Audio:
        gate.wait()
        return audio

    class Device(SimulatedDevice):
        def wait(self, seconds: float) -> bool:
            is_over = super().wait(seconds)
            if is_over:
                gate.set()
            return is_over

    monkeypatch.setattr(FileModel, "process", process)
    monkeypatch.setattr(playing, "SimulatedDevice", Device)


@pytest.mark.usefixtures("held_back")
@pytest.mark.parametrize("mode", realtime.MODES)
def test_what_a_model_that_stalls_misses_is_counted_exactly(model: Path, mode: str) -> None:
    (run,) = played(Job(model=model, buffer_sizes=(256,), max_seconds=0.5), mode)
    n_due = 94 * 256 - run.latency_samples
    assert len(run.callbacks_ns) == len(run.wake_ups_ns) == 94
    assert (run.missing_samples, run.late_blocks, run.blocks) == (n_due, -(-n_due // 512), 47)
    assert not run.is_clean


@pytest.mark.usefixtures("held_back")
def test_the_search_ends_where_something_is_missing(model: Path) -> None:
    job = Job(model=model, sample_rates_hz=(48_000, 44_100), buffer_sizes=FIND_SIZES, max_seconds=0.3)
    first, *others = played(job, finds=True)
    assert (first.sample_rate_hz, first.buffer_size) == (48_000, FIND_SIZES[0])
    assert first.missing_samples > 0
    assert {run.sample_rate_hz for run in others} == {44_100}


@pytest.mark.parametrize("is_mono", [True, False])
def test_real_models_are_timed_block_for_block(model: Path, is_mono: bool) -> None:
    job = Job(model=model, sample_rates_hz=(44_100,), buffer_sizes=(64,), max_seconds=0.2, is_mono=is_mono)
    (run,) = played(job)
    assert (run.model_rate_hz, run.model_block, run.failed_blocks, run.muted_blocks) == (48_000, 512, 0, 0)
    assert len(run.callbacks_ns) == len(run.wake_ups_ns) == 138
    assert 0 < len(run.worker_ns) <= run.blocks
    assert min(run.worker_ns) > 0
    assert run.latency_samples > 512


def test_a_real_run_agrees_with_its_verdict(call: Command) -> None:
    result = call("--seconds", 0.3, "--buffer-size", 256, "--knobs", "moving", "--json")
    (found,) = json.loads(result.stdout)["settings"]
    assert (found["n_callbacks"], found["blocks"], found["failed_blocks"]) == (57, 28, 0)
    assert result.returncode == (0 if found["missing_samples"] == 0 else 1)
    assert ("without a glitch" in result.stderr) == found["is_clean"] == (found["missing_samples"] == 0)


def test_it_is_beside_the_commands_of_1_x(
    model: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    script(*setting())
    monkeypatch.setattr(sys, "argv", ["benchmark", "benchmark-realtime", "--model_file", str(model)])
    with pytest.raises(SystemExit) as caught:
        run_commands(old_commands)
    assert not caught.value.code
    assert "It plays here without a glitch" in capfd.readouterr().out
