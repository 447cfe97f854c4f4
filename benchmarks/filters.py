"""Time our biquads beside SciPy's: python -m benchmarks.filters [--json FILE] [--quick].

Nanoseconds per sample and channel, stereo, four sections. Ours in a loop inside TorchScript, without Python's cost of a
call; SciPy's with that, in blocks of 512, and in blocks so long that it does not count. What the script by itself takes
is the same loop with a copy of the audio in place of the filter.
"""

from collections.abc import Callable

import numpy as np
import scipy.signal
import torch

from benchmarks.rounds import EMPTY_CALL, OURS, Results, in_turns, run
from benchmarks.scripts import SOS, EmptyCall
from benchmarks.sdk_scripts import N_FRAMES, FilterLoop
from neutone_sdk.filters import Biquads

LONG_FRAMES = 1 << 16
N_CALLS = 100


def scipy_case(n_frames: int) -> tuple[Callable[[], object], float]:
    """Return what filters many blocks with SciPy's sosfilt, with state, and of how many samples."""
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (2, n_frames))
    state = np.zeros((len(SOS), 2, 2))
    n_calls = max(1, N_CALLS * N_FRAMES // n_frames)

    def call() -> None:
        for _ in range(n_calls):
            scipy.signal.sosfilt(SOS, audio, zi=state)

    return call, n_calls * 2 * n_frames


def measure(is_quick: bool) -> Results:
    """Return all timings."""
    torch.set_num_threads(1)
    loop, empty = torch.jit.script(FilterLoop(Biquads(SOS))), torch.jit.script(FilterLoop(EmptyCall()))
    with torch.inference_mode():
        loop(N_CALLS)
        empty(N_CALLS)
        rounds = in_turns(
            {
                OURS: (lambda: loop(N_CALLS), N_CALLS * 2 * N_FRAMES),
                EMPTY_CALL: (lambda: empty(N_CALLS), N_CALLS * 2 * N_FRAMES),
                f"SciPy's sosfilt, blocks of {N_FRAMES}": scipy_case(N_FRAMES),
                f"SciPy's sosfilt, blocks of {LONG_FRAMES}": scipy_case(LONG_FRAMES),
            },
            n_rounds=11 if is_quick else 51,
        )
    return Results({"filters/4 biquads from TorchScript": rounds})


if __name__ == "__main__":
    run(__doc__, measure)
