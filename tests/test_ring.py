"""The ring operators and the queue class against a plain list."""

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from torch import Tensor, nn

from neutone_sdk import CircularInplaceTensorQueue
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.streaming.queue import new_ring

ops = torch.ops.neutone
N_CHANNELS, CAPACITY = 2, 16


def frames(first: int, count: int) -> Tensor:
    """Frames that tell their number and channel."""
    numbers = torch.arange(first, first + count, dtype=torch.float32)
    return torch.stack([numbers, -numbers])


def as_list(x: Tensor) -> list[int]:
    assert x.shape[0] == N_CHANNELS
    assert torch.equal(x[1], -x[0])
    return [int(number) for number in x[0]]


class RingAgainstList(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.samples, self.cursors = new_ring(N_CHANNELS, CAPACITY)
        self.expected: list[int] = []
        self.next = 1

    def make(self, count: int) -> Tensor:
        self.next += count
        return frames(self.next - count, count)

    @rule(count=st.integers(0, CAPACITY + 2))
    def write(self, count: int) -> None:
        x = self.make(count)
        if len(self.expected) + count > CAPACITY:
            with pytest.raises(RuntimeError, match="has room for"):
                ops.ring_write(x, self.samples, self.cursors)
        else:
            ops.ring_write(x, self.samples, self.cursors)
            self.expected += as_list(x)

    @rule(count=st.integers(0, 2 * CAPACITY), limit=st.integers(0, CAPACITY))
    def push(self, count: int, limit: int) -> None:
        limit = max(limit, len(self.expected))
        x = self.make(count)
        ops.ring_push(x, limit, self.samples, self.cursors)
        self.expected = (self.expected + as_list(x))[-limit:] if limit else []

    @rule(count=st.integers(0, CAPACITY), name=st.sampled_from(["ring_read", "ring_peek", "ring_newest"]))
    def take(self, count: int, name: str) -> None:
        out = torch.full((N_CHANNELS, count), torch.nan)
        if count > len(self.expected):
            with pytest.raises(RuntimeError, match="the ring holds"):
                getattr(ops, name)(out, self.samples, self.cursors)
            assert out.isnan().all()
            return
        getattr(ops, name)(out, self.samples, self.cursors)
        start = len(self.expected) - count if name == "ring_newest" else 0
        assert as_list(out) == self.expected[start : start + count]
        if name == "ring_read":
            self.expected = self.expected[count:]

    @rule(count=st.integers(0, CAPACITY))
    def skip(self, count: int) -> None:
        count = min(count, len(self.expected))
        ops.ring_skip(count, self.samples, self.cursors)
        self.expected = self.expected[count:]

    @rule()
    def clear(self) -> None:
        ops.ring_clear(self.samples, self.cursors)
        self.expected = []

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        assert int(ops.ring_size(self.samples, self.cursors)) == len(self.expected)


TestRingAgainstList = RingAgainstList.TestCase
TestRingAgainstList.settings = settings(deadline=None, max_examples=200, stateful_step_count=40)


class QueueUser(nn.Module):
    """What a model that uses the queue looks like."""

    def __init__(self, max_size: int) -> None:
        super().__init__()
        self.queue = CircularInplaceTensorQueue(N_CHANNELS, max_size)

    def forward(self, x: Tensor, n_out: int, keep: bool) -> tuple[Tensor, int, int]:
        self.queue.push(x)
        out = torch.zeros(x.size(0), n_out)
        n = self.queue.fill(out) if keep else self.queue.pop(out)
        return out, n, self.queue.size


@pytest.fixture(scope="module", params=[False, True], ids=["eager", "scripted"])
def make_user(request: pytest.FixtureRequest) -> Any:
    def make(max_size: int) -> nn.Module:
        user = QueueUser(max_size)
        return torch.jit.script(user) if request.param else user

    return make


@settings(deadline=None, max_examples=60)
@given(
    max_size=st.integers(1, 20),
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=20),
)
def test_the_queue_keeps_the_newest_and_gives_the_oldest(
    make_user: Any, max_size: int, steps: list[tuple[int, int, bool]]
) -> None:
    user, expected, position = make_user(max_size), list[int](), 1
    for n_in, n_out, keep in steps:
        x = frames(position, n_in)
        position += n_in
        expected = (expected + as_list(x))[-max_size:]

        out, n, size = user(x, n_out, keep)

        assert n == min(n_out, len(expected))
        assert as_list(out[:, :n]) == expected[:n]
        assert not out[:, n:].any()
        expected = expected if keep else expected[n:]
        assert size == len(expected)


def test_the_queue_tells_its_state() -> None:
    queue = CircularInplaceTensorQueue(N_CHANNELS, 5, use_debug_mode=False)
    assert (queue.is_empty(), queue.is_full(), queue.size, queue.max_size) == (True, False, 0, 5)
    queue.push(frames(1, 7))
    assert (queue.is_empty(), queue.is_full(), queue.size) == (False, True, 5)
    queue.reset()
    assert (queue.is_empty(), queue.is_full(), queue.size) == (True, False, 0)
    queue.push(frames(8, 2))
    out = torch.zeros(N_CHANNELS, 2)
    assert queue.pop(out) == 2
    assert as_list(out) == [8, 9]


@pytest.mark.parametrize(("n_ch", "max_size", "message"), [(0, 5, "n_ch must be"), (2, 0, "max_size must be")])
def test_the_queue_refuses_no_channels_and_no_room(n_ch: int, max_size: int, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        CircularInplaceTensorQueue(n_ch, max_size)


@pytest.mark.parametrize("call", ["push", "pop", "fill"])
@pytest.mark.parametrize(
    ("x", "message"),
    [(torch.zeros(3, 2), "2 channels, got 3"), (torch.zeros(2, 2).double(), "float32"), (torch.zeros(2), "dimensions")],
)
def test_the_queue_refuses_what_does_not_fit_and_stays_as_it_is(call: str, x: Tensor, message: str) -> None:
    queue = CircularInplaceTensorQueue(N_CHANNELS, 4)
    queue.push(frames(1, 4))
    with pytest.raises(RuntimeError, match=message):
        getattr(queue, call)(x)
    out = torch.zeros(N_CHANNELS, 4)
    assert queue.pop(out) == 4
    assert as_list(out) == [1, 2, 3, 4]
