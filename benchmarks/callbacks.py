"""Times a model callback by callback, as a host calls it. What several benchmarks share."""

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.wrapper_worker import PassThrough
from neutone_sdk.constants import FLAVOURS
from neutone_sdk.export import load_neutone_model, save_neutone_model


def callbacks_us(script: Any, host_hz: int, host_block: int, n_callbacks: int) -> list[float]:
    """Return what each callback takes, from Python, after as many that do not count: microseconds.

    Of this thread alone, which is all that torch may use: what others do on the machine counts for little.
    """
    durations = []
    with torch.inference_mode():
        script.set_daw_sample_rate_and_buffer_size(host_hz, host_block)
        audio, params = torch.rand(2, host_block) - 0.5, torch.rand(4, host_block)
        for _ in range(2 * n_callbacks):
            start_ns = time.thread_time_ns()
            script(audio, params)
            durations.append((time.thread_time_ns() - start_ns) / 1e3)
    return durations[n_callbacks:]


def pass_through(folder: Path) -> dict[str, Any]:
    """Export the pass-through of ``benchmarks/wrapper_worker.py``, and return it in each flavour."""
    scripts = {}
    for flavour in FLAVOURS:
        save_neutone_model(PassThrough(nn.Identity()), folder / flavour, flavour=flavour, max_n_samples=0)
        scripts[flavour] = load_neutone_model(folder / flavour / "model.nm")[0]
    return scripts
