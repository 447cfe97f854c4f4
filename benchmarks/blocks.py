"""Time streaming model blocks beside neutone_sdk 1.5.2 and cached-conv: python -m benchmarks.blocks [--json FILE].

Each block runs by itself in a loop inside TorchScript, on one thread, in turns. The other two libraries have no
streaming TCN: there it is built of their convolutions. They share the environment of ``benchmarks/wrapper.py``.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.wrapper import REFERENCE, reference_python

CACHED_CONV = "cached-conv==2.5.0"
SIZES = ("128", "512", "2048")
N_TURNS = 5

# From a library to a turn to a block's name to a size to microseconds.
Turns = dict[str, list[dict[str, dict[str, float]]]]


def install_cached_conv(python: Path) -> None:
    """Put cached-conv into an environment, without the torch that it asks for: one is there."""
    if subprocess.run([python, "-c", "import cached_conv"], check=False, stderr=subprocess.DEVNULL).returncode != 0:  # noqa: S603
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", CACHED_CONV], check=True)  # noqa: S603


def measure(python: Path, library: str) -> dict[str, dict[str, float]]:
    """Return microseconds by block and size."""
    # Without Python's variables: PYTHONPATH would put this package before the reference.
    flags = [] if python == Path(sys.executable) else ["-E"]
    command = [str(python), *flags, "-W", "ignore", str(Path(__file__).with_name("blocks_worker.py")), library, *SIZES]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    durations: dict[str, dict[str, float]] = json.loads(result.stdout)
    return durations


def print_table(turns: Turns) -> None:
    """Print the quickest turn of each library, and by how much ours is quicker: the median of the turns' ratios."""
    others = [library for library in turns if library != "ours"]
    print(f"us per block of a stream, quickest of {len(turns['ours'])} turns; times quicker (median of the turns)")
    print(f"{'':>34} {'n':>5} {'ours':>8}" + "".join(f" {library:>20} {'times':>6}" for library in others))
    for name in turns["ours"][0]:
        for size in SIZES:
            row = f"{name:>34} {size:>5} {min(turn[name][size] for turn in turns['ours']):8.1f}"
            for library in others:
                pairs = zip(turns["ours"], turns[library], strict=True)
                ratio = statistics.median(theirs[name][size] / ours[name][size] for ours, theirs in pairs)
                row += f" {min(turn[name][size] for turn in turns[library]):20.1f} {ratio:6.2f}"
            print(row)


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all turns to this file")
    arguments = parser.parse_args()
    reference = reference_python()
    install_cached_conv(reference)
    pythons = {"ours": Path(sys.executable), REFERENCE: reference, CACHED_CONV.split("=", maxsplit=1)[0]: reference}
    turns: Turns = {library: [] for library in pythons}
    for _ in range(N_TURNS):
        for library, python in pythons.items():
            turns[library].append(measure(python, library))
    print_table(turns)
    if arguments.json:
        arguments.json.write_text(json.dumps(turns))


if __name__ == "__main__":
    main()
