"""Bundles: moved anywhere, they play in hosts whose processes know nothing of torch or of this package."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from torch import nn

from neutone_sdk import ContinuousNeutoneParameter
from neutone_sdk.bundle import Bundle, bundle_model
from neutone_sdk.cli.main import commands
from tests.wrappers import PerSample, card, export_quickly, resampling_card

from .players import PLAYERS, TAIL_FRAMES, Session
from .programs import BUILD, PYTHON, TOOLS, environment, run

PLUGINS = BUILD / "package" / "neutone_sdk" / "plugins"
SCRIPT = Path(__file__).parent / "render_bundles.py"
RATE_HZ = 48_000
N_FRAMES = 9_600
# Of the loudest sample. The same operations on the same blocks, but torch may add up in another order.
MOST_DIFFERENCE_DB = -90.0
FORMATS = {"clap": "clap", "lv2apply": "lv2", "pedalboard": "vst3", "dawdreamer": "vst3"}  # that a host plays
GAIN = 0.75

Make = Callable[[str, str], Bundle]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return files by the names of their models."""
    gain = ContinuousNeutoneParameter("gain", "", GAIN)
    wrappers = {
        "As it is": PerSample(nn.Identity(), card=card(native_buffer_sizes=[512], parameters=[gain])),
        "At 44.1 kHz": PerSample(nn.Identity(), card=resampling_card(44_100, mono=False, parameters=[gain])),
    }
    return {name: export_quickly(tmp_path_factory.mktemp("model"), wrapper) for name, wrapper in wrappers.items()}


