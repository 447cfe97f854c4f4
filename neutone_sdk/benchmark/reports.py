"""What was measured, for programs: JSON, CSV, and the lines of 1.x."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from neutone_sdk.benchmark.latency import Delay
from neutone_sdk.benchmark.percentiles import percentile_us
from neutone_sdk.benchmark.profiling import Profile
from neutone_sdk.benchmark.realtime import Run
from neutone_sdk.benchmark.speed import Timing

Row = dict[str, Any]


def speed_row(timing: Timing) -> Row:
    """Return one setting, in which there were callbacks."""
    return {
        "sample_rate_hz": timing.sample_rate_hz,
        "buffer_size": timing.buffer_size,
        "model_rate_hz": timing.model_rate_hz,
        "model_block": timing.model_block,
        "deadline_us": timing.deadline_us,
        "n_planned": timing.n_planned,
        "n_callbacks": len(timing.callbacks_ns),
        "n_preemptions": timing.n_preemptions,
        "warm_up_max_us": max(timing.warm_up_ns) / 1e3,
        "p50_us": timing.percentile_us(50),
        "p99_us": timing.percentile_us(99),
        "p99_9_us": timing.percentile_us(99.9),
        "mean_us": timing.mean_us,
        "max_us": timing.max_us,
        "load": timing.load,
        "speed": timing.speed,
        "n_late": timing.n_late,
    }


def speed_json(timings: Sequence[Timing], facts: Row) -> str:
    """Return ``facts`` and a list of settings, each with every callback in nanoseconds."""
    settings = [
        {**speed_row(timing), "warm_up_ns": timing.warm_up_ns, "callbacks_ns": timing.callbacks_ns}
        for timing in timings
    ]
    return json.dumps({**facts, "settings": settings})


def speed_csv(timings: Sequence[Timing]) -> str:
    """Return a line for each setting below one of names."""
    return _csv([speed_row(timing) for timing in timings])


def realtime_row(run: Run) -> Row:
    """Return one setting, at which something was played. What was never timed is None."""
    timed: Row = {}
    for name, deadline_us, durations_ns in run.durations():
        what = name.replace("-", "_")
        timed[f"{what}_deadline_us"] = deadline_us
        for percent, label in ((50, "p50"), (99, "p99"), (99.9, "p99_9"), (100, "max")):
            timed[f"{what}_{label}_us"] = percentile_us(durations_ns, percent) if durations_ns else None
    facts = {
        each.name: getattr(run, each.name)
        for each in fields(run)
        if not each.name.endswith("_ns") and each.name != "is_over"
    }
    return {**facts, "seconds": run.seconds, "n_callbacks": len(run.callbacks_ns), "is_clean": run.is_clean, **timed}


def realtime_json(runs: Sequence[Run], facts: Row) -> str:
    """Return ``facts`` and a list of settings, each with every callback, wake-up and block in nanoseconds."""
    settings = [
        {**realtime_row(run), **{name: getattr(run, name) for name in ("callbacks_ns", "wake_ups_ns", "worker_ns")}}
        for run in runs
    ]
    return json.dumps({**facts, "settings": settings})


def realtime_csv(runs: Sequence[Run]) -> str:
    """Return a line for each setting below one of names."""
    return _csv([realtime_row(run) for run in runs])


def delay_row(delay: Delay) -> Row:
    """Return one setting."""
    latency = delay.latency
    return {
        "sample_rate_hz": latency.sample_rate_hz,
        "buffer_size": latency.buffer_size,
        "is_fixed": delay.is_fixed,
        "model_block": latency.model_block,
        "buffering_samples": latency.buffering_samples,
        "resampling_samples": latency.resampling_samples,
        "model_samples": latency.model_samples,
        "total_samples": latency.total_samples,
        "total_ms": latency.total_ms,
    }


def latency_json(delays: Sequence[Delay], facts: Row) -> str:
    """Return ``facts`` and a list of settings, that with the least delay first."""
    return json.dumps({**facts, "settings": list(map(delay_row, delays))}, indent=4)


def latency_csv(delays: Sequence[Delay]) -> str:
    """Return a line for each setting below one of names."""
    return _csv(list(map(delay_row, delays)))


def profile_json(profiles: Sequence[Profile], facts: Row) -> str:
    """Return ``facts`` and a list of settings, with their layers and torch's tables."""
    return json.dumps({**facts, "settings": [profile.to_dict() for profile in profiles]}, indent=4)


def speed_line(timing: Timing, n_iters: int) -> str:
    """Return a setting as 1.x shows it: seconds of ``n_iters`` callbacks, mean and deviation. Nothing is left out."""
    durations_s = timing.repetitions_s(n_iters)
    return (
        f"Sample rate: {timing.sample_rate_hz: 6} | Buffer size: {timing.buffer_size: 6} | "
        f"duration: {durations_s.mean(): 6.3f}±{durations_s.std():.3f} | 1/RTF: {timing.speed: 6.3f}"
    )


def latency_line(delay: Delay) -> str:
    """Return a setting as 1.x shows it: resampling counts as buffering."""
    latency = delay.latency
    buffering = latency.buffering_samples + latency.resampling_samples
    return (
        f"Sample rate: {latency.sample_rate_hz: 6} | Buffer size: {latency.buffer_size: 6} | "
        f"Total delay: {latency.total_samples: 6} | "
        f"(Buffering delay: {buffering: 6} | Model delay: {latency.model_samples: 6})"
    )


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
