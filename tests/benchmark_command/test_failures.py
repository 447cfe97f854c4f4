"""Bad input, models that fail or hang, and Ctrl-C: a line each, and what there is is shown."""

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from neutone_sdk.benchmark import Timing, speed
from tests.conftest import Result

from .scripted import END, MODULE, MS, OLD_LINE, WARM_UP, WHOLE, Command, Script, setting


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


@pytest.mark.parametrize("command", ["speed", "profile"])
def test_ctrl_c_before_there_is_anything_says_so(
    call: Command, model: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def interrupted(*_: object) -> Generator[Timing, None, None]:
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(f"neutone_sdk.cli.benchmark.{command}.measure_{command}", interrupted)
    assert call(command, model) == Result(1, "", "Error: interrupted; nothing was measured until then\n")


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