@pytest.fixture(scope="module")
def bundle(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a bundle of a model in a format and move it elsewhere, once. Links: torch is large."""

    @cache
    def make(name: str, plugin_format: str) -> Bundle:
        made_at = tmp_path_factory.mktemp("made") / f"{name}{'' if plugin_format == 'clap' else '.' + plugin_format}"
        made = bundle_model(models[name], plugin_format, made_at, name=name, hard_links=True, plugins_from=PLUGINS)
        place = tmp_path_factory.mktemp("moved") / "Größe ändern" / made_at.name
        place.parent.mkdir()
        made_at.rename(place)
        return Bundle(place, made.identity, made.n_bytes)

    return make


def loaded(made: Bundle) -> Path:
    """Return what a host is told to load."""
    clap = made.folder / f"{made.folder.name}.clap"
    return clap if clap.exists() else made.folder


def audio() -> np.ndarray:
    """Return a plucked string, ``(2, N_FRAMES)``, float32."""
    times = np.arange(N_FRAMES) / RATE_HZ
    pluck = sum(np.sin(2 * np.pi * 110 * k * times) * np.exp(-3 * k * times) / k for k in range(1, 12))
    return np.stack([0.3 * pluck, 0.2 * np.roll(pluck, 300)]).astype(np.float32)


def difference_db(played: np.ndarray, expected: np.ndarray) -> float:
    peak = np.abs(expected).max()
    assert peak > 0.01
    return float(20.0 * np.log10(np.abs(played - expected).max() / peak + 1e-12))


@pytest.fixture(scope="module")
def rendered(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], np.ndarray]:
    """Return what ``neutone render`` makes of the audio."""
    folder = tmp_path_factory.mktemp("rendered")
    soundfile.write(folder / "source.wav", audio().T, RATE_HZ, subtype="FLOAT")

    @cache
    def play(name: str) -> np.ndarray:
        arguments = ["render", models[name], folder / "source.wav", folder / f"{name}.wav"]
        result = CliRunner().invoke(commands, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
        return soundfile.read(folder / f"{name}.wav", dtype="float32", always_2d=True)[0].T

    return play


@pytest.mark.parametrize("host", PLAYERS)
def test_a_moved_bundle_plays_what_render_plays(
    host: str, bundle: Make, rendered: Callable[[str], np.ndarray], tmp_path: Path
) -> None:
    made = bundle("At 44.1 kHz", FORMATS[host])
    playback = PLAYERS[host](Session(tmp_path, None, audio(), RATE_HZ, other=loaded(made)))
    assert difference_db(playback.audio, rendered("At 44.1 kHz")) < MOST_DIFFERENCE_DB


def test_two_play_in_one_process_without_any_environment(
    bundle: Make, rendered: Callable[[str], np.ndarray], tmp_path: Path
) -> None:
    """``env -i``, no torch on any path: the libraries are those in the first bundle, which serve both."""
    names = ["At 44.1 kHz", "As it is"]
    made = [bundle(name, "vst3") for name in names]
    source, target = tmp_path / "in.npy", tmp_path / "out.npy"
    np.save(source, np.pad(audio(), ((0, 0), (0, TAIL_FRAMES))))
    result = run((PYTHON, "-I", SCRIPT, source, target, RATE_HZ, *(each.folder for each in made)), {})

    report = json.loads(result.stdout.splitlines()[-1])
    assert report["names"] == names
    assert len(set(report["identifiers"])) == 2
    assert all("gain" in parameters for parameters in report["parameters"])
    own = [file for file in report["libraries"] if Path(file).is_relative_to(made[0].folder)]
    assert {"libtorch_cpu.so", "libc10.so", "libneutone_ops.so"} <= {Path(file).name for file in own}
    assert own == report["libraries"]
    for name, played in zip(names, np.load(target), strict=True):
        assert difference_db(played[:, :N_FRAMES], rendered(name)) < MOST_DIFFERENCE_DB


def test_hosts_of_lv2_list_both_by_the_uri_that_the_plugin_has(bundle: Make, tmp_path: Path) -> None:
    made = [bundle(name, "lv2") for name in ("At 44.1 kHz", "As it is")]
    for index, each in enumerate(made):
        (tmp_path / f"{index}.lv2").symlink_to(each.folder)
    listed = run(("lv2ls",), environment(None, LV2_PATH=tmp_path)).stdout.split()
    assert sorted(listed) == sorted(each.identity.lv2_uri for each in made)

    for each in made:
        ask = (
            "import ctypes, sys; f = ctypes.CDLL(sys.argv[1]).lv2_descriptor; "
            "f.restype = ctypes.POINTER(ctypes.c_char_p); print(f(0)[0].decode())"
        )
        assert run((PYTHON, "-I", "-c", ask, each.folder / "plugin.so"), {}).stdout.strip() == each.identity.lv2_uri
        about = run(("lv2info", each.identity.lv2_uri), environment(None, LV2_PATH=tmp_path)).stdout
        assert each.identity.name in about
    assert "gain" in about
    assert f"{GAIN:f}" in about


def test_hosts_of_clap_know_each_by_its_own_id(bundle: Make, models: dict[str, Path], tmp_path: Path) -> None:
    for name in models:
        made = bundle(name, "clap")
        report = PLAYERS["clap"](Session(tmp_path, None, audio()[:, :512], RATE_HZ, other=loaded(made))).report
        assert report["id"] == made.identity.clap_id
    assert PLAYERS["clap"](Session(tmp_path, None, audio()[:, :512], RATE_HZ)).report["id"] == "neutone-sdk.example"


def test_a_session_does_not_remember_where_the_bundle_was(bundle: Make, tmp_path: Path) -> None:
    made = bundle("As it is", "clap")
    state = tmp_path / "state"
    session = Session(tmp_path, None, audio(), RATE_HZ, options=("--save", state), other=loaded(made))
    PLAYERS["clap"](session)
    assert b"model" in state.read_bytes()
    assert b"model.nm" not in state.read_bytes()
    again = PLAYERS["clap"](
        Session(tmp_path, None, audio(), RATE_HZ, options=("--load-at", f"0:{state}"), other=loaded(made))
    )
    assert difference_db(again.audio, GAIN * audio()) < MOST_DIFFERENCE_DB


def test_another_model_goes_before_the_own(
    bundle: Make, models: dict[str, Path], tmp_path: Path, rendered: Callable[[str], np.ndarray]
) -> None:
    made = bundle("At 44.1 kHz", "clap")
    playback = PLAYERS["clap"](Session(tmp_path, models["As it is"], audio(), RATE_HZ, other=loaded(made)))
    assert difference_db(playback.audio, rendered("As it is")) < MOST_DIFFERENCE_DB


def test_where_the_process_runs_another_torch_the_input_goes_through(bundle: Make, tmp_path: Path) -> None:
    made = bundle("As it is", "clap")
    variables = {"LD_PRELOAD": TOOLS / "other_torch.so"}
    playback = PLAYERS["clap"](Session(tmp_path, None, audio(), RATE_HZ, other=loaded(made), variables=variables))
    assert "its process runs torch 2.99.1" in playback.stderr
    np.testing.assert_array_equal(playback.audio, audio())


def test_a_damaged_description_makes_it_the_example(bundle: Make, tmp_path: Path) -> None:
    made = bundle("As it is", "clap")
    description = made.folder / "bundle.json"
    content = description.read_text()
    try:
        description.write_text(content[:20])
        playback = PLAYERS["clap"](Session(tmp_path, None, audio(), RATE_HZ, other=loaded(made)))
    finally:
        description.write_text(content)
    assert f"{description} is damaged" in playback.stderr
    np.testing.assert_array_equal(playback.audio, audio())
