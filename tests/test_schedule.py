"""Buffering arithmetic against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neutone_sdk.streaming.schedule import (
    fixed_block_delay_samples,
    power_of_two_above,
    ring_capacity_frames,
    select_best_model_buffer_size,
    select_best_model_sr,
    variable_block_delay_samples,
)

BLOCKS = range(1, 301)


@pytest.mark.parametrize("model_block", BLOCKS)
def test_the_fixed_delay_is_the_most_that_ever_waits_for_the_model(model_block: int) -> None:
    hosts = np.array(BLOCKS)
    callbacks = np.arange(model_block)  # after so many callbacks the remainders repeat
    most_waiting = (callbacks * hosts[:, None] % model_block).max(axis=1)

    delays = [fixed_block_delay_samples(host, model_block) for host in BLOCKS]

    assert delays == most_waiting.tolist()


@pytest.mark.parametrize(("host", "model", "delay"), [(2000, 2048, 2032), (64, 2048, 1984), (4096, 2048, 0), (4, 7, 6)])
def test_known_delays(host: int, model: int, delay: int) -> None:
    assert fixed_block_delay_samples(host, model) == delay


@given(blocks=st.lists(st.integers(1, 50), min_size=1, max_size=60), model_block=st.integers(1, 50))
def test_the_variable_delay_suffices_for_any_sequence_of_blocks(blocks: list[int], model_block: int) -> None:
    waiting = np.cumsum(blocks) % model_block
    assert waiting.max() <= variable_block_delay_samples(model_block)


@pytest.mark.parametrize("model_block", [1, 2, 7, 300])
def test_no_smaller_variable_delay_suffices(model_block: int) -> None:
    waiting = np.cumsum(np.ones(model_block, dtype=int)) % model_block
    assert waiting.max() == variable_block_delay_samples(model_block)


@given(host=st.integers(1, 10_000), model=st.integers(1, 10_000))
def test_rings_have_room_for_what_waits_and_what_comes(host: int, model: int) -> None:
    capacity = ring_capacity_frames(host, model)
    assert capacity >= host + model - 1
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
    ],
)
def test_the_hosts_rate_if_native_else_the_nearest(daw_sr: int, native: list[int], best: int) -> None:
    assert select_best_model_sr(daw_sr, native) == best


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
