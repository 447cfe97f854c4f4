"""Print what every example costs, as a table for docs/examples.md: python -m benchmarks.examples [NAME ...].

Runs ``examples/example_*.py``, or those that are named (``gcn``), makes their files portable too, and plays both to a
stereo host at 48 kHz with blocks of 512. Beside them stand the bare wrapper and a product of matrices, so that figures
of different days and machines can be compared.
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

from benchmarks.callbacks import callbacks_us, pass_through
from neutone_sdk.export import load_neutone_model
from neutone_sdk.portable.linker import to_portable
from neutone_sdk.rendering import Latency, set_up_host

EXAMPLES = Path(__file__).parents[1] / "examples"
HOST_HZ, HOST_BLOCK = 48_000, 512
N_CALLBACKS = 188  # two seconds
N_TURNS = 5
PRODUCT_SIZE = 256


@dataclass(frozen=True)
class Example:
    """An exported model in each flavour. Sizes leave out the audio samples, which are the same in both."""

    name: str
    scripts: dict[str, Any]
    kilobytes: dict[str, float]
    latency: Latency


def export(name: str, folder: Path) -> Path:
    """Run an example with one thread and return its ``model.nm``."""
    command = [sys.executable, "-W", "ignore", str(EXAMPLES / f"example_{name}.py"), "-o", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    return folder / "model.nm"


def loaded(name: str, native_file: Path) -> Example:
    """Load a file, and what it becomes in the portable flavour."""
    native, metadata = load_neutone_model(native_file)
    bare = metadata | {"sample_sound_files": [], "flavour": "portable", "required_ops": {}}
    n_sample_bytes = len(json.dumps(metadata)) - len(json.dumps(metadata | {"sample_sound_files": []}))
    portable_file = native_file.with_name("portable.nm")
    portable = to_portable(native_file.read_bytes())
    torch.jit.save(portable, portable_file, _extra_files={"metadata.json": json.dumps(bare)})
    return Example(
        name,
        {"native": native, "portable": load_neutone_model(portable_file)[0]},
        {
            "native": (native_file.stat().st_size - n_sample_bytes) / 1e3,
            "portable": portable_file.stat().st_size / 1e3,
        },
        set_up_host(native, HOST_HZ, HOST_BLOCK),
    )


def product_us() -> float:
    """Return the time of a product of matrices: the quickest of many, which says what the machine can do."""
    a, b = torch.rand(2, PRODUCT_SIZE, PRODUCT_SIZE)
    durations = []
    for _ in range(200):
        start_ns = time.perf_counter_ns()
        torch.mm(a, b)
        durations.append(time.perf_counter_ns() - start_ns)
    return min(durations) / 1e3


def loads(scripts: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return by flavour the share of real time: of all callbacks together, and of the one in a hundred that is longest.

    Both flavours in turns; each figure is the median of its turns.
    """
    turns: dict[str, list[tuple[float, float]]] = {flavour: [] for flavour in scripts}
    budget_us = 1e6 * HOST_BLOCK / HOST_HZ
    for _ in range(N_TURNS):
        for flavour, script in scripts.items():
            durations = callbacks_us(script, HOST_HZ, HOST_BLOCK, N_CALLBACKS)
            longest = statistics.quantiles(durations, n=100)[-1]
            turns[flavour].append((statistics.mean(durations) / budget_us, longest / budget_us))
    return {
        flavour: (statistics.median(mean for mean, _ in each), statistics.median(longest for _, longest in each))
        for flavour, each in turns.items()
    }


def cells(name: str, scripts: dict[str, Any]) -> list[str]:
    """Return what a row says about time."""
    shares = loads(scripts)
    (native, longest), (portable, _) = shares["native"], shares["portable"]
    return [name, f"{native:.2%}", f"{1.0 / native:.0f}", f"{longest:.1%}", f"{portable:.2%}", f"{1.0 / portable:.0f}"]


def print_row(row: list[str]) -> None:
    """Print a row of a table in Markdown."""
    print("| " + " | ".join(row) + " |", flush=True)


def main() -> None:
    """Export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = sorted(path.stem.removeprefix("example_") for path in EXAMPLES.glob("example_*.py"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default " + ", ".join(known))
    names = parser.parse_args().names or known
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    header = ["example", "load", "1/RTF", "longest callback", "load, portable", "1/RTF"]
    header += ["latency", "of the model", "KB", "KB, portable"]
    print_row(header)
    print_row(["---"] * len(header))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            example = loaded(name, export(name, Path(folder) / name))
            latency, size = example.latency, example.kilobytes
            print_row(
                [
                    *cells(f"`{name}`", example.scripts),
                    f"{latency.total_samples} ({latency.total_ms:.1f} ms)",
                    f"{latency.model_samples} ({1e3 * latency.model_samples / HOST_HZ:.1f} ms)",
                    f"{size['native']:.0f}",
                    f"{size['portable']:.0f}",
                ]
            )
        print_row([*cells("the bare wrapper", pass_through(Path(folder))), *[""] * 4])
    print(
        f"\nOn a machine where a product of two {PRODUCT_SIZE} x {PRODUCT_SIZE} matrices takes {product_us():.0f} us."
    )


if __name__ == "__main__":
    main()
