"""The command line, run as users run it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from torch import nn

from neutone_sdk import CategoricalNeutoneParameter, WaveformToWaveformBase, __version__
from neutone_sdk.cli import main
from neutone_sdk.utils import save_neutone_model

from .conftest import Noise
from .wrappers import GAIN, Choosing, Delaying, PassThrough, Stamped, card


class Result(NamedTuple):
    """What a command leaves behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]
RATE_HZ = 44_100


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: starting another one for each test would take minutes."""
    monkeypatch.chdir(tmp_path)

    def neutone(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["neutone", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        return Result(int(caught.value.code or 0), *capfd.readouterr())

    return neutone


@pytest.fixture
def clip(tmp_path: Path, noise: Noise) -> np.ndarray:
    audio = 0.5 * noise(2, 5_001, 0).T.numpy()
    soundfile.write(tmp_path / "in.wav", audio, RATE_HZ, subtype="FLOAT")
    return audio


def export(folder: Path, wrapper: WaveformToWaveformBase) -> Path:
    save_neutone_model(wrapper, folder)
    return folder / "model.nm"


@pytest.mark.parametrize("buffer_size", [1, 64, 441, 512, 10_000])
def test_render_takes_the_latency_out(tmp_path: Path, run: Run, clip: np.ndarray, buffer_size: int) -> None:
    model = export(tmp_path, Delaying(nn.Identity(), card(native_buffer_sizes=[512])))

    result = run("render", model, "in.wav", "out.wav", "--buffer-size", buffer_size)

    assert result.returncode == 0, result.stderr
    played, rate_hz = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    np.testing.assert_array_equal(played, clip)
    assert "+ 37 model" in result.stdout


@pytest.mark.parametrize("value", [-1, 0, 0.25, 3])
def test_render_sets_parameters_in_their_own_unit(tmp_path: Path, run: Run, clip: np.ndarray, value: float) -> None:
    model = export(tmp_path, Stamped(nn.Identity(), card=card(native_buffer_sizes=[1], parameters=[GAIN])))

    result = run("render", model, "in.wav", "out.wav", "--param", f"gain = {value}")

    assert result.returncode == 0, result.stderr
    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_allclose(played, clip * value + clip, rtol=0, atol=4e-7)  # float32 knob and products


@pytest.mark.parametrize(("choice", "gain"), [("double", 2.0), ("1", 1.0)])
def test_render_takes_a_choice_by_label_or_number(
    tmp_path: Path, run: Run, clip: np.ndarray, choice: str, gain: float
) -> None:
    mode = CategoricalNeutoneParameter("mode", "", 3, 0, ["off", "plain", "double"])
    model = export(tmp_path, Choosing(nn.Identity(), card=card(parameters=[mode])))

    result = run("render", model, "in.wav", "out.wav", "--param", f"mode={choice}")

    assert result.returncode == 0, result.stderr
    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(played, clip * np.float32(gain))


@pytest.mark.parametrize("file_format", ["wav", "flac", "ogg", "mp3"])
def test_render_writes_all_formats(tmp_path: Path, run: Run, clip: np.ndarray, file_format: str) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    result = run("render", model, "in.wav", f"out.{file_format}")
    assert result.returncode == 0, result.stderr
    info = soundfile.info(tmp_path / f"out.{file_format}")
    assert (info.format, info.channels, info.samplerate) == (file_format.upper(), 2, RATE_HZ)
    assert abs(info.frames - len(clip)) <= (2 * 1152 if file_format == "mp3" else 0)  # MP3 pads to whole frames


@pytest.mark.parametrize(("channels", "n_channels"), [("1", 1), ("2", 2)])
def test_render_as_mono_or_stereo(tmp_path: Path, run: Run, clip: np.ndarray, channels: str, n_channels: int) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    assert run("render", model, "in.wav", "out.wav", "--channels", channels).returncode == 0
    assert soundfile.info(tmp_path / "out.wav").channels == n_channels


def test_info_shows_facts_and_parameters(tmp_path: Path, run: Run) -> None:
    mode = CategoricalNeutoneParameter("mode", "which one", 2, 1, ["soft", "hard"])
    model = export(tmp_path, Stamped(nn.Identity(), card=card(native_buffer_sizes=[512], parameters=[GAIN, mode])))
    result = run("info", model)
    assert result.returncode == 0, result.stderr
    for text in ("A. Author", "stereo-stereo", "512", "gain", "-1 .. 3", "soft | hard", f"neutone_sdk {__version__}"):
        assert text in result.stdout


def test_info_as_json(tmp_path: Path, run: Run) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    assert json.loads(run("info", model, "--json").stdout)["model_name"] == "test"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("render", "model.nm", "missing.wav", "out.wav"), "missing.wav is not a file"),
        (("render", "missing.nm", "in.wav", "out.wav"), "missing.nm is not a file"),
        (("render", "in.wav", "in.wav", "out.wav"), "in.wav is not a model"),
        (("render", "model.nm", "model.nm", "out.wav"), "model.nm is not audio"),
        (("render", "model.nm", "in.wav", "out.xyz"), "ending must be one of wav, flac, ogg, mp3"),
        (("render", "model.nm", "in.wav", "missing/out.wav"), "cannot write missing/out.wav"),
        (("render", "model.nm", "in.wav", "out.wav", "--param", "gain"), "takes NAME=VALUE, got 'gain'"),
        (("render", "model.nm", "in.wav", "out.wav", "--param", "depth=1"), "no parameter 'depth'; it has 'gain'"),
        (("render", "model.nm", "in.wav", "out.wav", "--param", "gain=4"), "'gain' takes -1 to 3, got 4"),
        (("render", "model.nm", "in.wav", "out.wav", "--param", "gain=loud"), r"takes a number in [-1, 3], got 'loud'"),
        (("render", "at_48k/model.nm", "in.wav", "out.wav"), "the host runs at 44100 Hz and the model at 48000 Hz"),
        (("info", "in.wav"), "in.wav is not a model"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, run: Run, clip: np.ndarray, arguments: tuple[str, ...], message: str
) -> None:
    export(tmp_path, Stamped(nn.Identity(), card=card(parameters=[GAIN])))
    export(tmp_path / "at_48k", PassThrough(nn.Identity(), card=card(native_sample_rates=[48_000])))
    result = run(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out.wav").exists()


def test_help_names_the_commands(run: Run) -> None:
    assert {"info", "render"} <= set(run("--help").stdout.split())


@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "neutone_sdk"], [str(Path(sys.executable).parent / "neutone")]]
)
def test_the_command_and_the_module_start(tmp_path: Path, command: list[str | Path]) -> None:
    result = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stdout, result.stderr) == (0, f"neutone, version {__version__}\n", "")
