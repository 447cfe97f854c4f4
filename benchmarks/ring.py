"""Time the ring as TorchScript users see it: python benchmarks/ring.py.

Write and read 2 x 512 floats, in a loop inside TorchScript, beside two tensor copies of the same audio.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from neutone_sdk import CircularInplaceTensorQueue
from neutone_sdk.streaming.queue import new_ring

N_CALLS = 2_000
N_ROUNDS = 31
REACH_US = 1.2


@torch.jit.script
def ring_loop(n_calls: int, x: Tensor, out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    """Write and read through the operators."""
    for _ in range(n_calls):
        torch.ops.neutone.ring_write(x, samples, cursors)
        torch.ops.neutone.ring_read(out, samples, cursors)


@torch.jit.script
def queue_loop(n_calls: int, x: Tensor, out: Tensor) -> None:
    """Push and pop through the queue class."""
    queue = CircularInplaceTensorQueue(2, 2048)
    for _ in range(n_calls):
        queue.push(x)
        queue.pop(out)


@torch.jit.script
def copy_loop(n_calls: int, x: Tensor, out: Tensor, between: Tensor) -> None:
    """Copy the audio twice, with torch."""
    for _ in range(n_calls):
        between.copy_(x)
        out.copy_(between)


def main() -> None:
    """Measure in turns and print a table."""
    torch.set_num_threads(1)
    x, between = torch.rand(2, 512), torch.empty(2, 512)
    samples, cursors = new_ring(2, 2048)
    loops: dict[str, Callable[[Tensor], None]] = {
        "ring operators": lambda out: ring_loop(N_CALLS, x, out, samples, cursors),
        "queue class": lambda out: queue_loop(N_CALLS, x, out),
        "two tensor copies": lambda out: copy_loop(N_CALLS, x, out, between),
    }
    outs = {name: torch.full_like(x, torch.nan) for name in loops}
    rounds: dict[str, list[float]] = {name: [] for name in loops}
    with torch.inference_mode():
        for _ in range(N_ROUNDS):
            for name, loop in loops.items():
                start_ns = time.perf_counter_ns()
                loop(outs[name])
                rounds[name].append((time.perf_counter_ns() - start_ns) / 1e3 / N_CALLS)
    for name, out in outs.items():
        if not torch.equal(out, x):
            raise SystemExit(f"{name}: lost audio")
    print(f"write + read of 2x512 floats from TorchScript, us (median; reach: ring <= {REACH_US})")
    for name, durations in rounds.items():
        print(f"{name:>18} {statistics.median(durations):6.2f}")


if __name__ == "__main__":
    main()
