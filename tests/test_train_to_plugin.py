"""The example from audio to a plugin trains, exports, and tells the truth about what the file plays."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from neutone_sdk.audio import AudioSample, get_default_audio_samples
from neutone_sdk.errors import InvalidArgumentError, InvalidFileError
from neutone_sdk.utils import load_neutone_model

from .example_runs import EXAMPLES, start

FOLDER = EXAMPLES[0].parent
N_STEPS = 20
BLOCKWISE = 1e-5  # float32 sums in another order than those of a whole clip
PRINTED = 0.0011  # percent: two numbers, each rounded to a thousandth


@dataclass(frozen=True)
class Run:
    """What a short run of the example left behind."""

    data: Any
    folder: Path
    printed: str


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield the script as a module that prints into a text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLCONFIGDIR", str(tmp_path_factory.mktemp("matplotlib")))
        patch.syspath_prepend(str(FOLDER))
        import train_to_plugin  # noqa: PLC0415  # it is found from here on only

        patch.setattr(train_to_plugin, "FOREIGN_HOSTS", ((44_100, 441),))
        patch.setattr(train_to_plugin, "CONSOLE", Console(file=io.StringIO(), width=120))
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]  # takes longer than all that is played
            yield train_to_plugin


@pytest.fixture(scope="module")
def short_run(example: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    data = few_held_out(example.recordings_of_the_pedal())
    example.run(data, folder, N_STEPS, seed=3)
    return Run(data, folder, example.CONSOLE.file.getvalue())


def few_held_out(data: Any) -> Any:
    """Keep a second of two positions, one of which is trained: all of it would be played many times."""
    kept = [each for each in data.held_out if each.knob in (6.0, 15.0)]
    return replace(
        data, held_out=[replace(each, dry=each.dry[:, -48_000:], wet=each.wet[:, -48_000:]) for each in kept]
    )


def errors_in_percent(printed: str) -> dict[str, list[float]]:
    """Return the rows of the table: from position of the knob to the error in memory and of the file in each host."""
    rows = re.findall(r"│ *([\d.]+)[ dB]* │ *(?:trained|held out) │(.*)│", printed)
    return {knob: [float(number) for number in re.findall(r"([\d.]+) %", cells)] for knob, cells in rows}


def error_in_percent(played: Tensor, target: Tensor) -> float:
    start = 4800
    difference = (played - target)[:, start:]
    return 100.0 * float(difference.square().sum() / target[:, start:].square().sum())


def test_a_run_writes_all_that_it_says(short_run: Run) -> None:
    names = {"model.nm", "metadata.json", "dry.wav", "target.wav", "model.wav", "spectrograms.png", "training.csv"}
    assert {path.name for path in short_run.folder.iterdir()} == names
    assert all(name in short_run.printed for name in names - {"metadata.json"})
    assert (short_run.folder / "spectrograms.png").read_bytes().startswith(b"\x89PNG")
    _, metadata = load_neutone_model(short_run.folder / "model.nm")
    assert metadata["neutone_parameters"]["p1"]["max_value"] == 18.0


def test_the_error_of_the_file_is_that_of_validation_in_every_host(short_run: Run) -> None:
    errors = errors_in_percent(short_run.printed)

    assert list(errors) == ["6", "15"]
    for in_memory, own_rate, foreign in errors.values():
        assert own_rate == pytest.approx(in_memory, abs=PRINTED)
        assert foreign == pytest.approx(in_memory, rel=0.03)  # less treble at 44.1 kHz


def test_the_printed_error_is_that_of_the_written_audio(short_run: Run) -> None:
    target, played = (AudioSample.from_file(short_run.folder / f"{name}.wav").audio for name in ("target", "model"))

    printed = errors_in_percent(short_run.printed)["15"][0]

    assert error_in_percent(played, target) == pytest.approx(printed, abs=PRINTED)


def test_training_lowers_the_loss_and_the_held_out_error(short_run: Run) -> None:
    with (short_run.folder / "training.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

    assert rows[-1]["step"] == N_STEPS
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    assert rows[-1]["held_out_esr"] < 0.9 * rows[0]["held_out_esr"]


def test_a_seed_gives_the_same_network_again_and_the_file_plays_it(example: Any, short_run: Run) -> None:
    """The file played blocks of 333 samples; here the network gets the clip as a whole."""
    torch.manual_seed(3)
    again = example.LearntPedal(0.0, 18.0)
    example.train(again, short_run.data, N_STEPS)
    recording = short_run.data.held_out[1]
    with torch.no_grad():
        offline = again.eval()(recording.dry[None], torch.tensor([[recording.knob]]))[0]

    played = AudioSample.from_file(short_run.folder / "model.wav").audio

    expected = example.without_dc(offline, short_run.data.rate_hz)
    torch.testing.assert_close(played, expected, rtol=0, atol=BLOCKWISE)


def test_what_is_held_out_is_not_trained(example: Any) -> None:
    data = example.recordings_of_the_pedal()
    n_samples = sum(-(-clip.audio.size(1) * 48_000 // clip.sr) for clip in get_default_audio_samples())

    assert {each.knob for each in data.held_out} - set(data.knobs()) == {3.0, 9.0, 15.0}
    assert {each.dry.size(1) + data.held_out[0].dry.size(1) for each in data.training} == {n_samples}


def test_files_of_ones_own_at_one_position_make_a_plugin_without_a_knob(
    example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = get_default_audio_samples()[2]
    clip.to_file(tmp_path / "dry.wav")
    AudioSample(torch.tanh(4.0 * clip.audio), clip.sr).to_file(tmp_path / "wet.wav")
    files = [str(tmp_path / name) for name in ("dry.wav", "wet.wav")]
    monkeypatch.setattr("sys.argv", ["train", "-o", str(tmp_path / "mine"), "--steps", "2", "--pair", "7", *files])

    example.main()

    _, metadata = load_neutone_model(tmp_path / "mine" / "model.nm")
    assert metadata["neutone_parameters"] == {}
    assert metadata["native_sample_rates"] == [44_100]
    in_memory, own_rate, _ = errors_in_percent(example.CONSOLE.file.getvalue())["7"]
    assert own_rate == pytest.approx(in_memory, abs=PRINTED)


def write(path: Path, n_samples: int, rate_hz: int = 48_000) -> str:
    AudioSample(torch.full((1, n_samples), 0.1), rate_hz).to_file(path)
    return str(path)


def test_positions_of_files_are_sorted_and_mixed_to_mono(example: Any, tmp_path: Path) -> None:
    clip = AudioSample(torch.stack([torch.zeros(200_000), torch.full((200_000,), 0.5)]), 48_000)
    clip.to_file(tmp_path / "a.wav")
    path = str(tmp_path / "a.wav")

    data = example.recordings_in_files([["10", path, path], ["-2", path, path]])

    assert data.knobs() == [-2.0, 10.0]
    assert [each.knob for each in data.held_out] == [-2.0, 10.0]
    assert data.training[0].wet.shape == (1, 150_000)
    torch.testing.assert_close(data.held_out[0].dry, torch.full((1, 50_000), 0.25))


def test_files_that_do_not_belong_together_are_refused(example: Any, tmp_path: Path) -> None:
    long, longer = write(tmp_path / "a.wav", 200_000), write(tmp_path / "b.wav", 200_001)
    other_rate, short = write(tmp_path / "c.wav", 200_000, 44_100), write(tmp_path / "d.wav", 48_000)

    def refused(message: str, *pairs: list[str]) -> None:
        with pytest.raises(InvalidArgumentError, match=message):
            example.recordings_in_files(pairs)

    refused("200000 samples at 48000 Hz and 200001 samples at 48000 Hz; cut", ["1", long, longer])
    refused("200000 samples at 48000 Hz and 200000 samples at 44100 Hz", ["1", long, other_rate])
    refused("one rate, got", ["1", long, long], ["2", other_rate, other_rate])
    refused("4 s or longer, got 1.0 s", ["1", short, short])
    refused("must be a number, got 'loud'", ["loud", long, long])
    refused("must be a number, got 'nan'", ["nan", long, long])
    with pytest.raises(InvalidFileError, match="missing"):
        example.recordings_in_files([["1", long, "missing.wav"]])


def test_no_steps_are_refused(
    example: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train", "--steps", "0"])
    with pytest.raises(SystemExit):
        example.main()
    assert "--steps: must be at least 1" in capsys.readouterr().err


def test_out_of_silence_comes_silence(example: Any) -> None:
    """Also when playing starts, at every position of the knob; a network by itself makes a constant."""
    network = example.LearntPedal(0.0, 18.0)
    silence, positions = torch.zeros(3, 1, 5000), torch.tensor([[0.0], [7.0], [18.0]])
    with torch.no_grad():
        assert network.train()(silence, positions).abs().min(dim=2).values.min() > 1e-4
        torch.testing.assert_close(network.eval()(silence, positions), silence, rtol=0, atol=0)


def test_what_a_user_can_do_something_about_is_one_line(tmp_path: Path) -> None:
    script = FOLDER / "train_to_plugin.py"

    result = start(script, "--pair", "1", "dry.wav", "wet.wav", "-o", tmp_path / "out", folder=tmp_path)

    assert (result.returncode, result.stderr) == (1, "Error: dry.wav is not a file\n")
    assert not (tmp_path / "out").exists()
