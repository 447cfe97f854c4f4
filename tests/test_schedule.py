"""Buffering arithmetic against brute force."""

import math
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neutone_sdk.streaming.schedule import (
    best_model_block,
    buffering_steps,
    ceil_div,
    first_output_step,
    n_ready,
    nearest_rates,
    power_of_two_above,
    resampling_steps,
    ring_capacity_frames,
    select_best_model_buffer_size,
    select_best_model_sr,
)

BLOCKS = range(1, 301)


@pytest.mark.parametrize("model_block", BLOCKS)
def test_the_fixed_delay_is_the_most_that_ever_waits_for_the_model(model_block: int) -> None:
    hosts = np.array(BLOCKS)
    callbacks = np.arange(model_block)  # after so many callbacks the remainders repeat
    most_waiting = (callbacks * hosts[:, None] % model_block).max(axis=1)

    delays = [buffering_steps(host, model_block) for host in BLOCKS]

    assert delays == most_waiting.tolist()


@pytest.mark.parametrize(("host", "model", "delay"), [(2000, 2048, 2032), (64, 2048, 1984), (4096, 2048, 0), (4, 7, 6)])
def test_known_delays(host: int, model: int, delay: int) -> None:
    assert buffering_steps(host, model) == delay


@given(blocks=st.lists(st.integers(1, 50), min_size=1, max_size=60), model_block=st.integers(1, 50))
def test_the_delay_of_single_samples_suffices_for_any_sequence_of_blocks(blocks: list[int], model_block: int) -> None:
    waiting = np.cumsum(blocks) % model_block
    assert waiting.max() <= buffering_steps(1, model_block)


def plays_without_gaps(setting: "Setting", total_delay: int) -> bool:
    """Count frames, callback by callback, until everything repeats: does the model's output always come in time?"""
    first_out = first_output_step(total_delay, setting.up, setting.down, setting.resampling, setting.model_delay)
    block_steps, host_steps = setting.model_block * setting.down, setting.host_block * setting.up
    n_repeating = block_steps // math.gcd(host_steps, block_steps)
    n_frames = 0
    for callback in range(1, 2 * n_repeating + 2):
        n_in = callback * setting.host_block
        # Frame m of the model needs the host's samples up to (m * down + down - 1) / up, rounded down.
        while (n_frames * setting.down + setting.down - 1) // setting.up < n_in:
            n_frames += 1
        n_done = n_frames // setting.model_block * setting.model_block
        last_needed = ((n_in - 1) * setting.up + first_out) // setting.down
        if last_needed >= n_done:
            return False
    return True


@dataclass(frozen=True)
class Setting:
    host_block: int
    model_block: int
    up: int
    down: int
    model_delay: int
    half_taps_in: int
    half_taps_out: int

    @property
    def resampling(self) -> int:
        return resampling_steps(self.up, self.down, self.half_taps_in, self.half_taps_out)

    @property
    def least_delay(self) -> int:
        waiting = buffering_steps(self.host_block, self.model_block, self.up, self.down)
        return ceil_div(self.resampling + self.model_delay * self.down + waiting, self.up)


@given(
    setting=st.builds(
        Setting,
        host_block=st.integers(1, 12),
        model_block=st.integers(1, 12),
        up=st.integers(1, 7),
        down=st.integers(1, 7),
        model_delay=st.integers(0, 5),
        half_taps_in=st.integers(1, 6),
        half_taps_out=st.integers(1, 6),
    ).filter(lambda setting: math.gcd(setting.up, setting.down) == 1)
)
@settings(deadline=None)
def test_the_least_delay_at_different_rates_is_enough_and_one_less_is_not(setting: Setting) -> None:
    assert plays_without_gaps(setting, setting.least_delay)
    assert not plays_without_gaps(setting, setting.least_delay - 1)


@given(lead=st.integers(-1000, 1000), step=st.integers(1, 50))
def test_what_is_ready_is_what_is_due_before_now(lead: int, step: int) -> None:
    assert n_ready(lead, step) == sum(1 for _ in takewhile(lambda m: lead + m * step < 0, count()))


@given(host=st.integers(1, 10_000), model=st.integers(1, 10_000), up=st.integers(1, 50), down=st.integers(1, 50))
def test_rings_have_room_for_what_waits_and_what_comes(host: int, model: int, up: int, down: int) -> None:
    capacity = ring_capacity_frames(host, model, up, down)
    assert capacity >= host * up / down + model - 1
    assert capacity & (capacity - 1) == 0


@pytest.mark.parametrize(("count", "power"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 4), (1025, 2048)])
def test_powers_of_two(count: int, power: int) -> None:
    assert power_of_two_above(count) == power


@pytest.mark.parametrize(
    ("daw_sr", "native", "best"),
    [
        (48000, [], 48000),
        (48000, [44100, 48000], 48000),
        (44100, [16000, 48000], 48000),
        (22050, [16000, 48000], 16000),
        (96000, [44100], 44100),
        (46050, [48000, 44100], 48000),
    ],
)
def test_the_hosts_rate_if_native_else_the_nearest(daw_sr: int, native: list[int], best: int) -> None:
    assert select_best_model_sr(daw_sr, native) == best


def test_all_rates_that_are_equally_near_are_known() -> None:
    assert nearest_rates(46050, [48000, 44100, 16000, 48000]) == [48000, 44100]


@pytest.mark.parametrize(
    ("host", "up", "down", "native", "best"),
    [
        (441, 160, 147, [], 480),
        (512, 160, 147, [], 558),  # 557.3, rounded up
        (441, 160, 147, [512, 960, 480], 480),  # a multiple
        (441, 160, 147, [512, 960], 960),  # the smallest multiple
        (512, 160, 147, [512, 2048, 600], 600),  # no multiple: the next larger
        (512, 160, 147, [512, 256], 512),  # all smaller: the largest
        (147, 160, 147, [159, 161, 160], 160),
    ],
)
def test_the_choice_of_a_block_at_another_rate(host: int, up: int, down: int, native: list[int], best: int) -> None:
    assert best_model_block(host, up, down, native) == best


@pytest.mark.parametrize(
    ("host", "native", "best"),
    [
        (441, [], 441),
        (64, [2048], 2048),
        (512, [2048, 1024, 300], 1024),  # the smallest multiple, in whatever order they come
        (500, [512, 300, 2048], 512),  # no multiple: the next larger
        (4096, [512, 2048], 2048),  # all smaller: the nearest
        (512, [512, 1024], 512),
    ],
)
def test_the_choice_of_a_block(host: int, native: list[int], best: int) -> None:
    assert select_best_model_buffer_size(host, native) == best
