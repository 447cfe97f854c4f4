"""Portable streams against native ones: each has its own memory, and both give the host the same."""

from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.portable.operators import PORTABLE_OPERATORS
from neutone_sdk.scripting import SCRIPT_ERRORS
from neutone_sdk.streaming.schedule import buffering_steps, ceil_div, reduced_ratio

from .operator_examples import ops

# Native sums of resamplers are float32, with up to a hundred products.
ROUNDING = 2e-6
RATES = [(48000, 48000), (44100, 48000), (48000, 32000), (8000, 44100)]
RANGES = torch.tensor([[0.0, 1.0, 0.0], [0.0, 3.0, 1.0]])
DEFAULTS = torch.tensor([[0.25], [0.5], [0.75]])


@cache
def portable(name: str) -> Any:
    return torch.jit.script(PORTABLE_OPERATORS[name])


def least_delay(host_hz: int, _least: int, _most: int, model_hz: int, model_block: int, *_others: Any) -> int:
    """Return the delay, in samples of the host, that is enough for blocks of any size."""
    up, down = reduced_ratio(host_hz, model_hz)
    resampling: int = ops.stream_resampling_steps(host_hz, model_hz)
    return ceil_div(resampling + buffering_steps(1, model_block, up, down), up)


class Player:
    """Plays a model that adds its second parameter to what it hears."""

    def __init__(self, operators: Any, kind: str, *settings: Any) -> None:
        self.operators = operators
        self.kind = kind
        self.memory = operators("new_stream")(*settings[:7], RANGES, DEFAULTS, settings[7])
        delay = 0 if kind == "direct" else least_delay(*settings)
        operators("stream_start")(kind, delay, 0, self.memory)

    def __call__(self, audio: Tensor, params: Tensor) -> Tensor:
        y: Tensor = self.operators("stream_exchange")(audio, params, self.kind != "undelayed", self.memory)
        while y.size(0) == 0:
            assert y.size(1) > 0
            block, values = self.operators("stream_take")(self.memory)
            y = self.operators("stream_put")((block.mean(0) + values[1]).expand(2, -1), self.memory)
        return y


