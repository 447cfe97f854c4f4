"""Whether a model keeps up with real time."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from neutone_sdk.checks.check import Budget, Check
from neutone_sdk.checks.report import Outcome, failed, passed, warned
from neutone_sdk.checks.subject import Setting, Subject, call, noise
from neutone_sdk.rendering import set_up_host
from neutone_sdk.streaming.schedule import ceil_div

HOST_BLOCK: Final = 512
MIN_FACTOR: Final = 1.0
MIN_FACTOR_AT_EXPORT: Final = 0.5  # a model that is near the limit is for `neutone check` to measure
_N_CALLBACKS: Final = 400
_N_WARM_UP: Final = 3  # torch specialises the graph in the first runs
_N_LEAST: Final = 5  # a median of fewer says nothing
_N_NOISES: Final = 8


def _keeps_up(subject: Subject, budget: Budget) -> Outcome:
    return _judge(subject, budget, time.perf_counter_ns, MIN_FACTOR)


def _may_keep_up(subject: Subject, budget: Budget) -> Outcome:
    """At every export, with whatever runs beside it: time in which the thread had to wait does not count."""
    return _judge(subject, budget, time.thread_time_ns, MIN_FACTOR_AT_EXPORT)


def _judge(subject: Subject, budget: Budget, clock_ns: Callable[[], int], min_factor: float) -> Outcome:
    setting = Setting(subject.setting.rate_hz, HOST_BLOCK)
    rounds_ms = _time_callbacks(subject, setting, budget, clock_ns)
    budget_ms = 1e3 * setting.block / setting.rate_hz
    factor = budget_ms * rounds_ms.size(1) / float(rounds_ms.sum(dim=1).median())
    p50, p99 = rounds_ms.flatten().quantile(torch.tensor([0.5, 0.99])).tolist()
    detail = (
        f"{factor:.3g} times real time; a callback takes {p50:.3g} ms (p50), {p99:.3g} ms (p99) of {budget_ms:.3g} ms "
        f"({setting}, {torch.get_num_threads()} threads)"
    )
    if factor >= min_factor:
        return passed(detail)
    return failed(detail) if subject.is_submission else warned(detail)


def _time_callbacks(subject: Subject, setting: Setting, budget: Budget, clock_ns: Callable[[], int]) -> Tensor:
    """Return milliseconds of each callback, nothing dropped, ``(rounds, callbacks)``: a block of the model is a round.

    The model runs in some callbacks and waits in the others, so only whole rounds can be compared with time.
    """
    model = subject.performance(budget).model
    latency = set_up_host(model, setting.rate_hz, setting.block)
    n_round = ceil_div(latency.model_block, setting.block)
    blocks = [noise(2, setting.block, peak=0.5, seed=seed) for seed in range(_N_NOISES)]

    def play_round() -> list[float]:
        times_ms = []
        for index in range(n_round):
            start_ns = clock_ns()
            call(model, blocks[index % _N_NOISES])
            times_ms.append((clock_ns() - start_ns) / 1e6)
        return times_ms

    for _ in budget.take(range(_N_WARM_UP), "rounds to warm up"):
        play_round()
    budget.was_cut = ""
    n_rounds = max(_N_LEAST, _N_CALLBACKS // n_round)
    return torch.tensor([play_round() for _ in budget.take(range(n_rounds), "blocks of the model", _N_LEAST)])


SPEED = Check(
    "speed",
    "a model that is slower than real time cannot be played at all, and a host has other work to do",
    "make the model smaller, avoid Python-like loops over samples, try optimize=True, or larger native blocks",
    _keeps_up,
    is_essential=True,
)
# Enough to tell a model that will never keep up.
QUICK_SPEED = replace(SPEED, run=_may_keep_up, max_seconds=0.2)
