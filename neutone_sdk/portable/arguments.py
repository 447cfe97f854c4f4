"""What the operators refuse, refused here with the same words; as csrc/ops/tensors.cpp.

Only whether one argument lies in the memory of another is not looked at: TorchScript does not know where a tensor lies.
"""

import torch
from torch import Tensor

from neutone_sdk.validation import dtype_name


def shape_text(tensor: Tensor) -> str:
    """Return ``"(2, 512)"``."""
    return "(" + str(list(tensor.shape))[1:-1] + ")"


def check_tensor(op: str, name: str, tensor: Tensor, n_dims: int, dtype: torch.dtype) -> None:
    """Raise unless ``tensor`` is dense, on the CPU, of that many dimensions and that dtype.

    Raises:
        RuntimeError: It is not.
    """
    if tensor.layout != torch.strided:
        raise RuntimeError(f"{op}: {name} must be a dense tensor; convert it with .to_dense()")
    if not tensor.is_cpu:
        raise RuntimeError(f"{op}: {name} must be on the CPU; move it with .cpu()")
    if tensor.dim() != n_dims:
        raise RuntimeError(f"{op}: {name} must have {n_dims} dimensions, got shape {shape_text(tensor)}")
    if tensor.dtype != dtype:
        wanted = dtype_name(torch.empty(0, dtype=dtype))
        raise RuntimeError(
            f"{op}: {name} must be {wanted}, got {dtype_name(tensor)}; convert it with .to(torch.{wanted})"
        )


def check_table(op: str, name: str, table: Tensor, shape: list[int]) -> None:
    """Raise unless ``table`` is float64, contiguous, of that shape.

    Raises:
        RuntimeError: It is not.
    """
    check_tensor(op, name, table, len(shape), torch.float64)
    if list(table.shape) != shape:
        raise RuntimeError(f"{op}: {name} must have shape ({str(shape)[1:-1]}), got {shape_text(table)}")
    check_contiguous(op, name, table)


def check_contiguous(op: str, name: str, tensor: Tensor) -> None:
    """Raise unless ``tensor`` is contiguous.

    Raises:
        RuntimeError: It is not.
    """
    if not tensor.is_contiguous():
        raise RuntimeError(f"{op}: {name} must be contiguous; pass a copy made with .contiguous()")


def check_frames(op: str, name: str, frames: Tensor) -> None:
    """Raise unless ``frames`` is ``(channels, n)``, float32, ``channels >= 1``, ``n >= 0``.

    Raises:
        RuntimeError: It is not.
    """
    check_tensor(op, name, frames, 2, torch.float32)
    if frames.size(0) < 1:
        raise RuntimeError(f"{op}: {name} must have at least one channel, got shape {shape_text(frames)}")
