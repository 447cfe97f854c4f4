"""Every example exports a model that plays."""

import re
from pathlib import Path

import pytest
import soundfile
import torch

from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.checks import CHECKS, SPEED, Status, Subject, run_checks
from neutone_sdk.portable.linker import to_portable
from neutone_sdk.rendering import knobs, render
from neutone_sdk.script_operators import custom_namespaces, operators_in
from neutone_sdk.utils import load_neutone_model

from . import bare_player
from .conftest import RunOfExample
from .example_runs import EXAMPLES, run, start

# The export has run the others; how fast a machine is, decides nothing here.
NOT_AT_EXPORT = [check for check in CHECKS if not check.is_essential and check is not SPEED]

PLAYER = Path(bare_player.__file__)
DEMO = Path(__file__).parents[1] / "examples" / "demo.py"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_exports_a_model_that_plays(example: Path, tmp_path: Path, run_of_example: RunOfExample) -> None:
    model = run_of_example(example).model

    plays_and_passes_all_checks(model)
    plays_the_same_as_a_portable_file_in_a_host_without_this_package(model, tmp_path)


def plays_and_passes_all_checks(file: Path) -> None:
    model, metadata = load_neutone_model(file)
    clip = get_default_audio_samples()[0]
    played = render(model, clip.audio, knobs(metadata, {}), sample_rate_hz=clip.sr)
    assert played.shape == clip.audio.shape
    assert played.isfinite().all()
    assert played.abs().max() > 0.01
    report = run_checks(Subject(file.read_bytes(), metadata), NOT_AT_EXPORT)
    assert report.of(Status.FAILED, Status.WARNED) == []


def plays_the_same_as_a_portable_file_in_a_host_without_this_package(file: Path, folder: Path) -> None:
    portable = to_portable(file.read_bytes())
    assert custom_namespaces(operators_in(portable)) == set()
    torch.jit.save(portable, folder / "portable.nm")
    audio = get_default_audio_samples()[1].audio[:, :9000]
    torch.save(audio, folder / "in.pt")
    run(PLAYER, folder / "portable.nm", folder / "in.pt", folder / "out.pt", folder=folder)
    expected = bare_player.play(str(file), audio)
    torch.testing.assert_close(torch.load(folder / "out.pt"), expected, rtol=0, atol=1e-6)


def test_the_page_of_examples_lists_each() -> None:
    page = (DEMO.parents[1] / "docs" / "examples.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` ", page.split("## What they cost")[0], re.MULTILINE)
    runnable = [path.stem for path in DEMO.parent.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")]
    assert set(listed) == set(runnable)


def test_the_clipper_clips(tmp_path: Path) -> None:
    (clipper,) = (path for path in EXAMPLES if path.stem == "example_clipper")
    run(clipper, "-o", tmp_path, folder=tmp_path)
    model, metadata = load_neutone_model(tmp_path / "model.nm")
    clip = get_default_audio_samples()[1]
    knob_values = knobs(metadata, {"drive": "20", "ceiling": "-20"})

    played = render(model, clip.audio, knob_values, sample_rate_hz=clip.sr)

    expected = torch.clip(10.0 * clip.audio, -0.1, 0.1)
    torch.testing.assert_close(played, expected, rtol=0, atol=1e-6)  # knobs and gains are float32


@pytest.mark.parametrize("n_samples", [220_500, 500, 1])
def test_the_demo_does_the_main_job(tmp_path: Path, n_samples: int) -> None:
    clip = get_default_audio_samples()[2]
    soundfile.write(tmp_path / "mine.wav", clip.audio[:, :n_samples].T.numpy(), clip.sr)

    printed = run(DEMO, tmp_path / "mine.wav", "-o", tmp_path / "shown", folder=tmp_path)

    names = sorted(path.name for path in (tmp_path / "shown").iterdir())
    assert names == ["clipped.png", "clipped.wav", "metadata.json", "model.nm"]
    assert soundfile.info(tmp_path / "shown" / "clipped.wav").frames == n_samples
    assert (tmp_path / "shown" / "clipped.png").read_bytes().startswith(b"\x89PNG")
    assert "2032 (42.3 ms)" in printed  # host 2000, model 2048


def test_the_demo_without_audio_is_one_line_and_exports_nothing(tmp_path: Path) -> None:
    result = start(DEMO, "missing.wav", "-o", tmp_path / "shown", folder=tmp_path)
    assert (result.returncode, result.stderr) == (1, "Error: missing.wav is not a file\n")
    assert not (tmp_path / "shown").exists()
