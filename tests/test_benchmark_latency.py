"""Delays of all settings, the least first."""

import json
from pathlib import Path

import pytest
from torch import nn

from neutone_sdk.benchmark import Delay, measure_delays
from neutone_sdk.benchmark.reports import delay_row, latency_csv, latency_json, latency_line
from neutone_sdk.benchmark.tables import recommendation
from neutone_sdk.errors import InvalidArgumentError

from .wrappers import Delaying, Model, PassThrough, card, queue


class Old:
    """A file of 1.x: blocks of one size only, and resampling is not told apart."""

    model_bs = 2048

    def set_daw_sample_rate_and_buffer_size(self, daw_sr: int, daw_bs: int) -> None:
        self.delay = 2048 - daw_bs

    def calc_buffering_delay_samples(self) -> int:
        return self.delay

    def calc_model_delay_samples(self) -> int:
        return 7


@pytest.fixture(scope="module")
def model() -> Model:
    return queue(Delaying(nn.Identity(), card(native_sample_rates=[48_000], native_buffer_sizes=[512])), scripted=True)


@pytest.fixture(scope="module")
def delays(model: Model) -> list[Delay]:
    return measure_delays(model)


def test_the_defaults_are_two_rates_and_five_sizes_in_both_modes(delays: list[Delay]) -> None:
    found = {(each.latency.sample_rate_hz, each.latency.buffer_size, each.is_fixed) for each in delays}
    assert len(delays) == len(found) == 20
    assert {rate for rate, _, _ in found} == {44_100, 48_000}
    assert {size for _, size, _ in found} == {128, 256, 512, 1024, 2048}


def test_delays_are_what_the_queue_says(model: Model, delays: list[Delay]) -> None:
    for delay in delays:
        set_up = "set_daw_sample_rate_and" + ("" if delay.is_fixed else "_max") + "_buffer_size"
        getattr(model, set_up)(delay.latency.sample_rate_hz, delay.latency.buffer_size)
        parts = (model.calc_buffering_delay_samples(), model.calc_model_delay_samples())
        latency = delay.latency
        assert (latency.buffering_samples + latency.resampling_samples, latency.model_samples) == parts


def test_a_host_that_keeps_its_size_is_told_apart_from_one_that_does_not(delays: list[Delay]) -> None:
    buffering = {
        each.is_fixed: each.latency.buffering_samples
        for each in delays
        if (each.latency.sample_rate_hz, each.latency.buffer_size) == (48_000, 128)
    }
    assert buffering == {True: 512 - 128, False: 511}


def test_the_least_time_is_first_and_recommended_with_the_shortest_block(delays: list[Delay]) -> None:
    times_ms = [delay.latency.total_ms for delay in delays]
    assert times_ms == sorted(times_ms)
    assert recommendation(delays).endswith("combination is sample rate 48000, buffer size 512")


def test_time_counts_not_samples() -> None:
    plain = queue(PassThrough(nn.Identity(), card=card(native_buffer_sizes=[2048])), scripted=False)
    found = measure_delays(plain, [44_100, 96_000], [500])
    fixed = {each.latency.sample_rate_hz: each.latency.total_samples for each in found if each.is_fixed}
    assert list(fixed) == [96_000, 44_100]
    assert fixed[96_000] >= fixed[44_100]


def test_files_of_1_x_know_one_mode() -> None:
    found = measure_delays(Old(), [44_100], [256, 512])  # type: ignore[arg-type]
    assert [(each.latency.buffer_size, each.latency.total_samples, each.is_fixed) for each in found] == [
        (512, 1543, True),
        (256, 1799, True),
    ]


@pytest.mark.parametrize(
    ("rates", "sizes", "message"),
    [
        ([44_100], [0], "a buffer size must be 1 to 16777216, got 0"),
        ([44_100], [1 << 64], "a buffer size must be 1 to 16777216, got 18446744073709551616"),
        ([-1], [512], "a sample rate must be 1 to 768000, got -1"),
        ([], [512], "no sample rate"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    model: Model, rates: list[int], sizes: list[int], message: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        measure_delays(model, rates, sizes)


def test_reports_hold_every_setting(delays: list[Delay], tmp_path: Path) -> None:
    rows = json.loads(latency_json(delays, {"model": "m"}))["settings"]
    assert rows == [delay_row(delay) for delay in delays]
    lines = latency_csv(delays).splitlines()
    assert lines[0].split(",") == list(rows[0])
    assert lines[1].split(",")[-1] == str(rows[0]["total_ms"])
    assert len(lines) == 21


def test_the_line_of_1_x(delays: list[Delay]) -> None:
    assert latency_line(delays[0]) == (
        "Sample rate:  48000 | Buffer size:    512 | Total delay:     37 | "
        "(Buffering delay:      0 | Model delay:     37)"
    )
