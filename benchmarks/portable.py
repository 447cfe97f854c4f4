"""Print what the portable flavour costs beside the native one: python -m benchmarks.portable."""

import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.wrapper_worker import PassThrough
from neutone_sdk.constants import FLAVOURS
from neutone_sdk.export import load_neutone_model, save_neutone_model

SETTINGS = [(48_000, 64), (48_000, 512), (48_000, 2048), (44_100, 64), (44_100, 512), (44_100, 2048)]
N_CALLBACKS = 100
N_TURNS = 7


def callbacks_us(script: Any, host_hz: int, host_block: int) -> float:
    """Return the mean of many callbacks, from Python."""
    script.set_daw_sample_rate_and_buffer_size(host_hz, host_block)
    audio, params = torch.rand(2, host_block) - 0.5, torch.rand(4, host_block)
    for _ in range(N_CALLBACKS):
        script(audio, params)
    start_ns = time.perf_counter_ns()
    for _ in range(N_CALLBACKS):
        script(audio, params)
    return (time.perf_counter_ns() - start_ns) / 1e3 / N_CALLBACKS


def rows() -> Iterator[tuple[int, int, float, float]]:
    """Return rate, block, and the median of both flavours' turns, in microseconds."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripts = []
        for flavour in FLAVOURS:
            save_neutone_model(PassThrough(nn.Identity()), Path(folder) / flavour, flavour=flavour)
            scripts.append(load_neutone_model(Path(folder) / flavour / "model.nm")[0])
    for host_hz, host_block in SETTINGS:
        turns = [[callbacks_us(script, host_hz, host_block) for script in scripts] for _ in range(N_TURNS)]
        native, portable = (statistics.median(times) for times in zip(*turns, strict=True))
        yield host_hz, host_block, native, portable


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    print("pass-through with four knobs, model at 48 kHz in blocks of 2048, us per callback, from Python")
    print(f"{'host Hz':>8} {'block':>6} {'native':>8} {'portable':>9} {'ratio':>6} {'of real time':>13}")
    with torch.inference_mode():
        for host_hz, host_block, native, portable in rows():
            share = 1e-4 * portable * host_hz / host_block
            times = f"{native:>8.1f} {portable:>9.1f} {portable / native:>6.1f}"
            print(f"{host_hz:>8} {host_block:>6} {times} {share:>11.2f} %")


if __name__ == "__main__":
    main()
