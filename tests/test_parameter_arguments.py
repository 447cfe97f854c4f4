"""What operators on parameters refuse, by the name of the argument."""

from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import audio, ops, smoothing


def smoother_state() -> Tensor:
    return torch.zeros(2, 4, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("aggregate_params", (torch.zeros(4, 0), "last"), "params must have at least one frame"),
        ("aggregate_params", (audio(4), "median"), "how must be mean, last, min or max, got median"),
        ("clean_params", (torch.zeros(4, 0), 0, torch.zeros(4)), "params must have at least one frame"),
        ("clean_params", (audio(4), 6, torch.zeros(4)), "params must have 1 column or the 6 of n_frames, got 5"),
        ("clean_params", (audio(4), 5, torch.zeros(3)), "last must have a value for each of the 4 rows of params, got"),
        ("clean_params", (audio(4), 5, torch.zeros(4, 1)), "last must have 1 dimensions"),
        (
            "denormalize_mean_params",
            (torch.zeros(4, 0), torch.zeros(3, 3), torch.zeros(4)),
            "params must have at least one frame",
        ),
        (
            "denormalize_mean_params",
            (audio(2), torch.zeros(3, 3), torch.zeros(2)),
            "params must have a row for each of the 3 ranges",
        ),
        ("denormalize_mean_params", (audio(4), torch.zeros(3, 3), torch.zeros(3)), "last must have a value for each"),
        ("smooth_params", (audio(2), smoothing(), 5, smoother_state()), "values must have 1 column, got 5"),
        ("smooth_params", (audio(3, 1), smoothing(), 5, smoother_state()), r"smoothing must have shape \(3, 2\)"),
        ("smooth_params", (audio(2, 1), smoothing(), 5, smoother_state()[:1]), r"state must have shape \(2, 4\)"),
        ("smooth_params", (audio(2, 1), smoothing(), 0, smoother_state()), "n_frames must be at least 1"),
        ("smooth_params", (audio(2, 1), smoothing() + 2, 5, smoother_state()), "must have 1 or 2 in its first column"),
        ("smooth_params", (audio(2, 1), -smoothing().flip(1), 5, smoother_state()), "must have 1 or 2 in its first"),
        ("smooth_params", (audio(2, 1), smoothing() * torch.tensor([1, -1]), 5, smoother_state()), "a time of 0 to"),
        ("denormalize_params", (audio(2), torch.zeros(3, 3)), "params must have a row for each of the 3 ranges"),
        ("denormalize_params", (audio(4), torch.zeros(3, 2)), "ranges must be contiguous with 3 columns"),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)
