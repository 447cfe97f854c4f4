"""``neutone render``, run as users run it."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import Tensor, nn

from neutone_sdk import CategoricalNeutoneParameter, ContinuousNeutoneParameter, WaveformToWaveformBase, resample
from neutone_sdk.audio import AudioSample, get_default_audio_samples

from .conftest import CLIP_RATE_HZ, Neutone
from .wrappers import GAIN, Choosing, Delaying, PassThrough, Stamped, card, export_quickly


class Summing(WaveformToWaveformBase):
    """Shows which knob was turned: each is worth ten times the one before."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * (params["a"] + 10.0 * params["a=b"] + 100.0 * params[" pad "])


@pytest.fixture(scope="module")
def delaying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_quickly(tmp_path_factory.mktemp("delaying"), Delaying(nn.Identity(), card(native_buffer_sizes=[512])))


@pytest.mark.parametrize("buffer_size", [1, 64, 441, 512, 10_000])
def test_render_takes_the_latency_out(
    tmp_path: Path, delaying: Path, neutone: Neutone, clip: np.ndarray, buffer_size: int
) -> None:
    result = neutone("render", delaying, "in.wav", "out.wav", "--buffer-size", buffer_size)

    assert result.returncode == 0, result.stderr
    played, rate_hz = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate_hz == CLIP_RATE_HZ
    np.testing.assert_array_equal(played, clip)
    assert "+ 37 model" in result.stdout


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a knob, in blocks of one sample; to try and export it takes seconds."""
    facts = card(native_buffer_sizes=[1], parameters=[GAIN])
    return export_quickly(tmp_path_factory.mktemp("stamped"), Stamped(nn.Identity(), card=facts))


@pytest.mark.parametrize("value", [-1, 0, 0.25, 3])
def test_render_sets_parameters_in_their_own_unit(
    tmp_path: Path, stamped: Path, neutone: Neutone, clip: np.ndarray, value: float
) -> None:
    result = neutone("render", stamped, "in.wav", "out.wav", "--param", f"gain = {value}")

    assert result.returncode == 0, result.stderr
    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_allclose(played, clip * value + clip, rtol=0, atol=4e-7)  # float32 knob and products


@pytest.mark.parametrize(("choice", "gain"), [("double", 2.0), ("1", 1.0)])
def test_render_takes_a_choice_by_label_or_number(
    tmp_path: Path, neutone: Neutone, clip: np.ndarray, choice: str, gain: float
) -> None:
    mode = CategoricalNeutoneParameter("mode", "", 3, 0, ["off", "plain", "double"])
    model = export_quickly(tmp_path, Choosing(nn.Identity(), card=card(parameters=[mode])))

    result = neutone("render", model, "in.wav", "out.wav", "--param", f"mode={choice}")

    assert result.returncode == 0, result.stderr
    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(played, clip * np.float32(gain))


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("a=b=0.5", "a=b"), ("a=0.5", "a"), (" pad =0.5", " pad "), (" pad = 0.5", " pad "), ("a=b = 0.5", "a=b")],
)
def test_render_sets_parameters_of_any_name(
    tmp_path: Path, neutone: Neutone, clip: np.ndarray, argument: str, expected: str
) -> None:
    names = ["a", "a=b", " pad "]
    knobs = [ContinuousNeutoneParameter(name, "", 0.0) for name in names]
    model = export_quickly(tmp_path, Summing(nn.Identity(), card=card(parameters=knobs)))

    result = neutone("render", model, "in.wav", "out.wav", "--param", argument)

    assert result.returncode == 0, result.stderr
    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(played, clip * np.float32(0.5 * 10 ** names.index(expected)))


@pytest.mark.parametrize(
    ("file_format", "lost"),
    [("wav", 0.0), ("flac", 2**-23), ("ogg", 0.3), ("mp3", 0.3)],  # PCM_24 rounds; lossy formats smear an impulse
)
def test_render_writes_all_formats_in_place(tmp_path: Path, neutone: Neutone, file_format: str, lost: float) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    clip = np.zeros((5_001, 2), np.float32)
    clip[1_000, 0], clip[3_000, 1] = 0.75, 0.75
    soundfile.write(tmp_path / "in.wav", clip, CLIP_RATE_HZ, subtype="FLOAT")

    result = neutone("render", model, "in.wav", f"out.{file_format}")

    assert (result.returncode, result.stderr) == (0, "")
    info = soundfile.info(tmp_path / f"out.{file_format}")
    assert (info.format, info.channels, info.samplerate) == (file_format.upper(), 2, CLIP_RATE_HZ)
    played, _ = soundfile.read(tmp_path / f"out.{file_format}", dtype="float32")
    assert played.shape == clip.shape
    np.testing.assert_array_equal(np.abs(played).argmax(axis=0), [1_000, 3_000])
    np.testing.assert_allclose(played.max(axis=0), 0.75, rtol=0, atol=lost)


@pytest.mark.parametrize(
    ("file_format", "is_clipped"), [("wav", False), ("flac", True), ("ogg", False), ("mp3", False)]
)
def test_render_says_what_is_clipped(tmp_path: Path, neutone: Neutone, file_format: str, is_clipped: bool) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    times = np.arange(CLIP_RATE_HZ) / CLIP_RATE_HZ
    soundfile.write(tmp_path / "in.wav", 2.0 * np.sin(2 * np.pi * 440 * times), CLIP_RATE_HZ, subtype="FLOAT")

    result = neutone("render", model, "in.wav", f"out.{file_format}")

    peak = np.abs(soundfile.read(tmp_path / f"out.{file_format}")[0]).max()
    assert (peak <= 1.0) == is_clipped
    assert "peak 6.0 dBFS" in result.stdout
    assert (
        (", clipped: flac holds at most 0 dBFS, wav any" in result.stdout) == ("clipped" in result.stdout) == is_clipped
    )


def test_render_says_when_samples_are_no_numbers(tmp_path: Path, neutone: Neutone) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    soundfile.write(tmp_path / "in.wav", np.array([0.5, np.nan, 0.5]), CLIP_RATE_HZ, subtype="FLOAT")
    assert "no finite numbers" in neutone("render", model, "in.wav", "out.wav").stdout


@pytest.mark.filterwarnings("default")  # what users see
def test_render_warns_in_one_line_of_a_file_that_ends_early(tmp_path: Path, neutone: Neutone, clip: np.ndarray) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    soundfile.write(tmp_path / "in.flac", clip, CLIP_RATE_HZ)
    content = (tmp_path / "in.flac").read_bytes()
    (tmp_path / "in.flac").write_bytes(content[:-100])

    result = neutone("render", model, "in.flac", "out.wav")

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
    tmp_path: Path, neutone: Neutone, monkeypatch: pytest.MonkeyPatch, target: str, message: str
) -> None:
    export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    soundfile.write(tmp_path / "in.wav", np.zeros((1_000, 2)), 96_000)
    (tmp_path / "out.mp3").write_bytes(b"before")
    (tmp_path / "folder.wav").mkdir()
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("neutone_sdk.cli.render.render_clip", None)

    result = neutone("render", "model.nm", "in.wav", target)

    assert result.returncode == 1
    assert message in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "out.mp3").read_bytes() == b"before"


@pytest.mark.parametrize(("channels", "n_channels"), [("1", 1), ("2", 2)])
def test_render_as_mono_or_stereo(
    tmp_path: Path, neutone: Neutone, clip: np.ndarray, channels: str, n_channels: int
) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    assert neutone("render", model, "in.wav", "out.wav", "--channels", channels).returncode == 0
    assert soundfile.info(tmp_path / "out.wav").channels == n_channels


def test_render_plays_the_host_at_another_rate(tmp_path: Path, neutone: Neutone) -> None:
    clip = get_default_audio_samples()[0]
    clip.to_file(tmp_path / "in.wav")
    facts = card(native_sample_rates=[44100], native_buffer_sizes=[512])
    export_quickly(tmp_path, PassThrough(nn.Identity(), card=facts))
    result = neutone("render", "model.nm", "in.wav", "out.wav", "--sample-rate", "96000", "--buffer-size", "333")
    assert "96000 Hz" in result.stdout
    assert re.search(r"latency taken out: \d+ samples .* = \d+ buffering \+ \d+ resampling \+ 0 model", result.stdout)
    played = AudioSample.from_file(tmp_path / "out.wav")
    expected = resample(clip.audio, clip.sr, 96000, "high")
    assert (played.sr, played.audio.shape) == (96000, expected.shape)
    # What the model heard at 44100 Hz; above 20 kHz a plucked string has next to nothing.
    assert (played.audio - expected).abs().max() < 1e-3
