"""Runs callbacks under torch's profiler."""

import dataclasses
import itertools
import json
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, record_function

from neutone_sdk.archive import read_metadata, read_model
from neutone_sdk.benchmark.call_sites import CallSites
from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.layers import CALLBACK, Layer, layers_of
from neutone_sdk.benchmark.timing import Calls, Plan, host_calls, set_up, time_callbacks
from neutone_sdk.benchmark.workers import working
from neutone_sdk.errors import InvalidArgumentError, ModelOutputError
from neutone_sdk.export import load_neutone_model
from neutone_sdk.files import write_atomically
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of

N_ROWS: Final = 10
N_STACK_ROWS: Final = 5
N_FRAMES: Final = 5
N_PASSES: Final = 3  # without the profiler, with little of it, and with all


@dataclass(frozen=True)
class Profile:
    """Where the time and the memory of a model's callbacks go, at one setting.

    Attributes:
        sample_rate_hz: The host's.
        buffer_size: The host's, in samples.
        n_callbacks: Those that were profiled for the layers.
        plain_us: Mean of all callbacks that were made without the profiler.
        profiled_us: Mean of those with it, see `Costs`. The difference is the profiler's own work.
        layers: What each layer costs, over all callbacks, as ``n_callbacks`` of ``profiled_us``; see `Layer`.
        by_time: torch's table of operators, by their time.
        by_memory: The same by their memory.
        by_stack: The same by the five innermost calls, and memory.
    """

    sample_rate_hz: int
    buffer_size: int
    n_callbacks: int
    plain_us: float
    profiled_us: float
    layers: tuple[Layer, ...]
    by_time: str
    by_memory: str
    by_stack: str

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Profile":
        """Return what `to_dict` was given."""
        return cls(**{**fields, "layers": tuple(Layer(**layer) for layer in fields["layers"])})


def measure_profile(job: Job, trace: Path | None = None) -> Generator[Profile, None, None]:
    """Profile callbacks in a process of their own, and return each setting when it is done.

    Args:
        job: What to run.
        trace: Chrome trace to write, for ``chrome://tracing`` or https://ui.perfetto.dev. One job, one setting.

    Warns:
        UserWarning: There are more threads than cores.

    Raises:
        InvalidFileError: The model or the clip is missing or is none.
        InvalidArgumentError: The model cannot run at a setting, or a trace is asked for of more than one.
        ExportError: The trace cannot be written.
        ModelOutputError: The model failed, or ended the process.
    """
    if trace is not None and len(list(job.settings())) > 1:
        msg = f"a trace is of one setting, got {len(list(job.settings()))}; name one rate and one buffer size"
        raise InvalidArgumentError(msg)
    read_metadata(job.model)  # what is no model at all needs no process
    job.warn_of_threads()
    with working("profile", job, trace=trace) as worker:
        while (message := worker.receive()) is not None:
            yield Profile.from_dict(message["profile"])


def profile_settings(job: Job, trace: Path | None = None) -> Iterator[Profile]:
    """Profile callbacks in this process, as `measure_profile` does."""
    model, _ = load_neutone_model(job.model)
    sites = CallSites(read_model(job.model).content)
    for sample_rate_hz, buffer_size in job.settings():
        plan = set_up(model, job, sample_rate_hz, buffer_size)
        calls = host_calls(model, job, sample_rate_hz, buffer_size)
        seconds = job.max_seconds / N_PASSES
        batches = list(time_callbacks(model, calls, plan, seconds))
        plain_ns = [duration for batch in batches if not batch.is_warm_up for duration in batch.durations_ns]
        _run(model, calls, Plan(1, 0, 1), seconds, in_detail=True)  # the profiler, too, takes longer the first time
        timed = _run(model, calls, plan, seconds, in_detail=False)
        detailed = _run(model, calls, plan, seconds, in_detail=True)
        found = layers_of(_events(timed), _events(detailed, trace), sites)
        yield Profile(
            sample_rate_hz=sample_rate_hz,
            buffer_size=buffer_size,
            n_callbacks=found.n_callbacks,
            plain_us=fmean(plain_ns) / 1e3,
            profiled_us=found.callbacks_us / found.n_callbacks,
            layers=found.layers,
            **_tables(timed, detailed),
        )


def _run(model: Any, calls: Calls, plan: Plan, max_seconds: float, *, in_detail: bool) -> torch.profiler.profile:
    """Return the profile of as many callbacks as planned, or fewer if time is over, of one round at least."""
    profiler = torch.profiler.profile(
        activities=[ProfilerActivity.CPU], with_stack=in_detail, with_modules=in_detail, profile_memory=in_detail
    )
    end = time.perf_counter() + max_seconds
    try:
        with torch.no_grad(), profiler:
            for index, (block, knobs) in enumerate(itertools.islice(calls, plan.n_callbacks)):
                if index >= plan.n_round and time.perf_counter() >= end:
                    break
                with record_function(CALLBACK):
                    model(block, knobs)
    except SCRIPT_ERRORS as error:
        raise ModelOutputError(message_of(error)) from error
    return profiler


def _events(profiler: torch.profiler.profile, trace: Path | None = None) -> list[dict[str, Any]]:
    """Return what the trace holds: the modules stand nowhere else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        content = path.read_bytes()
    if trace is not None:
        write_atomically({trace: content})
    events: list[dict[str, Any]] = json.loads(content)["traceEvents"]
    return events


def _tables(timed: torch.profiler.profile, detailed: torch.profiler.profile) -> dict[str, str]:
    events = detailed.events()
    events[:] = [event for event in events if not event.is_python_function]  # they made the callbacks
    by_stack = detailed.key_averages(group_by_stack_n=N_FRAMES)
    return {
        "by_time": timed.key_averages().table(sort_by="cpu_time_total", row_limit=N_ROWS),
        "by_memory": detailed.key_averages().table(sort_by="self_cpu_memory_usage", row_limit=N_ROWS),
        "by_stack": by_stack.table(sort_by="self_cpu_memory_usage", row_limit=N_STACK_ROWS),
    }
