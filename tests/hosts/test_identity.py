"""A model that returns what it gets: what comes out of a host is what went in, to the last bit, after the latency."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Noise

from .players import PLAYERS, Session

N_FRAMES = 20_000


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
@pytest.mark.parametrize("host", PLAYERS)
def test_identity_is_exact_after_the_latency(
    host: str, channels: int, rate_hz: int, identity: Callable[[int], Path], noise: Noise, tmp_path: Path
) -> None:
    audio = 0.5 * noise(channels, N_FRAMES, rate_hz).numpy()
    session = Session(tmp_path, identity(channels), audio, rate_hz)

    playback = PLAYERS[host](session)

    np.testing.assert_array_equal(playback.audio, audio)
