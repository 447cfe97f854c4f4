"""What to measure, as it is sent to the process that does it."""

import dataclasses
import itertools
import json
import math
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper

DEFAULT_SIZES: Final = (128, 256, 512, 1024, 2048)
MAX_THREADS: Final = 1024  # more is a mistake, and may be refused by the system in the middle of something
MAX_RATE_HZ: Final = 768_000  # as resamplers have it
MAX_CALLBACKS: Final = 100_000_000  # every one is kept: more would not fit into memory
KNOBS: Final = ("default", "moving")


@dataclass(frozen=True, kw_only=True)
class Job:
    """Callbacks of one model, at every pair of rate and block size of a host.

    Attributes:
        model: A ``.nm`` file.
        sample_rates_hz: Of the host, 1..768000.
        buffer_sizes: Of the host, in samples, 1..16777216.
        n_callbacks: So many at each setting, 1..100000000, and more until the model has run on whole blocks of its own.
        is_mono: The host sends one channel, not two.
        n_threads: That torch may use in one operator, 1..1024.
        n_interop_threads: That torch may use for operators side by side, 1..1024.
        clip: Audio file to play; None for a drum loop.
        knobs: ``"default"`` leaves them where the model has them, ``"moving"`` turns them in every callback.
        max_seconds: At each setting, above 0, warm-up included; then what there is has to do.

    Raises:
        InvalidArgumentError: A number is outside its range, or there is nothing to measure.
        InvalidTypeError: A number is none, or not whole.
    """

    model: Path
    sample_rates_hz: tuple[int, ...] = (48_000,)
    buffer_sizes: tuple[int, ...] = DEFAULT_SIZES
    n_callbacks: int = 300
    is_mono: bool = False
    n_threads: int = 1
    n_interop_threads: int = 1
    clip: Path | None = None
    knobs: str = "default"
    max_seconds: float = 10.0

    def __post_init__(self) -> None:
        check_settings(self.sample_rates_hz, self.buffer_sizes)
        _check_whole("the number of callbacks", self.n_callbacks, MAX_CALLBACKS)
        _check_whole("the number of threads", self.n_threads, MAX_THREADS)
        _check_whole("the number of threads between operators", self.n_interop_threads, MAX_THREADS)
        if not (math.isfinite(self.max_seconds) and self.max_seconds > 0):
            msg = f"max_seconds must be finite and above 0, got {self.max_seconds}"
            raise InvalidArgumentError(msg)
        if self.knobs not in KNOBS:
            msg = f"knobs must be one of {', '.join(KNOBS)}, got {self.knobs!r}"
            raise InvalidArgumentError(msg)

    def settings(self) -> Iterator[tuple[int, int]]:
        """Return the pairs of rate and size, by rate, each once."""
        return iter(dict.fromkeys(itertools.product(self.sample_rates_hz, self.buffer_sizes)))

    def warn_of_threads(self) -> None:
        """Warn of more threads than this process has cores: they wait for one another."""
        n_cores = n_usable_cores()
        if self.n_threads > n_cores:
            warnings.warn(
                f"{self.n_threads} threads share {n_cores} cores and wait for one another: the times say little; "
                f"use at most {n_cores}",
                stacklevel=3,
            )

    def to_json(self) -> str:
        """Return the job in one line."""
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Return what `to_json` was given."""
        fields = json.loads(text)
        kinds: dict[str, Callable[[Any], Any]] = {
            "model": Path,
            "clip": lambda clip: None if clip is None else Path(clip),
            "sample_rates_hz": tuple,
            "buffer_sizes": tuple,
        }
        return cls(**{name: kinds[name](value) if name in kinds else value for name, value in fields.items()})


def check_settings(sample_rates_hz: tuple[int, ...], buffer_sizes: tuple[int, ...]) -> None:
    """Raise unless there are rates and sizes, all of them possible.

    Raises:
        InvalidArgumentError: There is none, or one is not above 0, or above what any model can take.
        InvalidTypeError: One is no whole number.
    """
    for what, values, largest in (
        ("sample rate", sample_rates_hz, MAX_RATE_HZ),
        ("buffer size", buffer_sizes, SampleQueueWrapper.MAX_BLOCK),
    ):
        if not values:
            msg = f"there is no {what} to measure at; give at least one"
            raise InvalidArgumentError(msg)
        for value in values:
            _check_whole(f"a {what}", value, largest)


def n_usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_whole(what: str, value: int, largest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"{what} must be a whole number, got {value!r}"
        raise InvalidTypeError(msg)
    if not 1 <= value <= largest:
        msg = f"{what} must be 1 to {largest}, got {value}"
        raise InvalidArgumentError(msg)
