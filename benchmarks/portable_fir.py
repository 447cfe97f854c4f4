"""Time FIR filters of both flavours in TorchScript: python -m benchmarks.portable_fir.

Microseconds per block, stereo, one thread, medians. Blocks are filtered in a loop inside TorchScript, without Python's
cost of a call.
"""

import statistics
import time
from typing import Any

import torch
from torch import Tensor

from neutone_sdk.portable.fir import fir, fir_set_taps

N_BLOCKS = 64
N_ROUNDS = 15
FOREVER = 10**12


def portable(audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    """Return the last of N_BLOCKS blocks."""
    filtered = audio
    for _ in range(64):
        filtered = fir(audio, table, history, state)
    return filtered


def native(audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    """Do the same with the native operator."""
    filtered = audio
    for _ in range(64):
        filtered = torch.ops.neutone.fir(audio, table, history, state)
    return filtered


def block_us(filter_blocks: Any, audio: Tensor, tensors: tuple[Tensor, ...]) -> float:
    """Return microseconds per block."""
    durations = []
    with torch.inference_mode():
        for _ in range(N_ROUNDS + 2):
            start_ns = time.perf_counter_ns()
            filter_blocks(audio, *tensors)
            durations.append((time.perf_counter_ns() - start_ns) / N_BLOCKS / 1e3)
    return statistics.median(durations[2:])


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    native_loop, portable_loop = torch.jit.script(native), torch.jit.script(portable)
    print(f"{'block':>6} {'taps':>6} {'native us':>10} {'portable us':>12} {'fading':>8}")
    for n_frames in (64, 512, 2048):
        for n_taps in (31, 257, 4097, 8193):
            taps = torch.ops.neutone.fir_design("lowpass", [3000.0], 48_000.0, n_taps)
            audio, tensors = torch.rand(2, n_frames) - 0.5, torch.ops.neutone.new_fir(taps, 2)
            native_us = block_us(native_loop, audio, tensors)
            portable_us = block_us(portable_loop, audio, tensors)
            fir_set_taps(taps, FOREVER, *tensors)
            fading_us = block_us(portable_loop, audio, tensors)
            print(f"{n_frames:>6} {n_taps:>6} {native_us:>10.1f} {portable_us:>12.1f} {fading_us:>8.1f}")


if __name__ == "__main__":
    main()
