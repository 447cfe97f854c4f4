"""Whether a model plays without a glitch here: what an audio thread got from it in time."""

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from neutone_sdk.archive import read_metadata
from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.workers import WorkerStuckError, working

MODES: Final = ("two-blocks", "one-block")
FIND_SIZES: Final = (2048, 1024, 512, 256, 128, 64, 32)  # what hosts offer, the safest first
GRACE_SECONDS: Final = 60.0  # beyond what is played: a model is loaded and warmed up, or a block hangs


@dataclass
class Run:
    """Everything that happened at one setting of the host.

    Attributes:
        sample_rate_hz: The host's.
        buffer_size: The host's, in samples.
        mode: How long the model may take for a block, see `worker_deadline_us`.
        model_rate_hz: The model's.
        model_block: In samples of the model.
        latency_samples: Of the whole plugin, in samples of the host.
        blocks: Of the model, that became full.
        late_blocks: Of those, not finished when the first of their samples was due.
        missing_samples: Frames of the host that were silence for that reason.
        failed_blocks: The model raised.
        muted_blocks: The model returned numbers that are not finite.
        last_error: What the model raised last.
        n_overruns: So often the device's thread woke after the next callback was due.
        refusal: Why the device's thread had no real-time priority; empty if it had.
        callbacks_ns: How long each callback took.
        wake_ups_ns: How late the thread woke for each callback.
        worker_ns: How long the model took for each block.
        is_over: Nothing more will come.
    """

    sample_rate_hz: int
    buffer_size: int
    mode: str
    model_rate_hz: int = 0
    model_block: int = 0
    latency_samples: int = 0
    blocks: int = 0
    late_blocks: int = 0
    missing_samples: int = 0
    failed_blocks: int = 0
    muted_blocks: int = 0
    last_error: str = ""
    n_overruns: int = 0
    refusal: str = ""
    callbacks_ns: list[int] = field(default_factory=list)
    wake_ups_ns: list[int] = field(default_factory=list)
    worker_ns: list[int] = field(default_factory=list)
    is_over: bool = False

    @property
    def setting(self) -> str:
        """Rate and size, for people."""
        return f"{self.sample_rate_hz} Hz / {self.buffer_size}"

    @property
    def seconds(self) -> float:
        """Of audio that were played."""
        return len(self.callbacks_ns) * self.buffer_size / self.sample_rate_hz

    @property
    def callback_deadline_us(self) -> float:
        """Return after how long the host brings the next block."""
        return 1e6 * self.buffer_size / self.sample_rate_hz

    @property
    def worker_deadline_us(self) -> float:
        """Return how long the model may take for a block.

        As long as that lasts, or, with ``one-block``, until the next callback.

        A model that takes longer once in a while may still be in time, if the audio was not due at once.
        """
        return self.callback_deadline_us if self.mode == "one-block" else 1e6 * self.model_block / self.model_rate_hz

    @property
    def is_clean(self) -> bool:
        """Return whether everything that the model had to play was heard, and in time."""
        return self.missing_samples + self.late_blocks + self.failed_blocks + self.muted_blocks == 0

    def durations(self) -> list[tuple[str, float, list[int]]]:
        """Return what was timed: its name, the deadline in microseconds, and nanoseconds of each time."""
        return [
            ("worker", self.worker_deadline_us, self.worker_ns),
            ("callback", self.callback_deadline_us, self.callbacks_ns),
            ("wake-up", self.callback_deadline_us, self.wake_ups_ns),
        ]

    def what_happened(self) -> str:
        """Return why it is not clean."""
        told = {
            f"the model failed in {self.failed_blocks} of {self.blocks} blocks ({self.last_error})": self.failed_blocks,
            f"it returned NaN or infinity in {self.muted_blocks} of {self.blocks} blocks": self.muted_blocks,
            f"{self.late_blocks} of {self.blocks} blocks were late and {self.missing_samples} samples missing": (
                self.late_blocks + self.missing_samples
            ),
        }
        return ", ".join(what for what, count in told.items() if count)


