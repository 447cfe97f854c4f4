"""Times single callbacks, every one, in the thread that makes them."""

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from neutone_sdk.audio import AudioSample, get_default_audio_samples
from neutone_sdk.benchmark.job import Job
from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import ModelOutputError
from neutone_sdk.rendering import set_up_host
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of
from neutone_sdk.streaming.resampler import resample
from neutone_sdk.streaming.schedule import ceil_div

WARM_UP_ROUNDS: Final = 3
MIN_WARM_UP_ROUNDS: Final = 2  # torch watches the first run of a graph and compiles in the next, which may take seconds
MIN_WARM_UP_CALLBACKS: Final = 10
BATCH_SECONDS: Final = 0.25  # between two reports: seldom enough not to disturb, often enough to lose little
MAX_CLIP_SECONDS: Final = 20
SWEEP_CALLBACKS: Final = 100  # a moving knob goes from one end to the other in so many

Clock = Callable[[], int]
Calls = Iterator[tuple[Tensor, Tensor]]  # a block and the knobs beside it
Durations = list[int]


@dataclass(frozen=True)
class Batch:
    """Nanoseconds of consecutive callbacks, as they were.

    Attributes:
        is_warm_up: They were made before the measurement.
        durations_ns: In their order.
    """

    is_warm_up: bool
    durations_ns: Durations


@dataclass(frozen=True)
class Plan:
    """How many callbacks there will be at a setting if time allows, and the fewest that say something.

    A model may work in one callback of many and wait in the others. From one block of its own to the next is a round,
    and only whole rounds have a mean that lasts.
    """

    n_round: int
    n_warm_up: int
    n_callbacks: int


def set_up(model: Any, job: Job, sample_rate_hz: int, buffer_size: int) -> Plan:
    """Prepare a model for a host's setting.

    Raises:
        InvalidArgumentError: The model cannot run there.
    """
    set_up_host(model, sample_rate_hz, buffer_size)
    n_round = ceil_div(model.model_bs * sample_rate_hz, model.model_sr * buffer_size)
    n_warm_up, n_callbacks = (
        ceil_div(n_least, n_round) * n_round
        for n_least in (max(MIN_WARM_UP_CALLBACKS, WARM_UP_ROUNDS * n_round), job.n_callbacks)
    )
    return Plan(n_round, n_warm_up, n_callbacks)


def time_callbacks(
    model: Any, calls: Calls, plan: Plan, max_seconds: float, clock_ns: Clock | None = None
) -> Iterator[Batch]:
    """Call a model and return how long each call took, in batches, warm-up first.

    Args:
        model: Prepared for the size of the blocks.
        calls: Endless: a block and the knobs beside it.
        plan: How many.
        max_seconds: After so long nothing more is called, half of it for the warm-up at most; but two rounds of that
            and one of the rest are made in any case.
        clock_ns: That which tells the time; Python's finest by default.

    Raises:
        ModelOutputError: The model failed.
    """
    clock_ns = clock_ns or time.perf_counter_ns
    start_ns = clock_ns()
    phases = ((True, plan.n_warm_up, MIN_WARM_UP_ROUNDS, 0.5), (False, plan.n_callbacks, 1, 1.0))
    for is_warm_up, n_calls, n_rounds, share in phases:
        end_ns = start_ns + int(max_seconds * share * 1e9)
        n_left = n_calls
        while n_left > 0 and (n_left > n_calls - n_rounds * plan.n_round or clock_ns() < end_ns):
            until_ns = clock_ns() + int(min(BATCH_SECONDS, max_seconds) * 1e9)
            durations = _time_until(model, itertools.islice(calls, n_left), until_ns, clock_ns)
            n_left -= len(durations)
            yield Batch(is_warm_up, durations)


def _time_until(model: Any, calls: Calls, until_ns: int, clock_ns: Clock) -> Durations:
    durations: Durations = []
    try:
        with torch.no_grad():
            for block, knobs in calls:
                start_ns = clock_ns()
                model(block, knobs)
                end_ns = clock_ns()
                durations.append(end_ns - start_ns)
                if end_ns >= until_ns:
                    break
    except SCRIPT_ERRORS as error:
        raise ModelOutputError(message_of(error)) from error
    return durations


def host_calls(model: Any, job: Job, sample_rate_hz: int, buffer_size: int) -> Calls:
    """Return what a host sends, for ever: blocks of real audio, since silence and noise can be faster or slower.

    Knobs come as hosts send them, one value for every sample, ``(4, buffer_size)``.

    Raises:
        InvalidFileError: The job's clip is no audio file.
        InvalidAudioError: It is empty.
    """
    audio = host_audio(job, sample_rate_hz, buffer_size)
    blocks = [audio[:, at : at + buffer_size].clone() for at in range(0, audio.size(1) - buffer_size + 1, buffer_size)]
    return zip(itertools.cycle(blocks), itertools.cycle(host_knobs(model, job, buffer_size)), strict=False)


def host_audio(job: Job, sample_rate_hz: int, buffer_size: int) -> Tensor:
    """Return the audio that a host plays, over and over: ``(1 or 2, n)``, a block or more.

    Raises:
        InvalidFileError: The job's clip is no audio file.
        InvalidAudioError: It is empty.
    """
    clip = get_default_audio_samples()[1] if job.clip is None else AudioSample.from_file(job.clip)
    audio = resample(clip.audio[:, : clip.sr * MAX_CLIP_SECONDS], clip.sr, sample_rate_hz)
    audio = audio.repeat(1, ceil_div(buffer_size, audio.size(1)))
    return audio.mean(dim=0, keepdim=True) if job.is_mono else audio.expand(2, -1)


def host_knobs(model: Any, job: Job, buffer_size: int) -> list[Tensor]:
    """Return the knobs beside each block, over and over: ``(4, buffer_size)``, one value for every sample."""
    if job.knobs == "moving":
        up_and_down = [0.5 - 0.5 * math.cos(math.pi * index / SWEEP_CALLBACKS) for index in range(2 * SWEEP_CALLBACKS)]
        return [torch.full((MAX_N_PARAMS, buffer_size), value) for value in up_and_down]
    return [model.get_default_param_values().reshape(-1, 1).repeat(1, buffer_size)]
