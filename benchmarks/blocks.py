"""Time streaming model blocks beside neutone_sdk 1.5.2 and cached-conv: python -m benchmarks.blocks [--json FILE].

Each block runs by itself in a loop inside TorchScript, on one thread; a round is the quickest of many turns of a
process. The other two libraries have no streaming TCN: there it is built of their convolutions.
"""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.reference_sdk import REFERENCE, reference_python, run_worker
from benchmarks.rounds import OURS, Results, run

CACHED_CONV = "cached-conv==2.5.0"
SIZES = ("128", "512", "2048")


def install_cached_conv(python: Path) -> None:
    """Put cached-conv into an environment, without the torch that it asks for: one is there."""
    if subprocess.run([python, "-c", "import cached_conv"], check=False, stderr=subprocess.DEVNULL).returncode != 0:  # noqa: S603
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", CACHED_CONV], check=True)  # noqa: S603


def measure(is_quick: bool) -> Results:
    """Return a group for each block and size."""
    reference = reference_python()
    install_cached_conv(reference)
    pythons = {OURS: Path(sys.executable), REFERENCE: reference, CACHED_CONV: reference}
    results = Results()
    for _ in range(1 if is_quick else 3):
        for library, python in pythons.items():
            worker_name = {OURS: "ours", CACHED_CONV: "cached-conv"}.get(library, library)
            durations_us = json.loads(run_worker(python, "blocks_worker.py", worker_name, *SIZES))
            for block, by_size in durations_us.items():
                for size, duration_us in by_size.items():
                    rounds = results.groups.setdefault(f"blocks/{block}, {size} frames", {})
                    rounds.setdefault(library, []).append(1e3 * duration_us)
    return results


if __name__ == "__main__":
    run(__doc__, measure)
