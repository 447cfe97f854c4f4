"""What rings refuse, by the name of the argument; and that nothing else happens then."""

import contextlib
from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import EXAMPLES, audio, call_with, ops, ring

RING_POSITIONS = {
    "ring_write": 1,
    "ring_push": 2,
    "ring_read": 1,
    "ring_peek": 1,
    "ring_newest": 1,
    "ring_skip": 1,
    "ring_clear": 0,
    "ring_size": 0,
}


@pytest.mark.parametrize("name", RING_POSITIONS)
@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, torch.zeros(2, 7), "samples must have a power of two of columns"),
        (0, torch.zeros(0, 8), "samples must have at least one channel"),
        (0, torch.zeros(2, 8, dtype=torch.float64), "samples must be float32, got float64"),
        (0, torch.zeros(16, 8).T, "samples must be contiguous|samples must have a power"),
        (1, torch.zeros(15, dtype=torch.int64), r"cursors must be contiguous with shape \(16\), got shape \(15\)"),
        (1, torch.zeros(16), "cursors must be int64, got float32"),
    ],
    ids=[
        "capacity",
        "no channel",
        "float64",
        "strided",
        "short cursors",
        "float cursors",
    ],
)
def test_a_ring_of_the_wrong_kind_is_refused_by_name(name: str, offset: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: (?:{message})"):
        call_with(name, RING_POSITIONS[name] + offset, value)


@pytest.mark.parametrize("name", [name for name in RING_POSITIONS if name != "ring_size"])
def test_counters_that_no_ring_can_have_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: cursors hold counters that no ring of 8 frames can have"):
        call_with(name, RING_POSITIONS[name] + 1, 100 * torch.arange(16).flip(0).remainder(7))


@pytest.mark.parametrize("name", ["ring_read", "ring_peek", "ring_newest", "ring_write", "ring_push"])
def test_a_ring_is_not_copied_into_itself(name: str) -> None:
    samples, cursors = ring(2, 4)
    count = (4,) if name == "ring_push" else ()
    with pytest.raises(RuntimeError, match=f"{name}: .* lies in the memory of samples"):
        getattr(ops, name)(samples[:, 1:4], *count, samples, cursors)


def test_memory_that_starts_at_an_odd_address_is_refused_by_name() -> None:
    samples, cursors = ring(2)
    memory = bytearray(200)
    odd_frames = torch.frombuffer(memory, dtype=torch.float32, offset=1, count=10).view(2, 5)
    odd_cursors = torch.frombuffer(memory, dtype=torch.int64, offset=1, count=16)
    with pytest.raises(RuntimeError, match="ring_write: frames must start at a multiple of 4 bytes"):
        ops.ring_write(odd_frames, samples, cursors)
    with pytest.raises(RuntimeError, match="ring_write: cursors must start at a multiple of 8 bytes"):
        ops.ring_write(audio(), samples, odd_cursors)


N_OTHER_SIDE = {"ring_write": slice(8, 10)}  # the consumer's counters; elsewhere the producer's


@pytest.mark.parametrize("name", RING_POSITIONS)
@pytest.mark.parametrize("seed", range(20))
def test_mad_counters_reach_nothing_outside_the_ring(name: str, seed: int) -> None:
    memory = torch.full((64 + 6 * 8 + 64,), 7.0)
    arguments = list(EXAMPLES[name]())
    samples, cursors = arguments[RING_POSITIONS[name] : RING_POSITIONS[name] + 2]
    n_channels = samples.shape[0]
    arguments[RING_POSITIONS[name]] = memory[64 : 64 + n_channels * 8].view(n_channels, 8).copy_(samples)
    # A side cannot tell what the other one's counters should be; its own are checked.
    limit = 9 if seed % 2 else 2**62
    generator = torch.Generator().manual_seed(seed)
    cursors[N_OTHER_SIDE.get(name, slice(0, 2))] = torch.randint(-limit, limit, (2,), generator=generator)
    with contextlib.suppress(RuntimeError):  # refused, or garbage from inside the ring; never beyond it
        getattr(ops, name)(*arguments)
    assert (memory[:64] == 7.0).all()
    assert (memory[64 + n_channels * 8 :] == 7.0).all()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ring_write", (audio(3), *ring(2)), "frames must have the ring's 2 channels, got 3"),
        ("ring_write", (audio(2, 9), *ring(2)), "frames brings 9, the ring has room for 8"),
        ("ring_write", (audio(2, 3), *ring(2, 6)), "frames brings 3, the ring has room for 2"),
        ("ring_push", (audio(), 9, *ring(2)), r"max_frames must be in 0\.\.8"),
        ("ring_push", (audio(), 5, *ring(2, 6)), r"max_frames must be in 6\.\.8"),
        ("ring_push", (audio(), -1, *ring(2)), "max_frames must be at least 0, got -1"),
        ("ring_read", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_peek", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_newest", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_read", (audio(3), *ring(2, 6)), "out must have the ring's 2 channels, got 3"),
        ("ring_read", (torch.zeros(2, 1).expand(2, 5), *ring(2, 6)), "out holds one element of memory twice"),
        ("ring_skip", (5, *ring(2, 4)), "n_frames asks for 5 frames, the ring holds 4"),
        ("ring_skip", (-1, *ring(2, 4)), "n_frames must be at least 0, got -1"),
        ("fit_channels", (audio(), 3, 0, 5), "cannot become 3"),
        ("fit_channels", (audio(), 2, 3, 3), "reach past the 5 frames"),
        ("fit_channels", (audio(), 2, -1, 3), "first must be at least 0"),
        (
            "ring_read",
            (torch.zeros(10).as_strided((2, 5), (1, 1)), *ring(2, 6)),
            "out holds one element of memory twice",
        ),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)
