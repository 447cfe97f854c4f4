"""Portable FIR filters against the native ones, which are tested against SciPy: streams, changes of taps, refusals."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.portable.convolution import fast_size
from neutone_sdk.portable.fir import fir, fir_reset, fir_set_taps
from neutone_sdk.portable.fir_tensors import new_fir

from .conftest import Noise
from .operator_examples import ops
from .portable_functions import assert_refused_alike, calls_nothing_native, native, scripted

Filter = tuple[Tensor, Tensor, Tensor]

# For audio of at most 1 and taps whose absolute sum is 1; native sums are made in float32.
FLOAT32_SUMS = 1e-6
WAYS: tuple[Callable[..., Any], Callable[..., Any]] = (native, scripted)
LENGTHS = [1, 2, 31, 128, 129, 257, 1000, 4097, 8193]


def random_taps(n_taps: int, seed: int) -> Tensor:
    """Return float64 taps whose absolute sum is 1."""
    taps = torch.randn(n_taps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return taps / taps.abs().sum()


def full_band_taps(n_taps: int) -> Tensor:
    """Return taps that let nearly all of noise pass, so that sums are large."""
    return ops.fir_design("lowpass", [23_000.0], 48_000.0, n_taps)


def clones(filter_: Filter) -> Filter:
    table, history, state = (tensor.clone() for tensor in filter_)
    return table, history, state


def assert_same(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=FLOAT32_SUMS)


@pytest.mark.parametrize("n_channels", [1, 2, 5])
@pytest.mark.parametrize("n_taps", LENGTHS)
def test_a_filter_is_the_native_one(n_taps: int, n_channels: int, noise: Noise) -> None:
    taps, audio = random_taps(n_taps, seed=1), noise(n_channels, 3000, seed=2)
    before, expected = audio.clone(), ops.fir(audio, *ops.new_fir(taps, n_channels))
    actual = scripted(fir)(audio, *scripted(new_fir)(taps, n_channels))
    assert_same(actual, expected)
    assert torch.equal(audio, before)


@pytest.mark.parametrize("n_taps", [31, 257, 4097, 8193])
def test_a_filter_of_full_scale_noise_is_the_native_one(n_taps: int, noise: Noise) -> None:
    taps, audio = full_band_taps(n_taps), noise(2, 20_000, seed=3)
    native_filter, filter_ = ops.new_fir(taps, 2), scripted(new_fir)(taps, 2)
    assert_same(
        torch.cat([scripted(fir)(block, *filter_) for block in audio.split(512, dim=1)], dim=1),
        torch.cat([ops.fir(block, *native_filter) for block in audio.split(512, dim=1)], dim=1),
    )


@given(
    blocks=st.lists(st.integers(0, 700), min_size=1, max_size=12),
    n_taps=st.sampled_from(LENGTHS),
    n_channels=st.integers(1, 3),
    changes=st.dictionaries(st.integers(0, 12), st.integers(0, 2000), max_size=3),
    reset=st.integers(0, 24),
    is_made_native=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_any_stream_is_the_native_one(
    noise: Noise,
    blocks: list[int],
    n_taps: int,
    n_channels: int,
    changes: dict[int, int],
    reset: int,
    is_made_native: bool,
    seed: int,
) -> None:
    # ``changes`` says before which blocks the taps change, within how many frames.
    audio, taps = noise(n_channels, sum(blocks), seed), random_taps(n_taps, seed)
    filters: dict[bool, Filter] = {True: ops.new_fir(taps, n_channels)}
    filters[False] = clones(filters[True]) if is_made_native else scripted(new_fir)(taps, n_channels)

    def stream(is_native: bool) -> Tensor:
        filter_ = filters[is_native]
        process, set_taps, forget = (native(f) if is_native else scripted(f) for f in (fir, fir_set_taps, fir_reset))
        output = []
        for i, block in enumerate(audio.split(blocks, dim=1)):
            if i in changes:
                set_taps(random_taps(n_taps, seed + i + 1), changes[i], *filter_)
            if i == reset:
                forget(*filter_)
            output.append(process(block, *filter_))
        return torch.cat(output, dim=1)

    assert_same(stream(False), stream(True))


@pytest.mark.parametrize("n_taps", [31, 1000])
@pytest.mark.parametrize("n_fade_frames", [0, 1, 1000])
def test_taps_fade_in_as_in_the_native_filter(n_taps: int, n_fade_frames: int, noise: Noise) -> None:
    audio, native_filter = noise(2, 4000, seed=4), ops.new_fir(random_taps(n_taps, seed=5), 2)
    filters = native_filter, clones(native_filter)
    outputs = []
    for call, filter_ in zip(WAYS, filters, strict=True):
        first = call(fir)(audio[:, :1500], *filter_)
        call(fir_set_taps)(random_taps(n_taps, seed=6), n_fade_frames, *filter_)
        second = call(fir)(audio[:, 1500:1900], *filter_)
        call(fir_set_taps)(random_taps(n_taps, seed=7), 2 * n_fade_frames, *filter_)  # in the middle, or behind
        outputs.append(torch.cat([first, second, call(fir)(audio[:, 1900:], *filter_)], dim=1))
    assert_same(outputs[1], outputs[0])


@pytest.mark.parametrize("n_heard", [0, 1, 64, 777, 20_000])
@pytest.mark.parametrize("n_taps", [128, 129, 257, 1000, 8193])
def test_it_goes_on_with_what_native_operators_began_and_they_with_what_it_left(
    n_taps: int, n_heard: int, noise: Noise
) -> None:
    audio, filter_ = noise(3, n_heard + 1600, seed=8), ops.new_fir(random_taps(n_taps, seed=9), 3)
    ops.fir(audio[:, : n_heard // 2], *filter_)
    ops.fir_set_taps(random_taps(n_taps, seed=10), n_heard // 2 + 1000, *filter_)
    ops.fir(audio[:, n_heard // 2 : n_heard], *filter_)
    other = clones(filter_)
    expected = ops.fir(audio[:, n_heard:], *filter_)
    assert_same(scripted(fir)(audio[:, n_heard : n_heard + 800], *other), expected[:, :800])
    assert_same(ops.fir(audio[:, n_heard + 800 :], *other), expected[:, 800:])


@pytest.mark.parametrize("n_taps", [31, 1000])
def test_reset_is_a_fresh_start(n_taps: int, noise: Noise) -> None:
    taps, audio = random_taps(n_taps, seed=11), noise(2, 3000, seed=12)
    filter_ = scripted(new_fir)(random_taps(n_taps, seed=13), 2)
    scripted(fir)(audio, *filter_)
    scripted(fir_set_taps)(taps, 10_000, *filter_)
    scripted(fir)(audio, *filter_)
    scripted(fir_reset)(*filter_)
    assert torch.equal(scripted(fir)(audio, *filter_), scripted(fir)(audio, *scripted(new_fir)(taps, 2)))


def test_long_signals_are_filtered_in_parts(noise: Noise) -> None:
    taps, audio = random_taps(300, seed=14), noise(1, 150_000, seed=15)
    filters = ops.new_fir(taps, 1), scripted(new_fir)(taps, 1)
    for call, filter_ in zip(WAYS, filters, strict=True):
        call(fir_set_taps)(taps.flip(0), 100_000, *filter_)
    assert_same(scripted(fir)(audio, *filters[1]), ops.fir(audio, *filters[0]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("n_taps", [1, 31, 128, 1000])
def test_what_is_not_finite_is_gone_after_as_many_frames_as_taps(n_taps: int, bad: float, noise: Noise) -> None:
    taps, audio = random_taps(n_taps, seed=16), noise(2, 4000, seed=17)
    clean = ops.fir(audio, *ops.new_fir(taps, 2))
    spoiled = audio.clone()
    spoiled[1, 700] = bad
    filter_ = scripted(new_fir)(taps, 2)
    actual = torch.cat([scripted(fir)(block, *filter_) for block in spoiled.split(512, dim=1)], dim=1)
    is_reached = torch.zeros(2, 4000, dtype=torch.bool)
    is_reached[1, 700 : 700 + n_taps] = True
    assert torch.equal(actual.isfinite().logical_not(), is_reached)
    assert_same(actual[~is_reached], clean[~is_reached])


@pytest.mark.parametrize("change", [Tensor.clone, lambda tensor: tensor.T.contiguous().T])
def test_audio_may_have_any_strides_and_want_gradients(change: Callable[[Tensor], Tensor], noise: Noise) -> None:
    taps, audio = random_taps(300, seed=18), noise(2, 2000, seed=19)
    filter_ = scripted(new_fir)(taps, 2)
    given_audio = change(audio).requires_grad_()
    for _ in range(2):  # what the first leaves in the history must not ask for them
        actual = scripted(fir)(given_audio, *filter_)
        assert not actual.requires_grad
    scripted(fir_reset)(*filter_)
    expected = scripted(fir)(audio, *scripted(new_fir)(taps, 2))
    assert torch.equal(scripted(fir)(given_audio, *filter_), expected)
    assert torch.equal(given_audio, audio)


def test_sizes_of_transforms_are_large_enough_and_not_much_larger() -> None:
    for n_points in range(1, 20_000):
        size = fast_size(n_points)
        assert n_points <= size <= max(18, 1.34 * n_points)
        assert size % 2 == 0


EXAMPLE = ops.new_fir(random_taps(150, seed=20), 2)
AUDIO = torch.zeros(2, 5)
TAPS = random_taps(150, seed=21)


def state_with(**changed: int) -> Tensor:
    """Return the state of a filter of 150 taps that has not heard anything, but for what is changed."""
    words = {"taps": 150, "block": 64, "filled": 128, "frame": 0, "newest": 0, "bank": 0, "faded": 0, "fade": 0}
    return torch.tensor(list((words | changed).values()))


def assert_all_refuse(filter_: Filter) -> None:
    assert_refused_alike(fir, AUDIO, *filter_)
    assert_refused_alike(fir_set_taps, TAPS, 0, *filter_)
    assert_refused_alike(fir_reset, *filter_)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, EXAMPLE[0].double()),
        (0, torch.zeros(2, 504)),
        (0, torch.zeros(4000)[::2]),
        (1, torch.zeros(2, 600)),
        (1, torch.zeros(0, 600)),
        (1, EXAMPLE[1].double()),
        (1, torch.zeros(600, 2).T),
        (2, torch.zeros(7, dtype=torch.int64)),
        (2, torch.zeros(8)),
        (2, state_with(taps=0, block=0)),
        (2, state_with(taps=2**62)),
        (2, state_with(block=-64)),
        (2, state_with(block=96)),
        (2, state_with(block=32)),
        (2, state_with(block=256)),
        (2, state_with(filled=127)),
        (2, state_with(filled=641)),
        (2, state_with(frame=64)),
        (2, state_with(frame=-1)),
        (2, state_with(newest=2)),
        (2, state_with(newest=-1)),
        (2, state_with(bank=2)),
        (2, state_with(bank=-1)),
        (2, state_with(faded=1)),
        (2, state_with(faded=-1)),
        (2, state_with(fade=2**62)),
    ],
)
def test_a_filter_of_the_wrong_kind_is_refused_alike(position: int, value: Tensor) -> None:
    filter_ = list(copy.deepcopy(EXAMPLE))
    filter_[position] = value
    assert_all_refuse((filter_[0], filter_[1], filter_[2]))


@pytest.mark.parametrize("changed", [{"filled": 29}, {"filled": 545}, {"frame": 1}, {"newest": 1}, {"bank": 2}])
def test_a_filter_without_partitions_of_the_wrong_kind_is_refused_alike(changed: dict[str, int]) -> None:
    table, history, _ = ops.new_fir(random_taps(31, seed=22), 2)
    assert_refused_alike(fir, AUDIO, table, history, state_with(**{"taps": 31, "block": 0, "filled": 30} | changed))


def test_tables_and_histories_of_another_length_are_refused_alike() -> None:
    table, history, state = ops.new_fir(random_taps(31, seed=23), 2)
    assert_refused_alike(fir, AUDIO, table[:-1].clone(), history, state)
    assert_refused_alike(fir, AUDIO, table, history[:, 1:].clone(), state)


@pytest.mark.parametrize(
    "audio",
    [torch.zeros(5), torch.zeros(1, 2, 5), AUDIO.double(), AUDIO.short(), torch.zeros(0, 5), torch.zeros(3, 5)],
)
def test_audio_of_the_wrong_kind_is_refused_alike(audio: Tensor) -> None:
    assert_refused_alike(fir, audio, *EXAMPLE)


@pytest.mark.parametrize(
    ("taps", "n_fade_frames"),
    [(TAPS, -1), (TAPS, 10**12 + 1), (TAPS[:-1], 0), (TAPS.float(), 0), (TAPS.masked_fill(TAPS > 0, math.inf), 0)],
)
def test_changes_of_the_wrong_kind_are_refused_alike(taps: Tensor, n_fade_frames: int) -> None:
    filter_ = clones(EXAMPLE)
    assert_refused_alike(fir_set_taps, taps, n_fade_frames, *filter_)


@pytest.mark.parametrize(
    ("taps", "n_channels"),
    [
        (TAPS, 0),
        (TAPS[:0], 2),
        (torch.zeros(2**20 + 1, dtype=torch.float64), 2),
        (torch.tensor([1.0, math.nan]).double(), 2),
        (torch.tensor([1.0, 0.0, -math.inf]).double(), 2),
        (torch.rand(31), 2),
        (TAPS[None], 2),
        (TAPS[::2], 2),
    ],
)
def test_taps_of_the_wrong_kind_are_refused_alike(taps: Tensor, n_channels: int) -> None:
    assert_refused_alike(new_fir, taps, n_channels)


@pytest.mark.parametrize("function", [new_fir, fir, fir_set_taps, fir_reset])
def test_nothing_native_is_called(function: Callable[..., Any]) -> None:
    assert calls_nothing_native(function)
