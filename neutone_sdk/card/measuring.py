"""What a card says of a model that was run: how late it is, and how fast."""

import itertools
import math
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Final

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.errors import ModelOutputError
from neutone_sdk.rendering import Latency, latencies, set_up_host
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of

HOST_RATES_HZ: Final = (44_100, 48_000, 96_000)
HOST_BLOCKS: Final = (64, 128, 256, 512, 1024, 2048)
SPEED_RATE_HZ: Final = 48_000

_WARM_UP_ROUNDS: Final = 3  # TorchScript watches the first calls and compiles in the next
_MIN_ROUNDS: Final = 4
_SECONDS_A_SIZE: Final = 0.3


@dataclass(frozen=True)
class BlockTime:
    """How long a model takes for one block of a host.

    Attributes:
        sample_rate_hz: The host's.
        buffer_size: The host's, in samples.
        n_blocks: So many were timed, one by one.
        mean_ms: The mean, as a model may work in one of many blocks only and wait in the others.
        slowest_ms: None took longer.
    """

    sample_rate_hz: int
    buffer_size: int
    n_blocks: int
    mean_ms: float
    slowest_ms: float

    @property
    def budget_ms(self) -> float:
        """After so long the host brings the next block."""
        return 1e3 * self.buffer_size / self.sample_rate_hz

    @property
    def load(self) -> float:
        """Part of the time that the model takes; above 1 it is too slow for real time."""
        return self.mean_ms / self.budget_ms

    @property
    def real_time_factor(self) -> float:
        """So many times faster than real time is the model."""
        return self.budget_ms / self.mean_ms


@dataclass(frozen=True)
class Measurements:
    """What came out when a model was run.

    Attributes:
        latencies: By the host's rate, then its block size.
        block_times: By block size; empty if speed was not measured.
        machine: On which the speed was measured.
        date: On which it was measured, as in ``2025-01-31``.
    """

    latencies: list[Latency]
    block_times: list[BlockTime]
    machine: str
    date: str


def measure(
    model: ScriptModule,
    *,
    with_speed: bool = True,
    sample_rates_hz: Iterable[int] = HOST_RATES_HZ,
    buffer_sizes: Iterable[int] = HOST_BLOCKS,
) -> Measurements:
    """Run a model at common settings of hosts. Takes some seconds; a slow model runs seven times a size.

    Args:
        model: What `load_neutone_model` returns. Left at one of the settings, reset.
        with_speed: Time it, too.
        sample_rates_hz: Of the hosts; the speed is measured at 48 kHz.
        buffer_sizes: Of the hosts.

    Raises:
        InvalidArgumentError: The model cannot run at one of the settings.
        ModelOutputError: The model fails.
    """
    sizes = list(buffer_sizes)
    late = latencies(model, sample_rates_hz, sizes)
    times = [_time_blocks(model, size) for size in sizes] if with_speed else []
    return Measurements(late, times, _machine(), datetime.now(tz=timezone.utc).date().isoformat())


def _time_blocks(model: ScriptModule, buffer_size: int) -> BlockTime:
    """Time whole rounds: in each of them the model gets a block of its own, so it works as often as in the long run."""
    latency = set_up_host(model, SPEED_RATE_HZ, buffer_size)
    n_a_round = math.ceil(latency.model_block * SPEED_RATE_HZ / model.model_sr / buffer_size)
    blocks = itertools.cycle(_blocks(buffer_size))
    durations_ms: list[float] = []
    try:
        with torch.no_grad():
            for block in itertools.islice(blocks, _WARM_UP_ROUNDS * n_a_round):
                model(block)
            end = perf_counter() + _SECONDS_A_SIZE
            while len(durations_ms) < _MIN_ROUNDS * n_a_round or perf_counter() < end:
                for block in itertools.islice(blocks, n_a_round):
                    start = perf_counter()
                    model(block)
                    durations_ms.append(1e3 * (perf_counter() - start))
        model.reset()
    except SCRIPT_ERRORS as error:
        raise ModelOutputError(message_of(error)) from error
    return BlockTime(SPEED_RATE_HZ, buffer_size, len(durations_ms), fmean(durations_ms), max(durations_ms))


def _blocks(buffer_size: int) -> list[Tensor]:
    """Real audio: silence and noise can be faster or slower than music."""
    loop = get_default_audio_samples()[1].audio
    loop = loop if loop.size(0) == 2 else loop.repeat(2, 1)
    whole = loop[:, : loop.size(1) // buffer_size * buffer_size]
    return [block.contiguous() for block in whole.split(buffer_size, dim=1)]


def _machine() -> str:
    parts = [_processor(), f"{os.cpu_count()} cores", f"{platform.system()} {platform.machine()}"]
    return ", ".join([*parts, f"torch {torch.__version__}, {torch.get_num_threads()} threads"])


def _processor() -> str:
    """Return its name where the system tells it, or its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())