def measure_realtime(job: Job, mode: str = MODES[0], *, finds: bool = False) -> Generator[Run, None, None]:
    """Play a model in a process of its own, and return each setting again and again, as more of it is known.

    Whoever stops listening, or is interrupted, has what was measured until then; the process is ended.

    Args:
        job: At each setting ``max_seconds`` of audio are played, in as much time.
        mode: ``"two-blocks"`` or ``"one-block"``.
        finds: At each rate, stop at the first size at which something is missing.

    Warns:
        UserWarning: A block hangs, so that the rest was given up.

    Raises:
        InvalidFileError: The model or the clip is missing or is none.
        InvalidArgumentError: The model cannot run at a setting.
        ModelOutputError: The model failed before anything was played, or ended the process.
        OperatorLibraryError: The native module is not there.
    """
    read_metadata(job.model)  # what is no model at all needs no process
    job.warn_of_threads()
    run: Run | None = None
    with working("realtime", job, mode=mode, finds=finds) as worker:
        while True:
            try:
                message = worker.receive(job.max_seconds + GRACE_SECONDS)
            except WorkerStuckError:
                worker.warn_that_it_hangs(job.max_seconds + GRACE_SECONDS)
                return
            if message is None:
                return
            run = updated(run, message)
            yield run


def updated(run: Run | None, message: dict[str, Any]) -> Run:
    """Return what is known after a message of `playing.play_settings`; None before the first."""
    if "begin" in message:
        return Run(**message["begin"])
    if run is None:
        msg = f"a setting has to begin before {message}"
        raise AssertionError(msg)
    for name, durations_ns in message.get("durations", {}).items():
        getattr(run, name).extend(durations_ns)
    run.is_over = message.get("is_over", False)
    return dataclasses.replace(run, **message.get("values", {}))


def verdict(runs: Sequence[Run]) -> str:
    """Return the answer in a sentence: does it play here without a glitch?

    Args:
        runs: At least one, each with a callback.
    """
    unclean = [run for run in runs if not run.is_clean]
    if len(runs) == 1:
        return f"It glitches here: {_told(unclean[0])}." if unclean else _praise(runs[0])
    if not unclean:
        return f"It plays here without a glitch at all {len(runs)} settings."
    return f"It glitches here at {len(unclean)} of {len(runs)} settings: {'; '.join(map(_told, unclean))}."


def _told(run: Run) -> str:
    return f"{run.what_happened()} in {run.seconds:.3g} s at {run.setting}"


def _praise(run: Run) -> str:
    longest = max(run.worker_ns, default=0) / 1e3
    return (
        f"It plays here without a glitch: nothing was missing in {run.seconds:.3g} s at {run.setting}; "
        f"the model took {longest:.0f} us at most for a block, the deadline is {run.worker_deadline_us:.0f} us."
        if longest
        else f"It plays here without a glitch at {run.setting}, but {run.seconds:.3g} s were too short for any block."
    )


def smallest_safe_sizes(runs: Sequence[Run]) -> dict[int, int | None]:
    """Return, for each rate in Hz, the least size that was clean, as all larger ones were; None if there is none."""
    found: dict[int, int | None] = {}
    for rate_hz in dict.fromkeys(run.sample_rate_hz for run in runs):
        safe = None
        for run in sorted((run for run in runs if run.sample_rate_hz == rate_hz), key=lambda run: -run.buffer_size):
            if not run.is_clean:
                break
            safe = run.buffer_size
        found[rate_hz] = safe
    return found


def find_verdict(runs: Sequence[Run]) -> str:
    """Return the answer in a sentence: which is the smallest safe buffer size?

    Args:
        runs: At least one, each with a callback.
    """
    told = []
    for rate_hz, size in smallest_safe_sizes(runs).items():
        tried = max(run.buffer_size for run in runs if run.sample_rate_hz == rate_hz)
        told.append(f"{size} samples at {rate_hz} Hz" if size else f"none up to {tried} at {rate_hz} Hz")
    return f"The smallest safe buffer size here: {', '.join(told)}; each was played for {runs[0].seconds:.3g} s."
