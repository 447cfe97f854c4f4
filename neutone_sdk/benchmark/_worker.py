"""The process that measures: reads a job from its standard input, writes a line of JSON for everything it finds."""

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import torch

from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.playing import play_settings
from neutone_sdk.benchmark.profiling import profile_settings
from neutone_sdk.benchmark.timing import Batch, host_calls, set_up, time_callbacks
from neutone_sdk.errors import NeutoneError
from neutone_sdk.export import load_neutone_model

Message = dict[str, Any]


def speed(job: Job) -> Iterator[Message]:
    """Return the messages about each setting: what it is, batches of callbacks, its end."""
    model, _ = load_neutone_model(job.model)
    for sample_rate_hz, buffer_size in job.settings():
        plan = set_up(model, job, sample_rate_hz, buffer_size)
        setting = {
            "sample_rate_hz": sample_rate_hz,
            "buffer_size": buffer_size,
            "model_rate_hz": model.model_sr,
            "model_block": model.model_bs,
            "n_planned": plan.n_callbacks,
        }
        yield {"setting": setting}
        calls = host_calls(model, job, sample_rate_hz, buffer_size)
        before = _n_preemptions()
        for batch in time_callbacks(model, calls, plan, job.max_seconds):
            yield _as_message(batch)
        after = _n_preemptions()
        yield {"end": {"n_preemptions": None if before is None or after is None else after - before}}


def profile(job: Job, trace: str | None) -> Iterator[Message]:
    """Return a message with the profile of each setting."""
    for result in profile_settings(job, None if trace is None else Path(trace)):
        yield {"profile": result.to_dict()}


def _as_message(batch: Batch) -> Message:
    return {"warm_up_ns" if batch.is_warm_up else "callbacks_ns": batch.durations_ns}


def _n_preemptions() -> int | None:
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return None
    usage = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
    return usage.ru_nivcsw


TASKS: dict[str, Callable[..., Iterator[Message]]] = {"speed": speed, "profile": profile, "realtime": play_settings}


def main() -> None:
    """Do what the standard input asks for."""
    request = json.load(sys.stdin)
    output = _own_output()
    try:
        job = Job.from_json(request["job"])
        torch.set_num_threads(job.n_threads)
        torch.set_num_interop_threads(job.n_interop_threads)
        gc.disable()  # no host collects Python's garbage in the middle of a callback
        for message in TASKS[request["task"]](job, **request["options"]):
            _write(output, message)
    except NeutoneError as error:
        _write(output, {"error": type(error).__name__, "message": str(error)})
    except MemoryError:
        _write(output, {"error": "ModelOutputError", "message": "there is not enough memory to run the model"})


def _write(output: TextIO, message: Message) -> None:
    output.write(json.dumps(message) + "\n")
    output.flush()


def _own_output() -> TextIO:
    """Return what was the standard output, and send there no more what models print."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


if __name__ == "__main__":
    main()
