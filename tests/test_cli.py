"""The command line, run as users run it."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from torch import Tensor, nn

from neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    WaveformToWaveformBase,
    __version__,
    resample,
)
from neutone_sdk.audio import AudioSample, get_default_audio_samples
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


class Summing(WaveformToWaveformBase):
    """Shows which knob was turned: each is worth ten times the one before."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * (params["a"] + 10.0 * params["a=b"] + 100.0 * params[" pad "])


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
    save_neutone_model(wrapper, folder, max_n_samples=0)
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


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("a=b=0.5", "a=b"), ("a=0.5", "a"), (" pad =0.5", " pad "), (" pad = 0.5", " pad "), ("a=b = 0.5", "a=b")],
)
def test_render_sets_parameters_of_any_name(
    tmp_path: Path, run: Run, clip: np.ndarray, argument: str, expected: str
) -> None:
    names = ["a", "a=b", " pad "]
    knobs = [ContinuousNeutoneParameter(name, "", 0.0) for name in names]
    model = export(tmp_path, Summing(nn.Identity(), card=card(parameters=knobs)))

    result = run("render", model, "in.wav", "out.wav", "--param", argument)

    assert result.returncode == 0, result.stderr
    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(played, clip * np.float32(0.5 * 10 ** names.index(expected)))


@pytest.mark.parametrize(
    ("file_format", "lost"),
    [("wav", 0.0), ("flac", 2**-23), ("ogg", 0.3), ("mp3", 0.3)],  # PCM_24 rounds; lossy formats smear an impulse
)
def test_render_writes_all_formats_in_place(tmp_path: Path, run: Run, file_format: str, lost: float) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    clip = np.zeros((5_001, 2), np.float32)
    clip[1_000, 0], clip[3_000, 1] = 0.75, 0.75
    soundfile.write(tmp_path / "in.wav", clip, RATE_HZ, subtype="FLOAT")

    result = run("render", model, "in.wav", f"out.{file_format}")

    assert (result.returncode, result.stderr) == (0, "")
    info = soundfile.info(tmp_path / f"out.{file_format}")
    assert (info.format, info.channels, info.samplerate) == (file_format.upper(), 2, RATE_HZ)
    played, _ = soundfile.read(tmp_path / f"out.{file_format}", dtype="float32")
    assert played.shape == clip.shape
    np.testing.assert_array_equal(np.abs(played).argmax(axis=0), [1_000, 3_000])
    np.testing.assert_allclose(played.max(axis=0), 0.75, rtol=0, atol=lost)


@pytest.mark.parametrize(
    ("file_format", "is_clipped"), [("wav", False), ("flac", True), ("ogg", False), ("mp3", False)]
)
def test_render_says_what_is_clipped(tmp_path: Path, run: Run, file_format: str, is_clipped: bool) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    times = np.arange(RATE_HZ) / RATE_HZ
    soundfile.write(tmp_path / "in.wav", 2.0 * np.sin(2 * np.pi * 440 * times), RATE_HZ, subtype="FLOAT")

    result = run("render", model, "in.wav", f"out.{file_format}")

    peak = np.abs(soundfile.read(tmp_path / f"out.{file_format}")[0]).max()
    assert (peak <= 1.0) == is_clipped
    assert "peak 6.0 dBFS" in result.stdout
    assert (
        (", clipped: flac holds at most 0 dBFS, wav any" in result.stdout) == ("clipped" in result.stdout) == is_clipped
    )


def test_render_says_when_samples_are_no_numbers(tmp_path: Path, run: Run) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    soundfile.write(tmp_path / "in.wav", np.array([0.5, np.nan, 0.5]), RATE_HZ, subtype="FLOAT")
    assert "no finite numbers" in run("render", model, "in.wav", "out.wav").stdout


@pytest.mark.filterwarnings("default")  # what users see
def test_render_warns_in_one_line_of_a_file_that_ends_early(tmp_path: Path, run: Run, clip: np.ndarray) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    soundfile.write(tmp_path / "in.flac", clip, RATE_HZ)
    content = (tmp_path / "in.flac").read_bytes()
    (tmp_path / "in.flac").write_bytes(content[:-100])

    result = run("render", model, "in.flac", "out.wav")

    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("Warning: in.flac ends early or is damaged")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("out.mp3", "MP3 knows the rates 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000 Hz, got 96000"),
        ("folder.wav", "cannot write folder.wav: there is a folder of that name"),
        ("missing/out.wav", "cannot write missing/out.wav: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_said_before_playing_and_what_was_there_stays(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, target: str, message: str
) -> None:
    export(tmp_path, PassThrough(nn.Identity(), card=card()))
    soundfile.write(tmp_path / "in.wav", np.zeros((1_000, 2)), 96_000)
    (tmp_path / "out.mp3").write_bytes(b"before")
    (tmp_path / "folder.wav").mkdir()
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("neutone_sdk.cli.render.render_clip", None)

    result = run("render", "model.nm", "in.wav", target)

    assert result.returncode == 1
    assert message in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "out.mp3").read_bytes() == b"before"


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


