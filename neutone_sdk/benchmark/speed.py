"""How long a model's callbacks take, against the time that a host has for them."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neutone_sdk.archive import read_metadata
from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.percentiles import percentile_us
from neutone_sdk.benchmark.workers import WorkerStuckError, working

GRACE_SECONDS: Final = 10.0  # beyond the budget: then a single callback hangs


@dataclass
class Timing:
    """Every callback at one setting of the host.

    Attributes:
        sample_rate_hz: The host's.
        buffer_size: The host's, in samples.
        model_rate_hz: The model's.
        model_block: In samples of the model.
        n_planned: Callbacks that were to be timed; fewer are there while it runs, or if it was stopped.
        warm_up_ns: Callbacks before that, which nothing else counts.
        callbacks_ns: All others, in their order.
        n_preemptions: So often the system took the core from the thread; None if it does not say.
        is_over: Nothing more will come.
    """

    sample_rate_hz: int
    buffer_size: int
    model_rate_hz: int
    model_block: int
    n_planned: int
    warm_up_ns: list[int] = field(default_factory=list)
    callbacks_ns: list[int] = field(default_factory=list)
    n_preemptions: int | None = None
    is_over: bool = False

    @property
    def deadline_us(self) -> float:
        """After so long the host brings the next block."""
        return 1e6 * self.buffer_size / self.sample_rate_hz

    @property
    def durations_us(self) -> NDArray[np.float64]:
        """The same as ``callbacks_ns``, in microseconds."""
        return np.array(self.callbacks_ns, dtype=np.float64) / 1e3

    @property
    def is_cut(self) -> bool:
        """Fewer callbacks were timed than planned."""
        return len(self.callbacks_ns) < self.n_planned

    @property
    def mean_us(self) -> float:
        """The mean of all, because a model may work in one callback of many."""
        return float(self.durations_us.mean())

    @property
    def max_us(self) -> float:
        """None took longer."""
        return float(self.durations_us.max())

    def percentile_us(self, percent: float) -> float:
        """Return the least duration that ``percent`` of the callbacks keep to. It was measured: none is made up."""
        return percentile_us(self.callbacks_ns, percent)

    @property
    def load(self) -> float:
        """Part of the host's time that the model takes; above 1 it cannot be played."""
        return self.mean_us / self.deadline_us

    @property
    def speed(self) -> float:
        """How many times faster than real time, 1/RTF."""
        return self.deadline_us / self.mean_us

    @property
    def n_late(self) -> int:
        """Callbacks that took longer than the host has time, so dropouts unless the host has buffers to spare."""
        return int((self.durations_us > self.deadline_us).sum())

    def repetitions_s(self, n_iters: int) -> NDArray[np.float64]:
        """Return seconds of each ``n_iters`` consecutive callbacks; fewer than that are scaled to it."""
        durations_s = self.durations_us / 1e6
        if len(durations_s) < n_iters:
            return durations_s.mean(keepdims=True) * n_iters
        return durations_s[: len(durations_s) // n_iters * n_iters].reshape(-1, n_iters).sum(axis=1)


def measure_speed(job: Job) -> Generator[Timing, None, None]:
    """Time callbacks in a process of their own, and return each setting again and again, as more of it is known.

    Whoever stops listening, or is interrupted, has what was measured until then; the process is ended.

    Warns:
        UserWarning: There are more threads than cores, or a callback hangs, so that the rest was given up.

    Raises:
        InvalidFileError: The model or the clip is missing or is none.
        InvalidArgumentError: The model cannot run at a setting.
        ModelOutputError: The model failed, or ended the process.
    """
    read_metadata(job.model)  # what is no model at all needs no process
    job.warn_of_threads()
    timing: Timing | None = None
    with working("speed", job) as worker:
        while True:
            try:
                message = worker.receive(None if timing is None else job.max_seconds + GRACE_SECONDS)
            except WorkerStuckError:
                worker.warn_that_it_hangs(job.max_seconds)
                return
            if message is None:
                return
            timing = _updated(timing, message)
            yield timing


def _updated(timing: Timing | None, message: dict[str, Any]) -> Timing:
    if "setting" in message:
        return Timing(**message["setting"])
    if timing is None:
        msg = f"a setting has to come before {message}"
        raise AssertionError(msg)
    timing.warm_up_ns += message.get("warm_up_ns", [])
    timing.callbacks_ns += message.get("callbacks_ns", [])
    if "end" in message:
        timing.n_preemptions = message["end"]["n_preemptions"]
        timing.is_over = True
    return timing
