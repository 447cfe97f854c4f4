"""Time the IIR filter of the neutone_sdk that this Python has; print JSON. Started by ``benchmarks/filters.py``.

Runs on this package and on 1.x alike: one state-variable filter, stereo, in a loop inside TorchScript.
"""

import json
import sys
import time

import torch
from torch import Tensor, nn

from neutone_sdk.filters import FilterType, IIRFilter

N_FRAMES = 512


class Loop(nn.Module):
    """Filter block after block, so that Python's cost of a call is not in the figure."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, n_calls: int, x: Tensor) -> Tensor:
        """Return the last block."""
        y = x
        for _ in range(n_calls):
            y = self.module(x)
        return y


def ns_per_sample(n_calls: int, n_rounds: int) -> list[float]:
    """Return nanoseconds per sample and channel, one for each round."""
    loop = torch.jit.script(Loop(IIRFilter(FilterType.LOWPASS, 1000.0, 0.7071)))
    x = torch.rand(2, N_FRAMES) - 0.5
    rounds = []
    with torch.inference_mode():
        for _ in range(2):
            loop(n_calls, x)
        for _ in range(n_rounds):
            start_ns = time.perf_counter_ns()
            loop(n_calls, x)
            rounds.append((time.perf_counter_ns() - start_ns) / (n_calls * 2 * N_FRAMES))
    return rounds


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(ns_per_sample(int(sys.argv[1]), 5)))
