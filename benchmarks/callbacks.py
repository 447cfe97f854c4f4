"""Times single callbacks of a loaded model by the clock of its thread. What several benchmarks share.

That clock stands while others have the core, so figures of a busy machine are of use. torch may use this thread only.
"""

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.sdk_scripts import PassThrough
from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.speed import Timing
from neutone_sdk.benchmark.timing import host_calls, set_up, time_callbacks
from neutone_sdk.constants import FLAVOURS
from neutone_sdk.export import load_neutone_model, save_neutone_model


def timed(script: Any, host_hz: int, host_block: int, n_callbacks: int) -> Timing:
    """Return how long a stereo host's callbacks take, of whole rounds, each by itself, after a warm-up."""
    torch.set_num_threads(1)
    job = Job(model=Path("model.nm"), n_callbacks=n_callbacks)  # what is timed is loaded already
    plan = set_up(script, job, host_hz, host_block)
    timing = Timing(host_hz, host_block, script.model_sr, script.model_bs, plan.n_callbacks)
    calls = host_calls(script, job, host_hz, host_block)
    for batch in time_callbacks(script, calls, plan, job.max_seconds, time.thread_time_ns):
        (timing.warm_up_ns if batch.is_warm_up else timing.callbacks_ns).extend(batch.durations_ns)
    return timing


def pass_through(folder: Path) -> dict[str, Any]:
    """Export the pass-through of ``benchmarks/sdk_scripts.py``, and return it in each flavour."""
    scripts = {}
    for flavour in FLAVOURS:
        save_neutone_model(PassThrough(nn.Identity()), folder / flavour, flavour=flavour, max_n_samples=0)
        scripts[flavour] = load_neutone_model(folder / flavour / "model.nm")[0]
    return scripts
