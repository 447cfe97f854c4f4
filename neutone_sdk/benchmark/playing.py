"""Plays a model on a simulated audio device, in the process that it is called in."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any, Final

import torch

from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.timing import host_audio, host_knobs
from neutone_sdk.export import load_neutone_model
from neutone_sdk.realtime import Audio, Engine, FileModel, HostFormat, ModelFormat, SimulatedDevice

Message = dict[str, Any]

BATCH_SECONDS: Final = 0.25  # between two reports
UNSAFE: Final = ("missing_samples", "failed_blocks", "muted_blocks")


def play_settings(job: Job, mode: str, finds: bool) -> Iterator[Message]:
    """Return the messages about each setting: its beginning, what it is, batches of callbacks, its end.

    Args:
        job: At each setting ``max_seconds`` are played.
        mode: The engine's latency mode.
        finds: At each rate, stop at the first size at which something is missing.

    Raises:
        InvalidArgumentError: The model cannot run at a setting.
        ModelOutputError: It fails before there is anything to play.
    """
    model = TimedModel(FileModel(load_neutone_model(job.model)[0], job.n_threads))
    unsafe_rates_hz: set[int] = set()
    for sample_rate_hz, buffer_size in job.settings():
        if sample_rate_hz in unsafe_rates_hz:
            continue
        yield {"begin": {"sample_rate_hz": sample_rate_hz, "buffer_size": buffer_size, "mode": mode}}
        for message in _play_setting(model, job, sample_rate_hz, buffer_size, mode):
            yield message
            if finds and any(message["values"][name] for name in UNSAFE):
                unsafe_rates_hz.add(sample_rate_hz)
        yield {"is_over": True}


@dataclasses.dataclass
class TimedModel:
    """Writes down how long each block takes, on the thread that runs it; nothing is left out."""

    model: FileModel
    durations_ns: list[int] = dataclasses.field(default_factory=list)

    def configure(self, host: HostFormat, /) -> ModelFormat:
        """As the model does."""
        return self.model.configure(host)

    def process(self, audio: Audio, params: Audio, /) -> Audio:
        """As the model does."""
        start_ns = time.perf_counter_ns()
        try:
            return self.model.process(audio, params)
        finally:
            self.durations_ns.append(time.perf_counter_ns() - start_ns)

    def reset(self) -> None:
        """As the model does."""
        self.model.reset()


def _play_setting(model: TimedModel, job: Job, sample_rate_hz: int, buffer_size: int, mode: Any) -> Iterator[Message]:
    n_channels = 1 if job.is_mono else 2
    host = HostFormat(
        sample_rate_hz=sample_rate_hz, max_block_frames=buffer_size, in_channels=n_channels, out_channels=n_channels
    )
    engine = Engine()
    engine.set_model(model)
    engine.prepare(host, latency_mode=mode)
    model.durations_ns.clear()  # of what was played before
    audio = host_audio(job, sample_rate_hz, buffer_size)
    knobs = torch.cat(host_knobs(model.model.script, job, buffer_size), dim=1)
    device = SimulatedDevice(engine, audio.numpy(), knobs.numpy(), seconds=job.max_seconds)
    device.start()
    n_callbacks, n_blocks, is_over = 0, 0, False
    while not is_over:
        is_over = device.wait(BATCH_SECONDS)
        # What is there already: it grows meanwhile, by wake-ups too.
        callbacks_ns = device.durations_ns(n_callbacks).tolist()
        wake_ups_ns = device.lateness_ns(n_callbacks)[: len(callbacks_ns)].tolist()
        worker_ns = model.durations_ns[n_blocks:]
        n_callbacks += len(callbacks_ns)
        n_blocks += len(worker_ns)
        durations = {"callbacks_ns": callbacks_ns, "wake_ups_ns": wake_ups_ns, "worker_ns": worker_ns}
        yield {"values": _values(model, engine, device), "durations": durations}


def _values(model: TimedModel, engine: Engine, device: SimulatedDevice) -> Message:
    stats = engine.stats
    return {
        "model_rate_hz": model.model.script.model_sr,
        "model_block": model.model.script.model_bs,
        "latency_samples": engine.latency_samples,
        "blocks": stats.blocks,
        "late_blocks": stats.late_blocks,
        "missing_samples": stats.missing_samples,
        "failed_blocks": stats.failed_blocks,
        "muted_blocks": stats.muted_blocks,
        "last_error": engine.last_error,
        "n_overruns": device.n_overruns,
        "refusal": device.refusal,
    }
