"""A stranger's host, built with the installed package, plays what Python plays."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .installed import FRESH_PYTHON, PROJECTS, ROOT, fresh, start, succeed

RATE_HZ = 48_000
# Two libraries compute the sine; a sample may be rounded to the float beside it.
SINE_ROUNDING = 1e-6
PAGE = ROOT / "docs" / "plugin-hosts.md"


def sine() -> np.ndarray:
    """The second that `player` plays, (frames, channels)."""
    wave = 0.5 * np.sin(2.0 * np.pi * 440.0 / RATE_HZ * np.arange(RATE_HZ))
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


def test_it_plays_what_neutone_render_plays(host: Path, gain: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sine(), RATE_HZ, subtype="FLOAT")
    neutone = FRESH_PYTHON.with_name("neutone")
    succeed(neutone, "render", gain, tmp_path / "in.wav", tmp_path / "out.wav", "--param", "gain=2")
    expected, _ = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)

    printed = succeed(host / "player", gain, 2.0 / 4.0, tmp_path / "out.f32")

    played = np.fromfile(tmp_path / "out.f32", dtype=np.float32).reshape(-1, 2)
    latency = int(re.fullmatch(r"latency (\d+)\n", printed)[1])  # type: ignore[index]
    assert len(played) == len(expected) == RATE_HZ
    assert not played[:latency].any()
    np.testing.assert_allclose(played[latency:], expected[: RATE_HZ - latency], rtol=0, atol=SINE_ROUNDING)
    np.testing.assert_allclose(np.abs(expected).max(), 1.0, atol=1e-3)  # so twice as loud as the sine


def test_the_shortest_host_plays(host: Path, gain: Path) -> None:
    printed = succeed(host / "minimal_host" / "minimal_host", gain)
    assert re.fullmatch(r"gain: peak 0\.5, latency \d+ samples\n", printed)


def test_the_page_shows_the_shortest_host() -> None:
    shown = re.findall(r"```(?:cpp|cmake)\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    sources = "".join(
        (ROOT / "examples" / "host" / name).read_text() for name in ("CMakeLists.txt", "minimal_host.cpp")
    )
    assert len(shown) == 2
    assert [part for part in shown if part not in sources] == []


def test_it_takes_the_operators_beside_it(host: Path, gain: Path, tmp_path: Path) -> None:
    """The copy that `neutone_copy_operators` has made, not the one that pip has installed."""
    library = host / "libneutone_ops.so"
    result = start("ldd", host / "player")
    assert "libneutone_ops" not in result.stdout
    assert library.read_bytes() == Path(fresh("-m", "neutone_sdk", "--ops-library").strip()).read_bytes()
    assert succeed(host / "player", gain, 0.25, tmp_path / "out", library).startswith("latency ")


def test_a_second_copy_of_the_operators_is_an_error_that_names_both(host: Path, gain: Path, tmp_path: Path) -> None:
    installed = fresh("-m", "neutone_sdk", "--ops-library").strip()
    result = start(host / "player", gain, 0.25, tmp_path / "out", installed)
    assert result.returncode == 1
    message = (
        rf"the neutone operators are loaded already, from {host}/libneutone_ops\.so; .*, and {installed} is another\n"
    )
    assert re.fullmatch(message, result.stderr), result.stderr


def test_a_second_copy_does_python_no_harm(gain: Path, host: Path) -> None:
    code = (
        "import sys, torch, neutone_sdk\n"
        "torch.ops.load_library(sys.argv[1])\n"
        "model, _ = neutone_sdk.utils.load_neutone_model(sys.argv[2])\n"
        "print(torch.ops.neutone.version(), neutone_sdk.ops_library_path())"
    )
    printed = fresh("-W", "ignore", "-c", code, host / "libneutone_ops.so", gain).split()
    assert printed == fresh("-m", "neutone_sdk", "--version", "--ops-library").split()


@pytest.mark.parametrize("project", ["CMakeLists.txt", "player.cpp"])
def test_the_project_is_a_strangers(project: str) -> None:
    """It may not reach into this repository."""
    assert not re.search(r"csrc|\.\./|\"(dsp|engine|host)/", (PROJECTS / project).read_text())
