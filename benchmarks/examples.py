"""Print what every example costs, as a table for docs/examples.md: python -m benchmarks.examples [NAME ...].

Runs ``examples/example_*.py``, or the files that are named (``example_gcn``, ``train_to_plugin``), makes their models
portable too, and plays both to a stereo host at 48 kHz with blocks of 512. Beside them stand the bare wrapper and a
product of matrices, so that figures of different days and machines can be compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.callbacks import pass_through, timed
from neutone_sdk.benchmark.speed import Timing
from neutone_sdk.export import load_neutone_model
from neutone_sdk.portable.linker import to_portable
from neutone_sdk.rendering import Latency, set_up_host

EXAMPLES = Path(__file__).parents[1] / "examples"
HOST_HZ, HOST_BLOCK = 48_000, 512
N_CALLBACKS = 188  # two seconds
N_TURNS = 5
PRODUCT_SIZE = 256

# The model in each flavour.
Scripts = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """What an example exports. Sizes leave out the audio samples, which are the same in both flavours."""

    scripts: Scripts
    kilobytes: dict[str, float]
    latency: Latency


def export(name: str, folder: Path) -> Path:
    """Run an example with one thread and return its ``model.nm``."""
    command = [sys.executable, "-W", "ignore", str(EXAMPLES / f"{name}.py"), "-o", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    return folder / "model.nm"


def loaded(native_file: Path) -> Example:
    """Load a file, and what it becomes in the portable flavour."""
    native, metadata = load_neutone_model(native_file)
    bare = metadata | {"sample_sound_files": []}
    n_sample_bytes = len(json.dumps(metadata)) - len(json.dumps(bare))
    portable_file = native_file.with_name("portable.nm")
    extra = {"metadata.json": json.dumps(bare | {"flavour": "portable", "required_ops": {}})}
    torch.jit.save(to_portable(native_file.read_bytes()), portable_file, _extra_files=extra)
    return Example(
        {"native": native, "portable": load_neutone_model(portable_file)[0]},
        {
            "native": 1e-3 * (native_file.stat().st_size - n_sample_bytes),
            "portable": 1e-3 * portable_file.stat().st_size,
        },
        set_up_host(native, HOST_HZ, HOST_BLOCK),
    )


def product_us() -> float:
    """Return the time of a product of matrices: the quickest of many, which says what the machine can do."""
    a, b = torch.rand(2, PRODUCT_SIZE, PRODUCT_SIZE)
    durations = []
    for _ in range(200):
        start_ns = time.thread_time_ns()
        torch.mm(a, b)
        durations.append(time.thread_time_ns() - start_ns)
    return min(durations) / 1e3


def times(scripts: Scripts) -> list[str]:
    """Return what a row says about time: of both flavours in turns, each figure the median of its turns."""
    turns: dict[str, list[Timing]] = {flavour: [] for flavour in scripts}
    for _ in range(N_TURNS):
        for flavour, script in scripts.items():
            turns[flavour].append(timed(script, HOST_HZ, HOST_BLOCK, N_CALLBACKS))
    native, portable = (statistics.median(turn.load for turn in turns[flavour]) for flavour in ("native", "portable"))
    longest = statistics.median(turn.percentile_us(99.0) / turn.deadline_us for turn in turns["native"])
    return [f"{native:.2%}", f"{1.0 / native:.0f}", f"{longest:.1%}", f"{portable:.2%}", f"{1.0 / portable:.0f}"]


def row(name: str, example: Example) -> list[str]:
    """Return all cells of an example."""
    latency, sizes = example.latency, example.kilobytes.values()
    return [
        f"`{name}`",
        *times(example.scripts),
        f"{latency.total_samples} ({latency.total_ms:.1f} ms)",
        f"{latency.model_samples} ({1e3 * latency.model_samples / HOST_HZ:.1f} ms)",
        *(f"{kilobytes:.0f}" for kilobytes in sizes),
    ]


def print_row(cells: list[str]) -> None:
    """Print a row of a table in Markdown."""
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = sorted(path.stem for path in EXAMPLES.glob("example_*.py"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default " + ", ".join(known))
    names = parser.parse_args().names or known
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    times_header = ["load", "1/RTF", "p99", "load, portable", "1/RTF, portable"]
    header = ["example", *times_header, "latency", "of the model", "KB", "KB, portable"]
    print_row(header)
    print_row(["---"] * len(header))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print_row(row(name, loaded(export(name, Path(folder) / name))))
        print_row(["the bare wrapper", *times(pass_through(Path(folder))), "", "", "", ""])
    size = f"{PRODUCT_SIZE} x {PRODUCT_SIZE}"
    print(f"\nOn a machine where a product of two matrices of {size} takes {product_us():.0f} µs.")


if __name__ == "__main__":
    main()
