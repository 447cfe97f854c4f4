"""Print what the portable flavour costs beside the native one: python -m benchmarks.portable."""

import statistics
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from benchmarks.callbacks import pass_through, timed

SETTINGS = [(48_000, 64), (48_000, 512), (48_000, 2048), (44_100, 64), (44_100, 512), (44_100, 2048)]
N_CALLBACKS = 100
N_TURNS = 7


def rows() -> Iterator[tuple[int, int, float, float]]:
    """Return rate, block, and the median of both flavours' turns, in microseconds."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripts = pass_through(Path(folder)).values()
    for host_hz, host_block in SETTINGS:
        turns = [
            [timed(script, host_hz, host_block, N_CALLBACKS).mean_us for script in scripts] for _ in range(N_TURNS)
        ]
        native, portable = (statistics.median(times) for times in zip(*turns, strict=True))
        yield host_hz, host_block, native, portable


def main() -> None:
    """Print a table."""
    print("pass-through with four knobs, model at 48 kHz in blocks of 2048, us per callback, from Python")
    print(f"{'host Hz':>8} {'block':>6} {'native':>8} {'portable':>9} {'ratio':>6} {'of real time':>13}")
    for host_hz, host_block, native, portable in rows():
        share = 1e-4 * portable * host_hz / host_block
        times = f"{native:>8.1f} {portable:>9.1f} {portable / native:>6.1f}"
        print(f"{host_hz:>8} {host_block:>6} {times} {share:>11.2f} %")


if __name__ == "__main__":
    main()
