"""The LV2 plugin in jalv, in real time."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from neutone_sdk import WaveformToWaveformBase
from tests.conftest import Neutone
from tests.wrappers import export_quickly

from . import jack
from .examples import MOST_DIFFERENCE_DB, guitar, knob_positions, rendered, stft, tcn

# JACK may be late itself, on a busy machine, and leave clients out: what then comes back says nothing about the plugin.
ATTEMPTS = 5


def problems(run: jack.Run) -> list[str]:
    """Return what is not as it should be: samples come back unchanged and late by the latency, or are counted."""
    report = run.report
    expectations = {
        f"late by {report['lags']}, reported {report['latency']}": report["lags"] == [report["latency"]],
        # Counted are also what went missing before the first numbered sample, and the fades at the ends of gaps.
        f"{report['zeros']} silent and {report['wrong']} changed, counted {run.missing_samples}": (
            report["zeros"] + report["wrong"] <= run.missing_samples
        ),
    }
    return [problem for problem, holds in expectations.items() if not holds]


@pytest.mark.parametrize(
    ("channels", "rate_hz", "period_frames"),
    [(2, 48_000, 64), (1, 44_100, 1024), (2, 96_000, 1024)],
    ids=str,
)
def test_identity_is_exact_after_the_latency_and_every_loss_counted(
    channels: int, rate_hz: int, period_frames: int, identity: Callable[[int], Path]
) -> None:
    model = identity(channels)
    for _ in range(ATTEMPTS):
        run = jack.play(model, jack.Sound(channels, rate_hz, period_frames), 1.5)
        if run.report["xruns"] == 0 or not problems(run):
            break

    assert problems(run) == []
    assert run.report["frames"] >= 1.5 * rate_hz


class Example(NamedTuple):
    """A model, and in which time it forgets: so long it is different behind a gap."""

    make: Callable[[], WaveformToWaveformBase]
    rate_hz: int  # its own, so that the host's periods lie on its blocks and hops, as in render
    memory_frames: int


EXAMPLES = {
    "TCN": Example(tcn, 48_000, 32_768),  # its 13 345 taps, and a high-pass that falls by 120 dB
    "STFT": Example(stft, 44_100, 4_096),  # a window of the input, and one of the output
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_play_what_render_plays_and_every_loss_is_counted(name: str, neutone: Neutone, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    model = export_quickly(tmp_path, example.make())
    # The model hears silence first, however long it has played nothing before.
    silence = np.zeros((2, 32_768), np.float32)
    audio = np.hstack([silence, guitar(3 * 16_384, example.rate_hz), silence])
    expected = rendered(neutone, model, audio, example.rate_hz, tmp_path)
    controls = [f"{symbol}={position}" for symbol, position in knob_positions(model).items()]

    for _ in range(ATTEMPTS):
        played, run = jack.record(model, audio, tmp_path, jack.Sound(2, example.rate_hz, 1_024), controls)
        latency = run.report["latency"]
        heard, due = played[:, silence.shape[1] + latency :], expected[:, silence.shape[1] : -latency]
        is_wrong = (np.abs(heard - due) / np.abs(due).max() > 10 ** (MOST_DIFFERENCE_DB / 20)).any(axis=0)
        counted = run.missing_samples + run.late_blocks * example.memory_frames
        if np.count_nonzero(is_wrong) <= counted < 16_384:  # else there is little to compare, or JACK was late itself
            break

    assert np.abs(due).max() > 0.01
    assert np.count_nonzero(is_wrong) <= counted
