"""What resamplers refuse, by the name of the argument."""

from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import audio, call_with, ops, resampler

RESAMPLER_POSITIONS = {"resampler_start": 2, "resample": 1}


def state_with(**changed: int) -> Tensor:
    """Return the state of a resampler from 44.1 to 48 kHz that has not heard anything, but for what is changed."""
    plan = {"up": 160, "down": 147, "half_taps": 42, "taps": 88, "rows": 160}
    words = plan | {"position": 16000, "filled": 87, "row": 0}
    return torch.tensor(list((words | changed).values()))


@pytest.mark.parametrize("name", RESAMPLER_POSITIONS)
@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, torch.zeros(160, 88, dtype=torch.int64), "table must be float32, got int64"),
        (0, torch.zeros(160), r"table must have 2 dimensions"),
        (0, torch.zeros(88, 160).T, "table must be contiguous"),
        (0, torch.zeros(160, 96), "state does not belong to a table of 160 by 96"),
        (1, torch.zeros(2, 600, dtype=torch.float64), "history must be float32, got float64"),
        (1, torch.zeros(2, 91), "history must have at least 92 frames, got 91"),
        (1, torch.zeros(0, 600), "history must have at least one channel"),
        (2, torch.zeros(7, dtype=torch.int64), r"state must have shape \(8\), got \(7\)"),
        (2, torch.zeros(8, dtype=torch.int64), "state does not belong to a table of 160 by 88"),
        (2, state_with(position=0), "state holds numbers that no resampler can have"),
        (2, state_with(position=83 * 160 - 1, row=113), "state holds numbers that no resampler can have"),
        (2, state_with(position=2**62), "state holds numbers that no resampler can have"),
        (2, state_with(filled=609), "state holds numbers that no resampler can have"),
        (2, state_with(filled=-1), "state holds numbers that no resampler can have"),
        (2, state_with(row=1), "state holds numbers that no resampler can have"),
        (2, state_with(row=160), "state holds numbers that no resampler can have"),
        (2, state_with(row=-160), "state holds numbers that no resampler can have"),
        (2, state_with(up=-160), "state does not belong"),
        (2, state_with(half_taps=45), "state does not belong"),
        (2, state_with(half_taps=-(2**63) + 42), "state does not belong"),
        (2, state_with(down=160), "state does not belong"),
    ],
)
def test_a_resampler_of_the_wrong_kind_is_refused_by_name(name: str, offset: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: (?:{message})"):
        call_with(name, RESAMPLER_POSITIONS[name] + offset, value)


def test_a_table_without_whole_groups_is_refused() -> None:
    # Rows are read by fours: the last group of five would reach past the end.
    state = torch.tensor([1, 2, 4, 16, 5, 20, 40, 4])
    with pytest.raises(RuntimeError, match="resample: state does not belong to a table of 5 by 16"):
        ops.resample(audio(), torch.zeros(5, 16), torch.zeros(2, 64), state)


@pytest.mark.parametrize("up", [5, 768_000])
def test_equal_rates_that_are_not_reduced_are_refused(up: int) -> None:
    state = torch.tensor([up, up, 1, 1, up, 4095 * up, 4096, 0])
    with pytest.raises(RuntimeError, match="resample: state does not belong to a table"):
        ops.resample(audio(), torch.ones(up, 1), torch.zeros(2, 4096), state)


def test_rates_with_a_common_factor_are_refused_at_the_start() -> None:
    table, history, _ = resampler(2)
    with pytest.raises(RuntimeError, match="resampler_start: state holds numbers that no resampler can have"):
        ops.resampler_start(1, 0, table, history, state_with(down=148))


def test_a_resampler_is_not_fed_from_its_own_history() -> None:
    table, history, state = resampler(2)
    with pytest.raises(RuntimeError, match="resample: audio lies in the memory of history"):
        ops.resample(history[:, :50], table, history, state)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("new_resampler", (0, 48000, "standard", 2), r"from_hz must be in 1\.\.768000 Hz, got 0"),
        ("new_resampler", (48000, -1, "standard", 2), r"to_hz must be in 1\.\.768000 Hz, got -1"),
        ("new_resampler", (48000, 100, "standard", 2), "may differ by a factor of at most 256, got 48000 and 100"),
        ("new_resampler", (48000, 44100, "best", 2), "quality must be low_latency, standard or high, got best"),
        ("new_resampler", (48000, 44100, "standard", 0), "n_channels must be at least 1, got 0"),
        ("resampler_start", (-1, 0, *resampler(2)), r"first must be in 0\.\.1000000000000000, got -1"),
        ("resampler_start", (-481, 3, *resampler(2)), r"first must be in -480\.\.1000000000000000, got -481"),
        ("resampler_start", (2**62, 0, *resampler(2)), "first must be in"),
        ("resampler_start", (0, -1, *resampler(2)), "n_silent must be at least 0, got -1"),
        ("resampler_start", (0, 2**40, *resampler(2)), "n_silent must be at most 1000000000, got"),
        ("resample", (audio(3), *resampler(2)), "audio must have the resampler's 2 channels, got 3"),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)
