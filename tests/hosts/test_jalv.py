"""The LV2 plugin in jalv, in real time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from . import jack

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
        run = jack.play(model, channels=channels, rate_hz=rate_hz, period_frames=period_frames, seconds=1.5)
        if run.report["xruns"] == 0 or not problems(run):
            break

    assert problems(run) == []
    assert run.report["frames"] >= 1.5 * rate_hz
