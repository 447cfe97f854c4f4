"""What a file brings along to listen to: made at export, through the file itself, and taken out again."""

import io
import itertools
import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import export, samples
from neutone_sdk.archive import read_metadata
from neutone_sdk.audio import AudioSample, AudioSamplePair, get_default_audio_samples, render_audio_sample
from neutone_sdk.cli import main
from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .conftest import Noise
from .wrappers import PassThrough, card

ENTRY = {"in": "SU4=", "out": "T1VU"}


def pass_through(**facts: Any) -> PassThrough:
    return PassThrough(nn.Identity(), card=card(**facts))


def entries_of(folder: Path) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = read_metadata(folder / "model.nm")["sample_sound_files"]
    return entries


def short(noise: Noise, seed: int = 0, *, rate_hz: int = 44_100, n_samples: int = 5_000) -> AudioSample:
    return AudioSample(0.5 * noise(2, n_samples, seed), rate_hz)


def test_the_default_clips_are_played_through_the_file(tmp_path: Path) -> None:
    save_neutone_model(pass_through(native_sample_rates=[48_000], native_buffer_sizes=[2048]), tmp_path)

    model, metadata = load_neutone_model(tmp_path / "model.nm")
    clips = get_default_audio_samples()
    pairs = [AudioSamplePair(clip, render_audio_sample(model, clip, output_sr=clip.sr)) for clip in clips]
    assert metadata["sample_sound_files"] == [pair.to_metadata_format() for pair in pairs]
    assert json.loads((tmp_path / "metadata.json").read_text()) == metadata
    for clip, entry in zip(clips, entries_of(tmp_path), strict=True):
        heard, played = (AudioSample.from_b64(entry[side]) for side in ("in", "out"))
        assert (heard.sr, heard.audio.shape) == (clip.sr, clip.audio.shape)
        assert (played.sr, played.audio.shape) == (clip.sr, (2, clip.audio.size(1)))
        assert played.audio.abs().max() > 0.5


class Keeps(PassThrough):
    """Has state, but no reset."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), card=card())
        self.heard: Tensor
        self.register_buffer("heard", torch.zeros(2, 1))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.heard.copy_(x[:, -1:])
        return x


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename.split("/", 1)[1]: archive.read(info) for info in archive.infolist()}


def test_what_played_is_what_is_written(tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the metadata is the same, state included."""
    played: list[bytes] = []

    def watching(clips: Any, content: bytes, **options: Any) -> Any:
        played.append(content)
        return samples.sample_sound_files(clips, content, **options)

    monkeypatch.setattr(export, "sample_sound_files", watching)
    save_neutone_model(Keeps(), tmp_path, audio_sample_pairs=[short(noise)])

    before, after = members(played[0]), members((tmp_path / "model.nm").read_bytes())
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"extra/metadata.json", ".data/serialization_id"}
    assert len(entries_of(tmp_path)) == 1


@pytest.mark.parametrize("max_n_samples", [0, 1, 2])
def test_no_more_than_asked_for(tmp_path: Path, noise: Noise, max_n_samples: int) -> None:
    pairs = [AudioSamplePair(short(noise, seed), short(noise, seed + 1)) for seed in range(4)]
    save_neutone_model(pass_through(), tmp_path, audio_sample_pairs=pairs, max_n_samples=max_n_samples)
    assert entries_of(tmp_path) == [pair.to_metadata_format() for pair in pairs[:max_n_samples]]


def test_a_pair_is_embedded_as_it_is_and_a_clip_alone_is_played(tmp_path: Path, noise: Noise) -> None:
    pair = AudioSamplePair(short(noise, 0), short(noise, 1))
    clip = short(noise, 2, rate_hz=96_000)

    save_neutone_model(pass_through(), tmp_path, audio_sample_pairs=[pair, clip])

    model, _ = load_neutone_model(tmp_path / "model.nm")
    played = AudioSamplePair(clip, render_audio_sample(model, clip, output_sr=96_000))
    assert entries_of(tmp_path) == [pair.to_metadata_format(), played.to_metadata_format()]


@pytest.mark.parametrize("options", [{"dump_samples": True}, {"submission": True}, {}])
def test_what_is_embedded_lies_beside_the_model_when_asked(
    tmp_path: Path, noise: Noise, options: dict[str, Any]
) -> None:
    pairs = [AudioSamplePair(short(noise, seed), short(noise, seed + 1)) for seed in range(2)]

    save_neutone_model(pass_through(), tmp_path, audio_sample_pairs=pairs, **options)

    written = {path.name: path.read_bytes() for path in tmp_path.glob("samples/*")}
    expected = {
        f"sample_{side}_{index}.mp3": getattr(pair, f"{side}put").to_mp3_bytes()
        for index, pair in enumerate(pairs)
        for side in ("in", "out")
    }
    assert written == (expected if options else {})


