"""Knobs: cleaned, summed up over a block, in their ranges."""

import torch
from torch import Tensor

from neutone_sdk.portable.tensors import check_count, check_frames


def cleaned(values: Tensor, before: Tensor) -> Tensor:
    """Return curves ``(n_params, n)`` in 0..1, fresh; what is not a number is the value before it.

    Args:
        values: What a host sent.
        before: ``(n_params,)``, the values before the first.
    """
    is_missing = values.isnan()
    if not bool(is_missing.any()):
        return values.clamp(0.0, 1.0).contiguous()
    places = torch.arange(1, values.size(1) + 1).expand_as(values).masked_fill(is_missing, 0)
    latest = torch.cummax(places, dim=1)[0]
    return torch.cat([before.unsqueeze(1), values.clamp(0.0, 1.0)], dim=1).gather(1, latest)


def mean(curves: Tensor) -> Tensor:
    """Return the means of curves, ``(n_params, 1)``, float32."""
    return curves.mean(dim=1, keepdim=True, dtype=torch.float64).to(torch.float32)


def from_0to1(values: Tensor, ranges: Tensor) -> Tensor:
    """Return values, a row for each row of ``ranges``, in these: minimum, maximum, whether only whole numbers count."""
    minimum, maximum, is_categorical = ranges[:, 0:1], ranges[:, 1:2], ranges[:, 2:3]
    mapped = minimum * (1.0 - values) + maximum * values
    return torch.where(is_categorical != 0.0, mapped.round(), mapped)


def check_curves(op: str, params: Tensor) -> None:
    """Raise unless ``params`` are curves of at least one value."""
    check_frames(op, "params", params)
    if params.size(1) < 1:
        raise RuntimeError(f"{op}: params must have at least one frame")


def check_ranges(op: str, params: Tensor, ranges: Tensor) -> None:
    """Raise unless there is a row of params for each of the ranges."""
    if ranges.dim() != 2 or ranges.size(1) != 3 or ranges.dtype != torch.float32:
        raise RuntimeError(f"{op}: ranges must be float32 with 3 columns, got shape {ranges.shape}")
    if ranges.size(0) > params.size(0):
        raise RuntimeError(
            f"{op}: params must have a row for each of the {ranges.size(0)} ranges, got {params.size(0)}"
        )


def check_last(op: str, params: Tensor, last: Tensor) -> None:
    """Raise unless ``last`` has a number for each row of params."""
    if last.dim() != 1 or last.size(0) != params.size(0) or last.dtype != torch.float32:
        raise RuntimeError(
            f"{op}: last must be float32 with a value for each of the {params.size(0)} rows of params, got shape "
            f"{last.shape}"
        )


def aggregate_params(params: Tensor, how: str) -> Tensor:
    """Return what stands for whole curves, ``(n_params, 1)``."""
    check_curves("aggregate_params", params)
    if how == "mean":
        return mean(params)
    if how == "last":
        return params[:, -1:].clone(memory_format=torch.contiguous_format)
    if how == "min":
        return params.amin(dim=1, keepdim=True)
    if how == "max":
        return params.amax(dim=1, keepdim=True)
    raise RuntimeError(f"aggregate_params: how must be mean, last, min or max, got {how}")


def clean_params(params: Tensor, n_frames: int, last: Tensor) -> Tensor:
    """Return curves ``(n_params, n_frames)``, cleaned. ``last`` holds the values before, and then the last ones."""
    check_curves("clean_params", params)
    check_count("clean_params", "n_frames", n_frames)
    if params.size(1) != 1 and params.size(1) != n_frames:
        raise RuntimeError(f"clean_params: params must have 1 column or the {n_frames} of n_frames")
    check_last("clean_params", params, last)
    curves = cleaned(params, last)
    if n_frames > 0:
        last.copy_(curves[:, -1])
    if curves.size(1) == n_frames:
        return curves
    return curves.expand(curves.size(0), n_frames).contiguous()


def denormalize_params(params: Tensor, ranges: Tensor) -> list[Tensor]:
    """Return a fresh curve for each of the ranges, in it."""
    check_frames("denormalize_params", "params", params)
    check_ranges("denormalize_params", params, ranges)
    mapped = from_0to1(params[: ranges.size(0)], ranges)
    return [curve.clone() for curve in mapped]


def denormalize_mean_params(params: Tensor, ranges: Tensor, last: Tensor) -> Tensor:
    """Return the mean of each curve, cleaned, in its range: ``(n_ranges, 1)``."""
    check_curves("denormalize_mean_params", params)
    check_ranges("denormalize_mean_params", params, ranges)
    check_last("denormalize_mean_params", params, last)
    n_used = ranges.size(0)
    curves = cleaned(params[:n_used], last[:n_used])
    last[:n_used] = curves[:, -1]
    return from_0to1(mean(curves), ranges)
