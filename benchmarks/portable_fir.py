"""Time FIR filters of both flavours in TorchScript: python -m benchmarks.portable_fir [--json FILE] [--quick].

Per block, stereo, one thread. Blocks are filtered in a loop inside TorchScript, without Python's cost of a call.
"""

from typing import Any

import torch
from torch import Tensor

from benchmarks.rounds import OURS, Results, Rounds, in_turns, run
from neutone_sdk.portable.fir import fir, fir_set_taps

N_BLOCKS = 64
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


def compare(loops: dict[str, Any], n_frames: int, n_taps: int, n_rounds: int) -> Rounds:
    """Return timings of one filter, each contender with tensors of its own."""
    taps = torch.ops.neutone.fir_design("lowpass", [3000.0], 48_000.0, n_taps)
    audio = torch.rand(2, n_frames) - 0.5
    cases = {}
    for name, loop in loops.items():
        tensors = torch.ops.neutone.new_fir(taps, 2)
        if name.endswith("fading"):
            fir_set_taps(taps, FOREVER, *tensors)
        loop(audio, *tensors)  # the compiler settles in the first two calls
        cases[name] = (lambda loop=loop, tensors=tensors: loop(audio, *tensors), float(N_BLOCKS))
    return in_turns(cases, n_rounds)


def measure(is_quick: bool) -> Results:
    """Return the timings of all filters."""
    torch.set_num_threads(1)
    in_native, in_portable = torch.jit.script(native), torch.jit.script(portable)
    loops = {OURS: in_native, "neutone portable": in_portable, "neutone portable, fading": in_portable}
    results = Results()
    with torch.inference_mode():
        for n_frames in (64, 512, 2048):
            for n_taps in (31, 257, 4097, 8193):
                group = f"portable fir/{n_taps} taps, {n_frames} frames"
                results.groups[group] = compare(loops, n_frames, n_taps, n_rounds=3 if is_quick else 15)
    return results


if __name__ == "__main__":
    run(__doc__, measure)
