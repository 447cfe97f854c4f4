"""Plays numbered samples through the plugin in jalv: ``python -m tests.hosts.soak_jalv MODEL MINUTES``.

Prints what came back and what the plugin counted. Exits with 1 if a sample went missing or came back changed. The model
has to return what it gets, at any rate.
"""

import argparse
import sys
from pathlib import Path

from . import jack


def main() -> None:
    """Soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a .nm file that returns what it gets")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--period", type=int, default=256, help="frames of a callback [256]")
    arguments = parser.parse_args()
    run = jack.play(arguments.model.resolve(), jack.Sound(period_frames=arguments.period), 60.0 * arguments.minutes)
    report = run.report
    print(f"{report['frames']} frames in {arguments.period}s")
    print(f"the plugin counts {run.missing_samples} samples missing, {run.late_blocks} blocks late")
    print(f"came back: {report['zeros']} silent, {report['wrong']} changed, late by {report['lags']}")
    print(f"JACK itself was late {report['xruns']} times")
    sys.exit(1 if run.missing_samples or report["wrong"] else 0)


if __name__ == "__main__":
    main()
