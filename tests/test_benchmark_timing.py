"""Single callbacks are timed as they were; with a clock of our own, since no test may hang on the machine's."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.audio import AudioSample
from neutone_sdk.benchmark import Job, Timing
from neutone_sdk.benchmark.reports import speed_row
from neutone_sdk.benchmark.tables import speed_table
from neutone_sdk.benchmark.timing import Plan, host_calls, set_up, time_callbacks
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError

from .wrappers import GAIN, PassThrough, Stamped, card, queue

MS = 1_000_000
STALL_EVERY = 500


class Clock:
    """Tells the time that a model says has passed."""

    def __init__(self, durations_ns: Iterator[int]) -> None:
        self.now_ns = 0
        self.durations_ns = durations_ns

    def __call__(self) -> int:
        return self.now_ns

    def play(self, block: Tensor, knobs: Tensor) -> Tensor:
        """The model."""
        self.now_ns += next(self.durations_ns)
        return block


def measure(durations_ns: Iterator[int], plan: Plan, max_seconds: float = 1e6) -> Timing:
    clock = Clock(durations_ns)
    timing = Timing(48_000, 512, 48_000, 512, plan.n_callbacks)
    calls = itertools.repeat((torch.zeros(2, 1), torch.zeros(4, 1)))
    for batch in time_callbacks(clock.play, calls, plan, max_seconds, clock):
        (timing.warm_up_ns if batch.is_warm_up else timing.callbacks_ns).extend(batch.durations_ns)
    return timing


def test_a_stall_every_500_blocks_shows() -> None:
    usual, stall = MS, 20 * MS
    durations = (usual + (stall if index % STALL_EVERY == STALL_EVERY - 1 else 0) for index in itertools.count())

    timing = measure(durations, Plan(1, STALL_EVERY, 10 * STALL_EVERY))

    assert timing.percentile_us(50) == timing.percentile_us(99) == usual / 1e3
    assert timing.percentile_us(99.9) == timing.max_us == (usual + stall) / 1e3
    assert timing.n_late == 10
    assert timing.mean_us == pytest.approx((usual + stall / STALL_EVERY) / 1e3)


@settings(deadline=None)
@given(durations_ns=st.lists(st.integers(1, 10**9), min_size=12, max_size=60), n_warm_up=st.integers(1, 10))
def test_every_callback_is_kept_in_its_order(durations_ns: list[int], n_warm_up: int) -> None:
    timing = measure(iter(durations_ns), Plan(1, n_warm_up, len(durations_ns) - n_warm_up))
    assert timing.warm_up_ns + timing.callbacks_ns == durations_ns
    assert len(timing.warm_up_ns) == n_warm_up
    assert not timing.is_cut


@settings(deadline=None)
@given(
    durations_ns=st.lists(st.integers(1, 10**9), min_size=1, max_size=60),
    percent=st.floats(0, 100, allow_subnormal=False),
)
def test_a_percentile_was_measured_and_as_many_keep_to_it(durations_ns: list[int], percent: float) -> None:
    timing = Timing(48_000, 512, 48_000, 512, len(durations_ns), callbacks_ns=durations_ns)
    found = timing.percentile_us(percent)
    assert found in timing.durations_us
    assert (timing.durations_us <= found).mean() >= percent / 100 - 1e-6  # rounding of the percentage
    assert (timing.durations_us < found).mean() <= percent / 100  # and there is no lesser one


@pytest.mark.parametrize("n_round", [1, 16])
def test_a_slow_model_is_stopped_after_its_time(n_round: int) -> None:
    timing = measure(itertools.repeat(1_000 * MS), Plan(n_round, 3 * n_round, 300 * n_round), max_seconds=100.0)
    assert len(timing.callbacks_ns) + len(timing.warm_up_ns) == 100
    assert timing.is_cut
    assert timing.speed == pytest.approx(512 / 48_000)


@pytest.mark.parametrize("n_round", [1, 16])
def test_whole_rounds_are_made_however_little_time_there_is(n_round: int) -> None:
    timing = measure(itertools.repeat(1_000 * MS), Plan(n_round, 3 * n_round, 300 * n_round), max_seconds=1e-3)
    assert (len(timing.warm_up_ns), len(timing.callbacks_ns)) == (2 * n_round, n_round)


def test_the_warm_up_leaves_half_of_the_time() -> None:
    timing = measure(itertools.repeat(1_000 * MS), Plan(1, 300, 300), max_seconds=100.0)
    assert (len(timing.warm_up_ns), len(timing.callbacks_ns)) == (50, 50)


def test_reports_and_tables_have_the_percentiles_of_their_names() -> None:
    timing = Timing(48_000, 512, 48_000, 512, 10_000, [MS], [index * 1_000 for index in range(1, 10_001)])
    row = speed_row(timing)
    assert [row[name] for name in ("p50_us", "p99_us", "p99_9_us", "max_us")] == [5_000, 9_900, 9_990, 10_000]
    columns = {str(column.header): str(*column.cells) for column in speed_table([timing], "").columns}
    assert [columns[name] for name in ("p50", "p99", "p99.9", "max")] == ["5000", "9900", "9990", "10000"]


def test_load_and_speed_are_of_the_mean() -> None:
    timing = Timing(50_000, 500, 50_000, 500, 2, callbacks_ns=[2 * MS, 6 * MS])
    assert timing.deadline_us == 10_000
    assert (timing.load, timing.speed) == pytest.approx((0.4, 2.5))
    assert timing.n_late == 0


def test_repetitions_are_sums_of_consecutive_callbacks() -> None:
    timing = Timing(48_000, 512, 48_000, 512, 5, callbacks_ns=[MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS])
    np.testing.assert_allclose(timing.repetitions_s(2), [0.003, 0.007])
    np.testing.assert_allclose(timing.repetitions_s(10), [0.030])


@pytest.mark.parametrize(("size", "n_round"), [(64, 32), (441, 5), (2048, 1), (4096, 1)])
def test_whole_blocks_of_the_model_are_timed(size: int, n_round: int) -> None:
    model = queue(PassThrough(nn.Identity(), card=card(native_buffer_sizes=[2048])), scripted=False)
    plan = set_up(model, Job(model=Path("model.nm"), n_callbacks=100), 48_000, size)
    assert plan.n_round == n_round
    assert plan.n_callbacks % n_round == plan.n_warm_up % n_round == 0
    assert 100 <= plan.n_callbacks < 100 + n_round
    assert plan.n_warm_up >= 3 * n_round


@pytest.mark.parametrize("is_mono", [False, True])
@pytest.mark.parametrize("size", [64, 441, 1_000_000])
def test_what_a_host_sends_is_real_audio_and_the_defaults(is_mono: bool, size: int) -> None:
    model = queue(Stamped(nn.Identity(), card=card(parameters=[GAIN])), scripted=False)
    calls = host_calls(model, Job(model=Path("model.nm"), is_mono=is_mono), 48_000, size)
    block, knobs = next(calls)
    assert block.shape == (1 if is_mono else 2, size)
    assert block.std() > 0
    torch.testing.assert_close(knobs, model.get_default_param_values().repeat(1, size))


def test_knobs_may_move_and_audio_may_be_mine(tmp_path: Path) -> None:
    AudioSample(torch.full((1, 1_000), 0.25), 48_000).to_file(tmp_path / "mine.wav")
    model = queue(Stamped(nn.Identity(), card=card(parameters=[GAIN])), scripted=False)
    job = Job(model=Path("model.nm"), clip=tmp_path / "mine.wav", knobs="moving")
    sent = list(itertools.islice(host_calls(model, job, 48_000, 64), 300))
    positions = torch.stack([knobs for _, knobs in sent])
    assert (float(positions.min()), float(positions.max())) == (0.0, 1.0)
    assert all(torch.equal(block, torch.full((2, 64), 0.25)) for block, _ in sent)


def test_a_job_survives_its_journey() -> None:
    job = Job(model=Path("a b.nm"), sample_rates_hz=(44_100, 96_000), clip=Path("c.wav"), knobs="moving", n_threads=2)
    assert Job.from_json(job.to_json()) == job
    assert Job.from_json(Job(model=Path("m")).to_json()).clip is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_callbacks": 0}, "the number of callbacks must be 1 to 100000000, got 0"),
        ({"buffer_sizes": (512, 0)}, "a buffer size must be 1 to 16777216, got 0"),
        ({"buffer_sizes": (1 << 64,)}, "a buffer size must be 1 to 16777216, got 18446744073709551616"),
        ({"sample_rates_hz": (-48_000,)}, "a sample rate must be 1 to 768000, got -48000"),
        ({"sample_rates_hz": (1_000_000,)}, "a sample rate must be 1 to 768000, got 1000000"),
        ({"sample_rates_hz": ()}, "no sample rate to measure at"),
        ({"buffer_sizes": ()}, "no buffer size to measure at"),
        ({"n_threads": 0}, "threads must be 1 to 1024, got 0"),
        ({"n_interop_threads": 1025}, "must be 1 to 1024, got 1025"),
        ({"max_seconds": 0.0}, "max_seconds must be finite and above 0, got 0.0"),
        ({"max_seconds": float("nan")}, "max_seconds must be finite and above 0, got nan"),
        ({"knobs": "up"}, "knobs must be one of default, moving, got 'up'"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        Job(model=Path("model.nm"), **fields)  # type: ignore[arg-type]


def test_a_job_of_parts_is_refused() -> None:
    with pytest.raises(InvalidTypeError, match=r"a buffer size must be a whole number, got 1\.5"):
        Job(model=Path("model.nm"), buffer_sizes=(1.5,))  # type: ignore[arg-type]
