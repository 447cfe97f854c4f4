"""What streams between a host and a model refuse, by the name of the argument; and that nothing changes then."""

import contextlib
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from .operator_examples import audio, call_with, full_stream, new_stream, ops, stream, taken_stream

STREAM_POSITIONS = {"stream_start": 3, "stream_stop": 0, "stream_exchange": 3, "stream_take": 0, "stream_put": 1}
N_WORDS = 2 * 88  # of 32 bits, in the header


@pytest.mark.parametrize("name", STREAM_POSITIONS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(1000, dtype=torch.float64), "stream must be float32, got float64"),
        (torch.zeros(2, 1000), "stream must have 1 dimensions"),
        (torch.zeros(2000)[::2], "stream must be contiguous"),
        (torch.zeros(1001)[1:], "stream must start at a multiple of 64 bytes"),
    ],
)
def test_a_stream_of_the_wrong_kind_is_refused_by_name(name: str, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: {message}"):
        call_with(name, STREAM_POSITIONS[name], value)


@pytest.mark.parametrize("name", [name for name in STREAM_POSITIONS if name != "stream_stop"])
@pytest.mark.parametrize("value", [torch.zeros(0), torch.zeros(100), torch.zeros(5000), stream()[:-16].clone()])
def test_what_is_no_stream_is_refused(name: str, value: Tensor) -> None:
    before = value.clone()
    with pytest.raises(RuntimeError, match=f"{name}: stream holds numbers that no stream can have"):
        call_with(name, STREAM_POSITIONS[name], value)
    ops.stream_stop(value)  # has nothing to stop
    assert torch.equal(value, before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"host_hz": 0}, r"host_hz must be in 1\.\.768000, got 0"),
        ({"model_hz": 100}, "one of host_hz and model_hz may be at most 256 times the other, got 44100 and 100"),
        ({"least_frames": 0}, r"least_frames must be in 1\.\.8, got 0"),
        ({"least_frames": 9}, r"least_frames must be in 1\.\.8, got 9"),
        ({"most_frames": 2**26}, r"most_frames must be in 1\.\.33554432, got 67108864"),
        ({"model_block": 0}, r"model_block must be in 1\.\.33554432, got 0"),
        ({"n_in_channels": 3}, r"n_in_channels must be in 1\.\.2, got 3"),
        ({"n_out_channels": 0}, r"n_out_channels must be in 1\.\.2, got 0"),
        ({"param_ranges": torch.zeros(5, 3)}, "param_ranges must have 3 columns and at most 4 rows, got 5 by 3"),
        ({"param_ranges": torch.zeros(3, 2)}, "param_ranges must have 3 columns and at most 4 rows, got 3 by 2"),
        ({"default_params": torch.zeros(4, 2)}, "default_params must have 1 column and at most 64 rows, got 4 by 2"),
        ({"default_params": torch.zeros(65, 1)}, "default_params must have 1 column and at most 64 rows"),
    ],
)
def test_settings_that_no_stream_has_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"new_stream: {message}"):
        new_stream(**changed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("late", 0, 0), "kind must be delayed, undelayed or direct, got late"),
        (("delayed", -1, 0), r"total_delay must be in 0\.\.1000000000, got -1"),
        (("delayed", 0, 2**40), r"model_delay must be in 0\.\.1000000000"),
        (("delayed", 10_000, 0), "total_delay 10000 and model_delay 0 are none that this stream can have"),
    ],
)
def test_a_start_that_no_stream_can_have_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    memory = stream()
    before = memory.clone()
    with pytest.raises(RuntimeError, match=f"stream_start: {message}"):
        ops.stream_start(*arguments, memory)
    assert torch.equal(memory, before)


@pytest.mark.parametrize(
    "value",
    [
        torch.rand(5), torch.rand(2, 5, 1), torch.rand(0, 5), torch.rand(3, 5), torch.rand(2, 3), torch.rand(2, 9),
        torch.rand(2, 5, dtype=torch.float64), torch.rand(2, 5).to_sparse(),
    ],
    ids=["1-D", "3-D", "no channel", "3 channels", "too short", "too long", "float64", "sparse"],
)  # fmt: skip
def test_audio_that_is_no_block_changes_nothing(value: Tensor) -> None:
    memory = stream(least_frames=4)
    before = memory.clone()
    assert ops.stream_exchange(value, torch.rand(4, 1), True, memory).shape == (0, 0)
    assert torch.equal(memory, before)
    assert ops.stream_exchange(torch.rand(2, 8).T[:4].T, torch.rand(4, 1), True, memory).shape == (2, 4)


@pytest.mark.parametrize(
    "value",
    [
        torch.rand(4), torch.rand(3, 5), torch.rand(4, 4), torch.rand(4, 0), torch.rand(4, 5, dtype=torch.float64),
        torch.rand(4, 5).to_sparse(),
    ],
    ids=["1-D", "3 rows", "too short", "empty", "float64", "sparse"],
)  # fmt: skip
def test_params_that_belong_to_no_block_change_nothing(value: Tensor) -> None:
    memory = stream()
    before = memory.clone()
    assert ops.stream_exchange(torch.rand(1, 5), value, True, memory).shape == (0, 0)
    assert torch.equal(memory, before)


