"""Time filters through TorchScript, beside SciPy and neutone_sdk 1.5.2: python -m benchmarks.filters.

Nanoseconds per sample and channel, stereo, blocks of 512, medians; all in this run.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.signal
import torch
from torch import nn

from benchmarks.filters_worker import N_FRAMES, Loop
from benchmarks.wrapper import REFERENCE, reference_python
from neutone_sdk.filters import Biquads, FilterType, FIRFilter

LONG_FRAMES = 1 << 16
N_ROUNDS = 31
SOS = scipy.signal.butter(8, 1000.0, fs=48_000, output="sos")


def median_ns(call: Callable[[], object], n_samples: int) -> float:
    """Return nanoseconds per sample of a call that filters so many."""
    call()
    durations = []
    for _ in range(N_ROUNDS):
        start_ns = time.perf_counter_ns()
        call()
        durations.append((time.perf_counter_ns() - start_ns) / n_samples)
    return statistics.median(durations)


def scripted_ns(module: nn.Module) -> float:
    """Return nanoseconds per sample and channel of a module in TorchScript."""
    loop, n_calls = torch.jit.script(Loop(module)), 100
    x = torch.rand(2, N_FRAMES) - 0.5
    with torch.inference_mode():
        loop(n_calls, x)
        return median_ns(lambda: loop(n_calls, x), n_calls * 2 * N_FRAMES)


def scipy_ns(n_frames: int) -> float:
    """Return nanoseconds per sample and channel of SciPy's sosfilt with state."""
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (2, n_frames))
    state = np.zeros((len(SOS), 2, 2))
    return median_ns(lambda: scipy.signal.sosfilt(SOS, audio, zi=state), 2 * n_frames)


def worker_ns(python: Path, n_calls: int) -> float:
    """Return what filters_worker.py measures in another environment."""
    worker = Path(__file__).with_name("filters_worker.py")
    command = [str(python), "-W", "ignore", str(worker), str(n_calls)]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    return statistics.median(json.loads(result.stdout))


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    rows = {
        "Biquads, 4 sections (reach: 3)": scripted_ns(Biquads(SOS)),
        f"  SciPy's sosfilt, blocks of {N_FRAMES}": scipy_ns(N_FRAMES),
        f"  SciPy's sosfilt, {LONG_FRAMES} at once": scipy_ns(LONG_FRAMES),
        "IIRFilter": worker_ns(Path(sys.executable), 100),
        f"  {REFERENCE}'s": worker_ns(reference_python(), 2),
        "FIRFilter, 257 taps": scripted_ns(FIRFilter(FilterType.LOWPASS, [1000.0])),
        "FIRFilter, 8193 taps": scripted_ns(FIRFilter(FilterType.LOWPASS, [1000.0], 8193)),
    }
    print(f"filters through TorchScript, ns per sample and channel, stereo, blocks of {N_FRAMES}")
    for name, ns in rows.items():
        print(f"{name:<42} {ns:10.2f}")


if __name__ == "__main__":
    main()
