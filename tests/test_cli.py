"""The command line, run as users run it: what commands have in common, ``info`` and ``card``."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from neutone_sdk import CategoricalNeutoneParameter, __version__

from .conftest import Neutone
from .wrappers import GAIN, Delaying, PassThrough, Stamped, card, export_quickly


def test_info_shows_facts_and_parameters(tmp_path: Path, neutone: Neutone) -> None:
    mode = CategoricalNeutoneParameter("mode", "which one", 2, 1, ["soft", "hard"])
    model = export_quickly(
        tmp_path, Stamped(nn.Identity(), card=card(native_buffer_sizes=[512], parameters=[GAIN, mode]))
    )
    result = neutone("info", model)
    assert result.returncode == 0, result.stderr
    for text in ("A. Author", "stereo-stereo", "512", "gain", "-1 .. 3", "soft | hard", f"neutone_sdk {__version__}"):
        assert text in result.stdout


def test_info_has_room_for_everything(tmp_path: Path, neutone: Neutone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    labels = [f"choice number {index:02d}" for index in range(20)]
    mode = CategoricalNeutoneParameter("mode", "what it does", 20, 3, labels)
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card(parameters=[mode])))

    result = neutone("info", model)

    for text in ("mode", "what it does", *labels):
        assert text in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def with_metadata(path: Path, metadata: Mapping[str, object]) -> Path:
    """What is shown of a model is its metadata, nothing else."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/extra/metadata.json", json.dumps(metadata))
    return path


def test_info_lets_no_model_drive_the_terminal(tmp_path: Path, neutone: Neutone) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07\x9b2J\r"
    knob = {"name": evil, "description": evil, "default_value": 0.5}
    metadata = {"model_name": evil, "tags": [evil], "technical_links": {evil: evil}, "neutone_parameters": {"p1": knob}}

    result = neutone("info", with_metadata(tmp_path / "model.nm", metadata))

    assert result.returncode == 0, result.stderr
    assert "[31mred]0;title2J" in result.stdout
    assert set(result.stdout) & set("\x1b\x07\x9b\r") == set()


def test_info_shows_texts_for_numbers_and_lacks_what_is_not_there(tmp_path: Path, neutone: Neutone) -> None:
    knob = {
        "name": "gain",
        "default_value": "0.5",
        "min_value": "0",
        "max_value": "2",
        "labels": None,
        "n_values": None,
    }
    metadata = {"model_name": "old", "is_experimental": "True", "native_sample_rates": ["48000"]}

    result = neutone(
        "info",
        with_metadata(tmp_path / "model.nm", {**metadata, "neutone_parameters": {"p1": {**knob, "used": "True"}}}),
    )

    assert result.returncode == 0, result.stderr
    for text in ("old (experimental)", "48000 Hz", "gain", "0 .. 2", "0.5"):
        assert text in result.stdout
    assert "None" not in result.stdout


def test_info_as_json(tmp_path: Path, neutone: Neutone) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    assert json.loads(neutone("info", model, "--json").stdout)["model_name"] == "test"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model; nobody writes to it."""
    folder = tmp_path_factory.mktemp("exported")
    export_quickly(folder, Stamped(nn.Identity(), card=card(parameters=[GAIN])))
    return folder


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
    tmp_path: Path, exported: Path, neutone: Neutone, clip: np.ndarray, arguments: tuple[str, ...], message: str
) -> None:
    shutil.copy(exported / "model.nm", tmp_path)
    with_metadata(tmp_path / "evil.nm", {"model_name": 5})
    result = neutone(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out.wav").exists()


def test_help_names_the_commands(neutone: Neutone) -> None:
    assert {"info", "render"} <= set(neutone("--help").stdout.split())


@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "neutone_sdk"], [str(Path(sys.executable).parent / "neutone")]]
)
def test_the_command_and_the_module_start(tmp_path: Path, command: list[str | Path]) -> None:
    result = subprocess.run([*command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: ")
    assert " --cmake-dir" in result.stdout


def test_card_writes_a_page_with_measurements(tmp_path: Path, neutone: Neutone) -> None:
    model = export_quickly(tmp_path, Delaying(nn.Identity(), card(native_buffer_sizes=[512])))

    result = neutone("card", model, "-o", "page.html")

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("page.html: ")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "448 + 0 + 37" in page  # host block 64, model block 512
    assert "Measured on" in page


def test_card_measures_no_speed_if_asked_not_to(tmp_path: Path, neutone: Neutone) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))

    result = neutone("card", model, "--no-speed")

    assert result.returncode == 0, result.stderr
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "Host at 96 kHz" in page
    assert "Speed was not measured for this page." in page


def test_card_runs_nothing_if_asked_not_to(tmp_path: Path, neutone: Neutone, monkeypatch: pytest.MonkeyPatch) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    monkeypatch.setattr("torch.jit.load", None)  # whoever calls it, fails

    result = neutone("card", model, "--no-run")

    assert result.returncode == 0, result.stderr
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert page.count("The model was not run for this page") == 2


@pytest.mark.parametrize("arguments", [["missing.nm"], ["in.wav", "--no-run"]])
def test_card_of_what_is_no_model_is_one_line(
    tmp_path: Path, neutone: Neutone, clip: np.ndarray, arguments: list[str]
) -> None:
    result = neutone("card", *arguments)
    assert result.returncode == 1
    assert re.fullmatch(r"Error: [^\n]*\n", result.stderr)
    assert not (tmp_path / "card.html").exists()


def test_card_finds_out_early_that_it_cannot_write(
    tmp_path: Path, neutone: Neutone, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    monkeypatch.setattr("torch.jit.load", None)

    result = neutone("card", model, "-o", tmp_path / "nowhere" / "card.html")

    assert result.returncode == 1
    assert "nowhere" in result.stderr