@pytest.mark.parametrize(
    ("memory", "delayed"),
    [
        (new_stream(), True), (new_stream(), False), (stream("undelayed"), True), (stream("delayed"), False),
        (stream("direct"), False), (full_stream(), True), (full_stream(), False), (taken_stream(), True),
    ],
)  # fmt: skip
def test_a_block_that_comes_at_the_wrong_time_changes_nothing(memory: Tensor, delayed: bool) -> None:
    before = memory.clone()
    assert ops.stream_exchange(audio(1), audio(4), delayed, memory).shape == (0, 0)
    assert torch.equal(memory, before)


def test_a_stopped_stream_takes_in_nothing() -> None:
    memory = stream()
    ops.stream_stop(memory)
    assert ops.stream_exchange(audio(1), audio(4), True, memory).shape == (0, 0)


@pytest.mark.parametrize("memory", [new_stream(), stream(), taken_stream()])
def test_a_block_that_is_not_full_is_not_taken(memory: Tensor) -> None:
    before = memory.clone()
    with pytest.raises(RuntimeError, match="stream_take: no block of the model is full"):
        ops.stream_take(memory)
    assert torch.equal(memory, before)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.rand(2, 16), r"audio must have shape \(1, 16\), got \(2, 16\)"),
        (torch.rand(1, 15), r"audio must have shape \(1, 16\), got \(1, 15\)"),
        (torch.rand(16), "audio must have 2 dimensions"),
    ],
)
def test_what_the_model_cannot_have_made_is_refused(value: Tensor, message: str) -> None:
    memory = taken_stream()
    before = memory.clone()
    with pytest.raises(RuntimeError, match=f"stream_put: {message}"):
        ops.stream_put(value, memory)
    assert torch.equal(memory, before)
    with pytest.raises(RuntimeError, match="stream_put: no block of the model was taken"):
        ops.stream_put(torch.rand(1, 16), stream())


@pytest.mark.parametrize("name", ["audio", "params"])
def test_a_stream_is_not_fed_from_its_own_memory(name: str) -> None:
    memory = stream()
    arguments = {"audio": audio(2), "params": audio(4)} | {name: memory[:20].view(4, 5)[: 2 if name == "audio" else 4]}
    with pytest.raises(RuntimeError, match=f"stream_exchange: {name} lies in the memory of stream"):
        ops.stream_exchange(*arguments.values(), True, memory)
    taken = taken_stream()
    with pytest.raises(RuntimeError, match="stream_put: audio lies in the memory of stream"):
        ops.stream_put(taken[:16].view(1, 16), taken)


def test_too_short_a_delay_is_told() -> None:
    memory = new_stream()
    ops.stream_start("delayed", 3, 0, memory)
    before = memory.clone()
    with pytest.raises(RuntimeError, match="stream_exchange: the host asks for 5 frames, the stream holds 0; start it"):
        ops.stream_exchange(audio(1), audio(4), True, memory)
    assert torch.equal(memory, before)


@settings(deadline=None, max_examples=300)
@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, N_WORDS // 2 - 1),
            st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 62).map(lambda power: 2**power),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    name=st.sampled_from(sorted(STREAM_POSITIONS)),
)
def test_mad_headers_reach_nothing_outside(changes: list[tuple[int, int, bool]], name: str) -> None:
    made = full_stream() if name == "stream_take" else taken_stream() if name == "stream_put" else stream()
    around = torch.full((1024 + made.numel() + 1024,), 7.0)
    memory = around[1024:-1024].copy_(made)
    words = memory[:N_WORDS].view(torch.int64)
    for place, value, is_near in changes:
        words[place] = (int(words[place]) + value + 2**63) % 2**64 - 2**63 if is_near else value
    with contextlib.suppress(RuntimeError):  # refused, or garbage from inside the stream; never beyond it
        call_with(name, STREAM_POSITIONS[name], memory)
    assert (around[:1024] == 7.0).all()
    assert (around[-1024:] == 7.0).all()


@pytest.mark.parametrize("host_channels", [1, 2])
@pytest.mark.parametrize("n_in_channels", [1, 2])
def test_a_direct_stream_hands_on_the_block(host_channels: int, n_in_channels: int) -> None:
    memory = stream("direct", n_in_channels=n_in_channels)
    block = audio(host_channels)
    handed_on = ops.stream_exchange(block, audio(4), True, memory)
    assert torch.equal(handed_on, ops.fit_channels(block, n_in_channels, 0, 5))
    assert handed_on.data_ptr() != block.data_ptr()


@pytest.mark.parametrize(("host_hz", "model_hz"), [(44100, 48000), (48000, 48000), (96000, 44100)])
def test_the_delay_of_resampling_is_that_of_two_resamplers(host_hz: int, model_hz: int) -> None:
    to_model = ops.new_resampler(host_hz, model_hz, "standard", 1)[2].tolist()
    to_host = ops.new_resampler(model_hz, host_hz, "standard", 1)[2].tolist()
    expected = (to_model[2] - 1) * to_model[0] + (to_host[2] - 1) * to_model[1]
    assert ops.stream_resampling_steps(host_hz, model_hz) == expected
