"""The smoothing of parameters, as csrc/ops/parameter_op.cpp and csrc/dsp/parameter_smoother.h, in closed form."""

import torch
from torch import Tensor

from neutone_sdk.portable.tensors import check_frames, check_memory
from neutone_sdk.portable.text import shape_of


def smooth_params(values: Tensor, smoothing: Tensor, n_frames: int, state: Tensor) -> Tensor:
    """Return curves that lead to one value a block.

    Args:
        values: ``(n, 1)``, float32.
        smoothing: ``(n, 2)``, float64: 1 for linear or 2 for one-pole, and the time in samples.
        n_frames: Of the block, at least 1.
        state: ``(n, 4)``, float64, zeros for a fresh start: whether it has started, the value at the end of the last
            block, the target of that block, and samples that are left to it. Written to.

    Returns:
        ``(n, n_frames)``, float32, fresh.

    Raises:
        RuntimeError: A shape or dtype is another, or a kind, a time or ``n_frames`` lies outside its range.
    """
    check_frames("smooth_params", "values", values)
    if values.size(1) != 1:
        raise RuntimeError(f"smooth_params: values must have 1 column, got {values.size(1)}")
    if n_frames < 0:
        raise RuntimeError(f"smooth_params: n_frames must be at least 0, got {n_frames}")
    if n_frames == 0:
        raise RuntimeError("smooth_params: n_frames must be at least 1")
    _check_table("smoothing", smoothing, values.size(0), 2)
    _check_table("state", state, values.size(0), 4)
    _check_smoothing(smoothing)

    following = values.detach().double()
    runs = (state[:, :1] != 0.0) & state[:, 1:].sum(1, keepdim=True).isfinite()
    value = torch.where(runs, state[:, 1:2], following)
    target = torch.where(runs, state[:, 2:3], following)
    left = torch.where(runs, state[:, 3:], 0.0)
    is_linear = smoothing[:, :1] == 1.0
    times = smoothing[:, 1:].detach()
    line, line_left = _line(value, target, left, following, times, n_frames)
    curve = torch.where(is_linear, line, _one_pole(value, target, following, times, n_frames))
    left = torch.where(is_linear, line_left, left)
    state.copy_(torch.cat([torch.ones_like(value), curve[:, -1:], following, left], 1))
    return curve.float()


def _line(
    value: Tensor, target: Tensor, left: Tensor, following: Tensor, times: Tensor, n_frames: int
) -> tuple[Tensor, Tensor]:
    """Return curves on their way to ``following``, and how many samples are left to it after the block."""
    left = torch.where(following != target, times.ceil().clamp(min=n_frames), left)
    lefts = left - torch.arange(1, n_frames + 1)
    slope = torch.where(left > 0.0, (value - following) / left, 0.0)
    return torch.where(lefts > 0.0, following + slope * lefts, following), (left - n_frames).clamp(min=0.0)


def _one_pole(value: Tensor, target: Tensor, following: Tensor, times: Tensor, n_frames: int) -> Tensor:
    """Return the response of y' = y + c (x - y), c = 1 - e^(-1/time), to a line x from ``target`` to ``following``.

    With d = 1 - c it is ``y_i = x_i + (y_0 - x_0) d^i - (1 - d^i) slope d / c``. A time of 0 makes d = 0.
    """
    counts = torch.arange(1, n_frames + 1)
    slope = (following - target) / n_frames
    grown = -torch.expm1(-counts / times)
    lag = slope * torch.exp(-1.0 / times) / grown[:, :1]
    return target + slope * counts + (value - target) * (1.0 - grown) - lag * grown


def _check_table(name: str, table: Tensor, n_rows: int, n_columns: int) -> None:
    check_memory("smooth_params", name, table, 2, torch.float64)
    if table.size(0) != n_rows or table.size(1) != n_columns:
        raise RuntimeError(f"smooth_params: {name} must have shape ({n_rows}, {n_columns}), got {shape_of(table)}")


def _check_smoothing(smoothing: Tensor) -> None:
    rows: list[list[float]] = smoothing.tolist()
    for row in rows:
        if row[0] != 1.0 and row[0] != 2.0:
            raise RuntimeError(f"smooth_params: smoothing must have 1 or 2 in its first column, got {row[0]}")
        if not (row[1] >= 0.0 and row[1] <= 1e12):
            raise RuntimeError(
                f"smooth_params: smoothing must have a time of 0 to 1e12 samples in its second column, got {row[1]}"
            )
