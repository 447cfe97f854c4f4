"""Models of the examples: hosts play what ``neutone render`` plays."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Neutone
from tests.wrappers import export_quickly

from .examples import MOST_DIFFERENCE_DB, decibels, guitar, knob_positions, rendered, stft, tcn
from .players import PLAYERS, Session

RATE_HZ = 48_000  # of the hosts and the TCN; the STFT works at 44.1 kHz
N_FRAMES = 15_000


@pytest.fixture(scope="module", params=[tcn, stft])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_quickly(tmp_path_factory.mktemp("example"), request.param())


@pytest.mark.parametrize("host", PLAYERS)
def test_hosts_play_what_render_plays(host: str, example: Path, neutone: Neutone, tmp_path: Path) -> None:
    audio = guitar(N_FRAMES, RATE_HZ)
    expected = rendered(neutone, example, audio, RATE_HZ, tmp_path)

    # Ports of LV2 are described before there is a model: their defaults are not its own.
    controls = knob_positions(example) if host == "lv2apply" else {}
    playback = PLAYERS[host](Session(tmp_path, example, audio, RATE_HZ, controls))

    peak = np.abs(expected).max()
    assert peak > 0.01
    assert decibels(np.abs(playback.audio - expected).max() / peak) < MOST_DIFFERENCE_DB