def test_info_has_room_for_everything(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    labels = [f"choice number {index:02d}" for index in range(20)]
    mode = CategoricalNeutoneParameter("mode", "what it does", 20, 3, labels)
    model = export(tmp_path, PassThrough(nn.Identity(), card=card(parameters=[mode])))

    result = run("info", model)

    for text in ("mode", "what it does", *labels):
        assert text in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def with_metadata(path: Path, metadata: Mapping[str, object]) -> Path:
    """What is shown of a model is its metadata, nothing else."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/extra/metadata.json", json.dumps(metadata))
    return path


def test_info_lets_no_model_drive_the_terminal(tmp_path: Path, run: Run) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07\x9b2J\r"
    knob = {"name": evil, "description": evil, "default_value": 0.5}
    metadata = {"model_name": evil, "tags": [evil], "technical_links": {evil: evil}, "neutone_parameters": {"p1": knob}}

    result = run("info", with_metadata(tmp_path / "model.nm", metadata))

    assert result.returncode == 0, result.stderr
    assert "[31mred]0;title2J" in result.stdout
    assert set(result.stdout) & set("\x1b\x07\x9b\r") == set()


def test_info_shows_texts_for_numbers_and_lacks_what_is_not_there(tmp_path: Path, run: Run) -> None:
    knob = {
        "name": "gain",
        "default_value": "0.5",
        "min_value": "0",
        "max_value": "2",
        "labels": None,
        "n_values": None,
    }
    metadata = {"model_name": "old", "is_experimental": "True", "native_sample_rates": ["48000"]}

    result = run(
        "info",
        with_metadata(tmp_path / "model.nm", {**metadata, "neutone_parameters": {"p1": {**knob, "used": "True"}}}),
    )

    assert result.returncode == 0, result.stderr
    for text in ("old (experimental)", "48000 Hz", "gain", "0 .. 2", "0.5"):
        assert text in result.stdout
    assert "None" not in result.stdout


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
        (("render", "model.nm", "in.wav", "out.mp3", "--sample-rate", "96000"), "got 96000"),
        (("info", "in.wav"), "in.wav is not a model"),
        (("info", "evil.nm"), "evil.nm: in its metadata.json, model_name must be a text, got 5"),
        (("render", "evil.nm", "in.wav", "out.wav"), "evil.nm: in its metadata.json, model_name must be a text, got 5"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, run: Run, clip: np.ndarray, arguments: tuple[str, ...], message: str
) -> None:
    export(tmp_path, Stamped(nn.Identity(), card=card(parameters=[GAIN])))
    export(tmp_path / "at_48k", PassThrough(nn.Identity(), card=card(native_sample_rates=[48_000])))
    with_metadata(tmp_path / "evil.nm", {"model_name": 5})
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


def test_render_plays_the_host_at_another_rate(tmp_path: Path, run: Run) -> None:
    clip = get_default_audio_samples()[0]
    clip.to_file(tmp_path / "in.wav")
    facts = card(native_sample_rates=[44100], native_buffer_sizes=[512])
    save_neutone_model(PassThrough(nn.Identity(), card=facts), tmp_path, max_n_samples=0)
    result = run("render", "model.nm", "in.wav", "out.wav", "--sample-rate", "96000", "--buffer-size", "333")
    assert "96000 Hz" in result.stdout
    assert re.search(r"latency taken out: \d+ samples .* = \d+ buffering \+ \d+ resampling \+ 0 model", result.stdout)
    played = AudioSample.from_file(tmp_path / "out.wav")
    expected = resample(clip.audio, clip.sr, 96000, "high")
    assert (played.sr, played.audio.shape) == (96000, expected.shape)
    # What the model heard at 44100 Hz; above 20 kHz a plucked string has next to nothing.
    assert (played.audio - expected).abs().max() < 1e-3


def test_card_writes_a_page_with_measurements(tmp_path: Path, run: Run) -> None:
    model = export(tmp_path, Delaying(nn.Identity(), card(native_buffer_sizes=[512])))

    result = run("card", model, "-o", "page.html")

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("page.html: ")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "448 + 0 + 37" in page  # host block 64, model block 512
    assert "Measured on" in page


def test_card_measures_no_speed_if_asked_not_to(tmp_path: Path, run: Run) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))

    result = run("card", model, "--no-speed")

    assert result.returncode == 0, result.stderr
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "Host at 96 kHz" in page
    assert "Speed was not measured for this page." in page


def test_card_runs_nothing_if_asked_not_to(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    monkeypatch.setattr("torch.jit.load", None)  # whoever calls it, fails

    result = run("card", model, "--no-run")

    assert result.returncode == 0, result.stderr
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert page.count("The model was not run for this page") == 2


@pytest.mark.parametrize("arguments", [["missing.nm"], ["in.wav", "--no-run"]])
def test_card_of_what_is_no_model_is_one_line(tmp_path: Path, run: Run, clip: np.ndarray, arguments: list[str]) -> None:
    result = run("card", *arguments)
    assert result.returncode == 1
    assert re.fullmatch(r"Error: [^\n]*\n", result.stderr)
    assert not (tmp_path / "card.html").exists()


def test_card_finds_out_early_that_it_cannot_write(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    model = export(tmp_path, PassThrough(nn.Identity(), card=card()))
    monkeypatch.setattr("torch.jit.load", None)

    result = run("card", model, "-o", tmp_path / "nowhere" / "card.html")

    assert result.returncode == 1
    assert "nowhere" in result.stderr
