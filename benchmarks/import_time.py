"""Time ``import neutone_sdk`` beside ``import torch``: python benchmarks/import_time.py.

In turns, each in a fresh process.
"""

import statistics
import subprocess
import sys
import time

N_TURNS = 9
REACH = 1.2


def seconds(module: str) -> float:
    """Return the wall time of a Python that imports ``module`` and ends."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)  # noqa: S603
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns and print the ratio."""
    pairs = [(seconds("torch"), seconds("neutone_sdk")) for _ in range(N_TURNS)]
    torch_s, ours_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / reference for reference, ours in pairs)
    print(f"import torch {torch_s:.2f} s, import neutone_sdk {ours_s:.2f} s, ratio {ratio:.3f} (reach: <= {REACH})")


if __name__ == "__main__":
    main()
