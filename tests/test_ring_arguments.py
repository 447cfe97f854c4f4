"""What rings and streams refuse, by the name of the argument; and that nothing else happens then."""

import contextlib
from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import EXAMPLES, audio, call_with, ops, resampler, ring

RING_POSITIONS = {
    "ring_write": 1,
    "ring_push": 2,
    "ring_read": 1,
    "ring_peek": 1,
    "ring_newest": 1,
    "ring_skip": 1,
    "ring_clear": 0,
    "ring_size": 0,
    "stream_write": 3,
    "stream_read": 0,
    "stream_pop": 0,
    "stream_write_resampled": 6,
    "stream_pop_resampled": 0,
}


def read_with(
    audio: tuple[Tensor, Tensor] | None = None, params: tuple[Tensor, Tensor] | None = None, **changed: Any
) -> tuple[Any, ...]:
    """Return arguments of stream_read, but for what is changed."""
    numbers = {
        "ranges": torch.rand(3, 3), "n_frames": 5, "up": 3, "down": 4, "part": 2, "mean_params": False,
    } | changed  # fmt: skip
    return (*(audio or ring(2, 7)), *(params or ring(4, 8)), *numbers.values())


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


@pytest.mark.parametrize(("argument", "ring_argument"), [("audio", "samples"), ("params", "param_samples")])
def test_a_stream_is_not_fed_from_its_own_memory(argument: str, ring_argument: str) -> None:
    rings = {"audio": ring(2, 2), "params": ring(4, 2)}
    arguments = {"audio": audio(2), "params": audio(4)} | {argument: rings[argument][0][:, :5]}
    with pytest.raises(RuntimeError, match=f"stream_write: {argument} lies in the memory of {ring_argument}"):
        ops.stream_write(arguments["audio"], arguments["params"], 0, *rings["audio"], *rings["params"])


@pytest.mark.parametrize("name", ["stream_write", "stream_write_resampled"])
def test_of_a_block_that_does_not_fit_nothing_is_queued(name: str) -> None:
    for full in (ring(2, 7), ring(4)), (ring(2), ring(4, 7)):
        before = [cursors.clone() for _, cursors in full]
        filter_ = resampler(2) if name == "stream_write_resampled" else ()
        with pytest.raises(RuntimeError, match="its ring has room for 1"):
            getattr(ops, name)(audio(2), audio(4), 0, *filter_, *full[0], *full[1])
        # Each side may look at the other's counter; what counts is what was written and read.
        assert [cursors[[0, 8]].tolist() for _, cursors in full] == [cursors[[0, 8]].tolist() for cursors in before]


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, torch.zeros(4, 7), "param_samples must have a power of two of columns"),
        (0, torch.zeros(4, 8, dtype=torch.float64), "param_samples must be float32, got float64"),
        (1, torch.zeros(15, dtype=torch.int64), r"param_cursors must be contiguous with shape \(16\)"),
        (1, 100 * torch.arange(16).flip(0).remainder(7), "param_cursors hold counters that no ring of 8 frames"),
    ],
)
@pytest.mark.parametrize(("name", "first"), [("stream_write", 5), ("stream_write_resampled", 8), ("stream_read", 2)])
def test_the_ring_of_params_is_refused_by_its_own_name(
    name: str, first: int, position: int, value: Tensor, message: str
) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: {message}"):
        call_with(name, first + position, value)


def test_memory_that_starts_at_an_odd_address_is_refused_by_name() -> None:
    samples, cursors = ring(2)
    memory = bytearray(200)
    odd_frames = torch.frombuffer(memory, dtype=torch.float32, offset=1, count=10).view(2, 5)
    odd_cursors = torch.frombuffer(memory, dtype=torch.int64, offset=1, count=16)
    with pytest.raises(RuntimeError, match="ring_write: frames must start at a multiple of 4 bytes"):
        ops.ring_write(odd_frames, samples, cursors)
    with pytest.raises(RuntimeError, match="ring_write: cursors must start at a multiple of 8 bytes"):
        ops.ring_write(audio(), samples, odd_cursors)


N_OTHER_SIDE = {
    "ring_write": slice(8, 10),
    "stream_write": slice(8, 10),
    "stream_write_resampled": slice(8, 10),
}  # the consumer's counters; elsewhere the producer's


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
        ("stream_write", (audio(3), audio(4), 0, *ring(2), *ring(4)), "audio has 3 channels, which cannot become 2"),
        ("stream_write", (audio(2, 9), audio(4, 9), 0, *ring(2), *ring(4)), "audio brings 9 frames"),
        ("stream_write", (audio(2, 5), audio(4, 5), 0, *ring(2), *ring(4, 4)), "params brings 5 frames"),
        ("stream_write", (audio(2, 5), audio(4, 5), 4, *ring(2), *ring(4)), "params brings 9 frames"),
        ("stream_write", (audio(2, 5), audio(4, 5), -1, *ring(2), *ring(4)), "n_before must be at least 0, got -1"),
        ("stream_write", (audio(), audio(4, 4), 0, *ring(2), *ring(4)), "params must have 1 column or the 5 of audio"),
        ("stream_write", (audio(), audio(3), 0, *ring(2), *ring(4)), "params must have the 4 rows of its ring, got 3"),
        ("stream_write", (audio(), torch.zeros(4), 0, *ring(2), *ring(4)), "params must have 2 dimensions"),
        ("stream_read", read_with(audio=ring(2, 4)), "n_frames asks for 5, the ring holds 4"),
        ("stream_read", read_with(params=ring(4, 4)), "n_frames takes 7 values of params, the ring holds 4"),
        ("stream_read", read_with(params=ring(4, 4), mean_params=True), "n_frames takes 7 values of params"),
        ("stream_read", read_with(ranges=torch.zeros(5, 3)), "ranges must have 3 columns and at most 4 rows, got 5 by"),
        ("stream_read", read_with(n_frames=0), "n_frames must be at least 1"),
        ("stream_read", read_with(n_frames=-4), "n_frames must be at least 0"),
        ("stream_read", read_with(up=0), r"up and down must be in 1\.\.768000, got 0 and 4"),
        ("stream_read", read_with(down=768_001), "up and down must be in"),
        ("stream_read", read_with(part=-1), r"part must be in 0\.\.6, got -1"),
        ("stream_read", read_with(part=7), r"part must be in 0\.\.6, got 7"),
        ("stream_pop", (*ring(2, 4), 5, 2), "n_frames asks for 5, the ring holds 4"),
        ("stream_pop", (*ring(2, 4), 4, 3), "cannot become 3"),
        ("stream_pop", (*ring(2, 4), 4, 0), "cannot become 0"),
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