class Random(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.rand_like(x)


def test_random_models_sound_the_same_in_each_export(tmp_path: Path, noise: Noise) -> None:
    for name in ("first", "second"):
        state = torch.get_rng_state()
        model = Random(nn.Identity(), card=card())
        save_neutone_model(model, tmp_path / name, audio_sample_pairs=[short(noise)], test_offline_mode=False)
        assert torch.equal(torch.get_rng_state(), state)
        torch.rand(1)
    assert entries_of(tmp_path / "first") == entries_of(tmp_path / "second")


class Loud(PassThrough):
    """Louder than an MP3 can be."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 1e5 * x


class NotANumber(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x / 0.0 - x / 0.0


class SilentElsewhere(PassThrough):
    """Plays in the blocks that it gets from a host at 44100 Hz only."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x if x.size(1) in (512, 2048) else 0.0 * x


FAILING = pytest.mark.parametrize(
    ("wrapper_class", "facts", "reason"),
    [
        (Loud, {}, "MP3 takes amplitudes to 1000, got "),
        (NotANumber, {}, "in a host at 44100 Hz the model plays what is no finite number"),
        (
            SilentElsewhere,
            {"native_sample_rates": [44_100]},
            "it is silent in a host at 48000 Hz, but not in .* 44100 Hz",
        ),
    ],
)


@FAILING
def test_a_clip_that_cannot_be_played_is_left_out(
    tmp_path: Path, noise: Noise, wrapper_class: type[PassThrough], facts: dict[str, Any], reason: str
) -> None:
    pair = AudioSamplePair(short(noise), short(noise))
    wrapper = wrapper_class(nn.Identity(), card=card(**facts))
    with pytest.warns(UserWarning, match=f"audio sample 2 of 2 is left out of the file: {reason}") as caught:
        save_neutone_model(wrapper, tmp_path, audio_sample_pairs=[pair, short(noise)])
    assert entries_of(tmp_path) == [pair.to_metadata_format()]
    assert [warning.filename for warning in caught] == [__file__]


@FAILING
def test_a_submission_has_to_play_them_all(
    tmp_path: Path, noise: Noise, wrapper_class: type[PassThrough], facts: dict[str, Any], reason: str
) -> None:
    wrapper = wrapper_class(nn.Identity(), card=card(**facts))
    refusal = f"audio sample 1 of 1 is left out of the file: {reason}|rates-and-blocks: 44100 Hz.* no finite numbers"
    with pytest.raises(ExportError, match=refusal):
        save_neutone_model(wrapper, tmp_path / "new", audio_sample_pairs=[short(noise)], submission=True)
    assert not (tmp_path / "new").exists()


class Mute(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 0.0 * x


def test_a_model_may_be_silent(tmp_path: Path, noise: Noise) -> None:
    save_neutone_model(Mute(nn.Identity(), card=card()), tmp_path, audio_sample_pairs=[short(noise)])
    assert not AudioSample.from_b64(entries_of(tmp_path)[0]["out"]).audio.any()


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file that passes through."""
    folder = tmp_path_factory.mktemp("exported")
    save_neutone_model(pass_through(), folder, max_n_samples=0)
    return (folder / "model.nm").read_bytes()


SlowDown = Callable[[float], None]


@pytest.fixture
def slow_down(monkeypatch: pytest.MonkeyPatch) -> SlowDown:
    """Let each callback of 512 samples seem to take so many seconds."""

    def make(seconds: float) -> None:
        clock = itertools.count()
        monkeypatch.setattr(time, "monotonic", lambda: seconds * next(clock))

    return make


def test_a_slow_model_plays_the_beginning_of_a_default_clip(content: bytes, slow_down: SlowDown) -> None:
    (string,) = samples.choose_clips(None, 1)
    assert isinstance(string, AudioSample)
    slow_down(0.04)  # for 11.6 ms of audio; 8 s are 200 times as much

    entries, problems = samples.sample_sound_files([string], content, may_cut=True)

    heard, played = (AudioSample.from_b64(entries[0][side]).audio for side in ("in", "out"))
    assert heard.shape == (1, 200 * 512)
    assert played.shape == (2, 200 * 512)
    assert problems == []
    beginning = AudioSample(string.audio[:, : 200 * 512], string.sr)
    assert entries[0]["in"] == beginning.to_mp3_b64()


def test_however_slow_a_model_is_there_is_something_to_hear(tmp_path: Path, slow_down: SlowDown) -> None:
    """Its delay does not count."""
    (string,) = samples.choose_clips(None, 1)
    save_neutone_model(pass_through(delay_samples=5_000), tmp_path, max_n_samples=0)
    slow_down(100.0)

    entries, problems = samples.sample_sound_files([string], (tmp_path / "model.nm").read_bytes(), may_cut=True)

    assert AudioSample.from_b64(entries[0]["out"]).audio.shape == (2, 10 * 512 - 5_000)
    assert problems == []


def test_what_the_user_chose_is_played_whole(content: bytes, slow_down: SlowDown, noise: Noise) -> None:
    clip = short(noise, n_samples=100_000)
    slow_down(10.0)
    entries, problems = samples.sample_sound_files([clip], content, may_cut=False)
    assert AudioSample.from_b64(entries[0]["out"]).audio.shape == (2, 100_000)
    assert problems == []


def test_more_than_a_file_holds_is_refused(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    pair = AudioSamplePair(short(noise), short(noise))
    n_bytes = sum(map(len, pair.to_metadata_format().values()))
    monkeypatch.setattr(samples, "MAX_SAMPLES_BYTES", n_bytes)
    assert samples.sample_sound_files([pair], content, may_cut=True) == ([pair.to_metadata_format()], [])
    with pytest.raises(InvalidArgumentError, match=rf"would take {2 * n_bytes} bytes .* at most {n_bytes} .* shorten"):
        save_neutone_model(pass_through(), tmp_path / "new", audio_sample_pairs=[pair, pair])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"max_n_samples": 4}, InvalidArgumentError, r"max_n_samples must be in 0\.\.3, got 4"),
        ({"max_n_samples": -1}, InvalidArgumentError, r"max_n_samples must be in 0\.\.3, got -1"),
        ({"max_n_samples": 1.0}, InvalidTypeError, "max_n_samples must be an integer, got 1.0"),
        ({"max_n_samples": True}, InvalidTypeError, "max_n_samples must be an integer, got True"),
        ({"audio_sample_pairs": [("in", "out")]}, InvalidTypeError, "must be a list of AudioSamplePair, or of Audio"),
        ({"audio_sample_pairs": 5}, InvalidTypeError, "must be a list of AudioSamplePair, or of AudioSample .* got 5"),
    ],
)
def test_what_is_no_sample_is_refused(
    tmp_path: Path, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        save_neutone_model(pass_through(), tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_a_pair_that_no_mp3_holds_is_refused(tmp_path: Path, noise: Noise) -> None:
    pair = AudioSamplePair(short(noise), AudioSample(torch.full((1, 10), float("nan")), 44_100))
    with pytest.raises(InvalidArgumentError, match="MP3 takes amplitudes to 1000, got nan"):
        save_neutone_model(pass_through(), tmp_path / "new", audio_sample_pairs=[pair])
    assert not (tmp_path / "new").exists()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def neutone(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["neutone", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        return (int(caught.value.code or 0), *capfd.readouterr())

    return neutone


def model_with(path: Path, sample_sound_files: object) -> None:
    """Write a file that holds nothing but metadata."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        metadata = {"model_name": "test", "sample_sound_files": sample_sound_files}
        archive.writestr("model/extra/metadata.json", json.dumps(metadata))
    path.write_bytes(buffer.getvalue())


@pytest.mark.parametrize("folder", [None, "new/folder"])
def test_neutone_samples_takes_them_out(tmp_path: Path, run: Run, folder: str | None) -> None:
    model_with(tmp_path / "model.nm", [ENTRY, ENTRY])

    code, printed, _ = run("samples", "model.nm", *(["-o", folder] if folder else []))

    names = [f"{folder or 'samples'}/sample_{side}_{index}.mp3" for index in (0, 1) for side in ("in", "out")]
    assert (code, printed.splitlines()) == (0, names)
    assert [(tmp_path / name).read_bytes() for name in names] == [b"IN", b"OUT"] * 2


def test_neutone_samples_of_a_model_without(tmp_path: Path, run: Run) -> None:
    model_with(tmp_path / "model.nm", [])
    assert run("samples", "model.nm") == (0, "the model holds no audio samples\n", "")
    assert not (tmp_path / "samples").exists()


@pytest.mark.parametrize(
    ("sample_sound_files", "message"),
    [
        (5, "sample_sound_files must be a list of objects, got 5"),
        (["in"], "sample_sound_files must be a list of objects, got ['in']"),
        ([ENTRY, {"in": "SU4="}], "sample_sound_files[1].out must be base 64, got None"),
        ([{**ENTRY, "in": "!"}], "sample_sound_files[0].in must be base 64, got '!'"),
        ([{**ENTRY, "in": 5}], "sample_sound_files[0].in must be base 64, got 5"),
        ([{**ENTRY, "in": "\u00e4\u00f6"}], "sample_sound_files[0].in must be base 64, got '\u00e4\u00f6'"),
    ],
)
def test_metadata_that_holds_something_else_is_refused(
    tmp_path: Path, run: Run, sample_sound_files: Any, message: str
) -> None:
    with pytest.raises(InvalidFileError) as caught:
        samples.files_of({"sample_sound_files": sample_sound_files}, tmp_path)
    assert str(caught.value) == message
    model_with(tmp_path / "model.nm", sample_sound_files)
    code, printed, error = run("samples", "model.nm")
    assert (code, printed) == (1, "")
    assert error.startswith("Error: ")
    assert not (tmp_path / "samples").exists()


def test_neutone_info_counts_them(tmp_path: Path, run: Run) -> None:
    model_with(tmp_path / "model.nm", [ENTRY, ENTRY])
    assert "audio samples  2, see neutone samples" in run("info", "model.nm")[1]