def native(name: str) -> Any:
    return getattr(ops, name)


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("kind", ["delayed", "undelayed"])
@settings(deadline=None, max_examples=8)
@given(
    blocks=st.lists(st.integers(1, 90), min_size=3, max_size=12),
    block=st.sampled_from([1, 64, 100]),
    n_channels=st.integers(1, 2),
    means=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_both_flavours_give_the_host_the_same(
    rates: tuple[int, int], kind: str, blocks: list[int], block: int, n_channels: int, means: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    settings = (rates[0], 1, 90, rates[1], block, n_channels, 2, means)
    one, other = Player(native, kind, *settings), Player(portable, kind, *settings)
    for i, n_frames in enumerate(blocks):
        audio = torch.rand(1 + i % 2, n_frames, generator=generator) - 0.5
        params = torch.rand(3, n_frames if i % 3 else 1, generator=generator)
        torch.testing.assert_close(other(audio, params), one(audio, params), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_both_flavours_hand_on_the_block_of_a_direct_stream(n_channels: int) -> None:
    settings = (48000, 64, 64, 48000, 64, n_channels, 2, True)
    audio, params = torch.rand(2, 64), torch.rand(3, 1)
    one, other = Player(native, "direct", *settings), Player(portable, "direct", *settings)
    assert one(audio, params).shape == (n_channels, 64)
    assert torch.equal(one(audio, params), other(audio, params))


def test_both_flavours_tell_the_same_delay_of_resampling() -> None:
    for host_hz, model_hz in RATES:
        expected = ops.stream_resampling_steps(host_hz, model_hz)
        assert portable("stream_resampling_steps")(host_hz, model_hz) == expected


@settings(deadline=None, max_examples=150)
@given(
    changes=st.lists(
        st.tuples(st.integers(1, 63), st.integers(-3, 3) | st.integers(-(2**53), 2**53) | st.just(2**31)),
        min_size=1,
        max_size=3,
    ),
)
def test_mad_words_are_refused_or_play(changes: list[tuple[int, int]]) -> None:
    player = Player(portable, "delayed", 44100, 1, 90, 48000, 64, 2, 2, False)
    for place, value in changes:
        player.memory[place] = value
    for _ in range(3):
        try:
            y = player(torch.rand(2, 60), torch.rand(3, 60))
        except (*SCRIPT_ERRORS, AssertionError):
            return
        assert y.dim() == 2


def test_one_flavour_refuses_the_memory_of_the_other() -> None:
    settings = (44100, 1, 90, 48000, 64, 2, 2, False)
    one, other = Player(native, "delayed", *settings), Player(portable, "delayed", *settings)
    one.memory, other.memory = other.memory, one.memory
    for player in (one, other):
        with pytest.raises(SCRIPT_ERRORS, match="stream must be"):
            player(torch.rand(2, 60), torch.rand(3, 60))


def settings_with(**changed: Any) -> tuple[Any, ...]:
    """Return arguments of new_stream, but for what is changed."""
    arguments: dict[str, Any] = {
        "host_hz": 44100, "least_frames": 4, "most_frames": 90, "model_hz": 48000, "model_block": 64,
        "n_in_channels": 2, "n_out_channels": 2, "param_ranges": RANGES, "default_params": DEFAULTS,
        "mean_params": False,
    }  # fmt: skip
    return tuple((arguments | changed).values())


@pytest.mark.parametrize(
    "changed",
    [
        {"host_hz": 0}, {"model_hz": 100}, {"least_frames": 0}, {"least_frames": 91}, {"model_block": 0},
        {"n_in_channels": 3}, {"n_out_channels": 0}, {"param_ranges": torch.zeros(4, 3)},
        {"param_ranges": torch.zeros(2, 2)}, {"default_params": torch.zeros(3, 2)},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_both_flavours_refuse_settings_that_no_stream_has(changed: dict[str, Any]) -> None:
    for operators in (native, portable):
        with pytest.raises(SCRIPT_ERRORS, match=r"new_(stream|resampler): "):
            operators("new_stream")(*settings_with(**changed))


@pytest.mark.parametrize(
    "arguments", [("late", 0, 0), ("delayed", -1, 0), ("delayed", 0, 2**40), ("delayed", 10**4, 0)]
)
def test_both_flavours_refuse_a_start_that_no_stream_can_have(arguments: tuple[Any, ...]) -> None:
    for operators in (native, portable):
        memory = operators("new_stream")(*settings_with())
        before = memory.clone()
        with pytest.raises(SCRIPT_ERRORS, match="stream_start: "):
            operators("stream_start")(*arguments, memory)
        assert torch.equal(memory, before)


@pytest.mark.parametrize(
    ("audio", "params"),
    [
        (torch.rand(3, 9), torch.rand(3, 1)), (torch.rand(2, 3), torch.rand(3, 1)),
        (torch.rand(2, 91), torch.rand(3, 1)), (torch.rand(9), torch.rand(3, 1)),
        (torch.rand(2, 9).double(), torch.rand(3, 1)),
        (torch.rand(2, 9), torch.rand(2, 9)), (torch.rand(2, 9), torch.rand(3, 8)), (torch.rand(2, 9), torch.rand(3)),
    ],
    ids=["3 channels", "too short", "too long", "1-D", "float64", "2 knobs", "short curves", "flat knobs"],
)  # fmt: skip
def test_what_is_no_block_changes_nothing_in_either_flavour(audio: Tensor, params: Tensor) -> None:
    for operators in (native, portable):
        memory = operators("new_stream")(*settings_with())
        operators("stream_start")("delayed", 200, 0, memory)
        before = memory.clone()
        for delayed in (True, False):
            assert operators("stream_exchange")(audio, params, delayed, memory).shape == (0, 0)
        with pytest.raises(SCRIPT_ERRORS, match="stream_take: no block of the model is full"):
            operators("stream_take")(memory)
        with pytest.raises(SCRIPT_ERRORS, match="stream_put: audio must have shape"):
            operators("stream_put")(torch.rand(2, 63), memory)
        with pytest.raises(SCRIPT_ERRORS, match="stream_put: no block of the model was taken"):
            operators("stream_put")(torch.rand(2, 64), memory)
        assert torch.equal(memory, before)
        operators("stream_stop")(memory)
        assert operators("stream_exchange")(torch.rand(2, 9), torch.rand(3, 1), True, memory).shape == (0, 0)


def test_too_short_a_delay_is_told_by_both_flavours() -> None:
    for operators in (native, portable):
        memory = operators("new_stream")(*settings_with())
        operators("stream_start")("delayed", 3, 0, memory)
        with pytest.raises(SCRIPT_ERRORS, match="stream_exchange: the host asks for 9 frames, the stream holds 0"):
            operators("stream_exchange")(torch.rand(2, 9), torch.rand(3, 1), True, memory)
