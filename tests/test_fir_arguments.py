"""What FIR filters refuse, by the name of the argument; and that nothing else happens then."""

import contextlib
from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import audio, call_with, fir, ops, taps

FIR_POSITIONS = {"fir": 1, "fir_set_taps": 2, "fir_reset": 0}


def fir_state_with(**changed: int) -> Tensor:
    """Return the state of a filter of 150 taps that has not heard anything, but for what is changed."""
    words = {"taps": 150, "block": 64, "filled": 128, "frame": 0, "newest": 0, "bank": 0, "faded": 0, "fade": 0}
    return torch.tensor(list((words | changed).values()))


@pytest.mark.parametrize("name", FIR_POSITIONS)
@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, torch.zeros(1008, dtype=torch.float64), "table must be float32, got float64"),
        (0, torch.zeros(2, 504), "table must have 1 dimensions"),
        (0, torch.zeros(1000), r"table must have shape \(\d+\) for the 150 taps of state, got \(1000\)"),
        (0, torch.zeros(2016)[::2], "table must be contiguous"),
        (1, torch.zeros(2, 600), r"history must have \d+ columns for the 150 taps of state, got 600"),
        (1, torch.zeros(0, 600), "history must have at least one channel"),
        (1, torch.zeros(2, 600, dtype=torch.float64), "history must be float32, got float64"),
        (1, torch.zeros(600, 2).T, "history must be contiguous"),
        (2, torch.zeros(7, dtype=torch.int64), r"state must have shape \(8\), got \(7\)"),
        (2, torch.zeros(8), "state must be int64, got float32"),
        (2, fir_state_with(taps=151, block=0), r"table must have shape \(320\) for the 151 taps of state"),
        (2, fir_state_with(taps=0, block=0), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(taps=2**62), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=-64), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=96), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=32), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=256), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(filled=127), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(filled=641), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(frame=64), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(frame=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(newest=2), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(newest=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(bank=2), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(bank=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(faded=1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(faded=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(fade=2**62), "state holds numbers that no FIR filter can have"),
    ],
)
def test_a_fir_filter_of_the_wrong_kind_is_refused_by_name(name: str, offset: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: (?:{message})"):
        call_with(name, FIR_POSITIONS[name] + offset, value)


def test_a_fir_filter_shares_no_memory_with_what_it_takes() -> None:
    table, history, state = fir(2)
    with pytest.raises(RuntimeError, match="fir: audio lies in the memory of history"):
        ops.fir(history[:, :50], table, history, state)
    inside = history.view(torch.int64)[0, :8].copy_(state)
    with pytest.raises(RuntimeError, match="fir: state lies in the memory of history"):
        ops.fir(audio(), table, history, inside)
    with pytest.raises(RuntimeError, match="fir_set_taps: taps lies in the memory of table"):
        ops.fir_set_taps(table.view(torch.float64)[:150].zero_(), 0, table, history, state)


@pytest.mark.parametrize("seed", range(40))
def test_mad_numbers_in_a_fir_filter_reach_nothing_outside_it(seed: int) -> None:
    # Beside zeros that must stay zeros.
    generator = torch.Generator().manual_seed(seed)
    tensors = fir(2, 1000)
    framed = [torch.zeros(tensor.numel() + 128, dtype=tensor.dtype) for tensor in tensors]
    table, history, state = (
        frame[64:-64].view(tensor.shape).copy_(tensor) for frame, tensor in zip(framed, tensors, strict=True)
    )
    table.view(torch.int32).random_(generator=generator)
    history.view(torch.int32).random_(generator=generator)
    word = seed % 8
    state[word] = torch.randint(-3, 2000, (), generator=generator)
    with contextlib.suppress(RuntimeError):  # refused, or noise
        ops.fir(audio(2, 3000), table, history, state)
        ops.fir_set_taps(taps(1000), 200, table, history, state)
        ops.fir(audio(2, 100), table, history, state)
    for frame in framed:
        assert (frame[:64] == 0).all()
        assert (frame[-64:] == 0).all()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("new_fir", (taps(0), 2), r"a filter must have 1\.\.1048576 taps, got 0"),
        ("new_fir", (torch.zeros(2**20 + 1, dtype=torch.float64), 2), r"must have 1\.\.1048576 taps, got 1048577"),
        ("new_fir", (torch.tensor([1.0, float("nan")]).double(), 2), "taps must be finite in float32, got nan at 1"),
        ("new_fir", (torch.rand(31), 2), "taps must be float64, got float32"),
        ("new_fir", (taps(31), 0), "n_channels must be at least 1, got 0"),
        ("fir", (audio(3), *fir(2)), "audio must have the filter's 2 channels, got 3"),
        ("fir_set_taps", (taps(149), 5, *fir(2)), "taps must be the filter's 150, got 149"),
        ("fir_set_taps", (taps(), -5, *fir(2)), "n_fade_frames must be at least 0, got -5"),
        ("fir_set_taps", (taps(), 2**41, *fir(2)), "n_fade_frames must be at most 1000000000000, got"),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)
