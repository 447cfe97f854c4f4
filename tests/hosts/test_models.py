"""Models of the examples: hosts play what ``neutone render`` plays."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from example_overdrive_random import RandomOverdrive, RandomOverdriveWrapper
from example_spectral_filter import SpectralFilterWrapper

from neutone_sdk import WaveformToWaveformBase
from neutone_sdk.archive import read_metadata
from neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_sdk.rendering import knobs
from tests.conftest import Neutone
from tests.wrappers import export_quickly

from .players import PLAYERS, Session

RATE_HZ = 48_000  # of the hosts and the TCN; the STFT works at 44.1 kHz
N_FRAMES = 15_000
# Of the loudest sample. The same operations on the same blocks, but torch may add up in another order.
MOST_DIFFERENCE_DB = -90.0


def tcn() -> WaveformToWaveformBase:
    return RandomOverdriveWrapper(RandomOverdrive(42))


def stft() -> WaveformToWaveformBase:
    return SpectralFilterWrapper(RealtimeSTFT(n_fft=2048, hop_len=512, logarithmize=False))


@pytest.fixture(scope="module", params=[tcn, stft])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_quickly(tmp_path_factory.mktemp("example"), request.param())


def guitar() -> np.ndarray:
    """Return a plucked string in stereo, ``(2, N_FRAMES)``, float32."""
    times = np.arange(N_FRAMES) / RATE_HZ
    pluck = sum(np.sin(2 * np.pi * 110 * k * times) * np.exp(-3 * k * times) / k for k in range(1, 12))
    return np.stack([0.3 * pluck, 0.2 * np.roll(pluck, 300)]).astype(np.float32)


def knob_positions(model: Path) -> dict[str, float]:
    """Return the defaults of a model as a host sends them."""
    positions = knobs(read_metadata(model), {}).flatten().tolist()
    return {f"knob{i + 1}": position for i, position in enumerate(positions)}


@pytest.mark.parametrize("host", PLAYERS)
def test_hosts_play_what_render_plays(host: str, example: Path, neutone: Neutone, tmp_path: Path) -> None:
    audio = guitar()
    soundfile.write(tmp_path / "source.wav", audio.T, RATE_HZ, subtype="FLOAT")
    result = neutone("render", example, "source.wav", "rendered.wav")
    assert result.returncode == 0, result.stderr
    rendered = soundfile.read(tmp_path / "rendered.wav", dtype="float32", always_2d=True)[0].T

    # Ports of LV2 are described before there is a model: their defaults are not its own.
    controls = knob_positions(example) if host == "lv2apply" else {}
    playback = PLAYERS[host](Session(tmp_path, example, audio, RATE_HZ, controls))

    peak = np.abs(rendered).max()
    difference_db = 20.0 * np.log10(np.abs(playback.audio - rendered).max() / peak + 1e-12)
    assert peak > 0.01
    assert difference_db < MOST_DIFFERENCE_DB
