"""Time ``import neutone_sdk`` beside ``import torch``: python -m benchmarks.import_time [--json FILE] [--quick].

In turns, each in a fresh process. The ratio to reach is 1.2.
"""

import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.rounds import OURS, Results, in_turns, run


def importing(module: str) -> Callable[[], object]:
    """Return what runs a Python that imports ``module`` and ends."""
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)  # noqa: S603


def measure(is_quick: bool) -> Results:
    """Return the wall times."""
    cases = {OURS: (importing("neutone_sdk"), 1.0), "torch": (importing("torch"), 1.0)}
    return Results({"import": in_turns(cases, 3 if is_quick else 9, time.perf_counter_ns)})


if __name__ == "__main__":
    run(__doc__, measure)
