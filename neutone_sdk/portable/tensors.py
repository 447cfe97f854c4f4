"""What csrc/ops/tensors.h asks of a tensor. Scriptable.

In few nodes of a graph: TorchScript copies these functions to wherever they are called, and takes time to optimise all
that before the first blocks of a file can be played. So there is one message for several reasons.
"""

import torch
from torch import Tensor

from neutone_sdk.portable.text import shape_of


def check_tensor(op: str, name: str, tensor: Tensor, n_dims: int, dtype: torch.dtype) -> None:
    """Raise unless ``tensor`` is a dense CPU tensor of that type with ``n_dims`` dimensions."""
    if not tensor.is_cpu or tensor.layout != torch.strided or tensor.dim() != n_dims or tensor.dtype != dtype:
        wanted = "float32" if dtype == torch.float32 else "float64" if dtype == torch.float64 else "int64"
        raise RuntimeError(
            f"{op}: {name} must be a dense {wanted} tensor on the CPU with {n_dims} dimensions, got {tensor.shape}"
        )


def check_memory(op: str, name: str, tensor: Tensor, n_dims: int, dtype: torch.dtype) -> None:
    """Raise as `check_tensor` does, and unless ``tensor`` is contiguous."""
    check_tensor(op, name, tensor, n_dims, dtype)
    if not tensor.is_contiguous():
        raise RuntimeError(f"{op}: {name} must be contiguous; pass a copy made with .contiguous()")


def check_frames(op: str, name: str, frames: Tensor) -> None:
    """Raise unless ``frames`` is float32 audio ``(channels, n)`` of at least one channel, with any strides."""
    check_tensor(op, name, frames, 2, torch.float32)
    if frames.size(0) < 1:
        raise RuntimeError(f"{op}: {name} must have at least one channel, got shape {shape_of(frames)}")


def are_frames(tensor: Tensor) -> bool:
    """Return whether ``tensor`` is one of float32 ``(channels, n)`` in the CPU's memory, any strides."""
    return tensor.dtype == torch.float32 and tensor.dim() == 2 and tensor.is_cpu and tensor.layout == torch.strided


def check_count(op: str, name: str, count: int) -> None:
    """Raise if ``count`` is negative."""
    if count < 0:
        raise RuntimeError(f"{op}: {name} must be at least 0, got {count}")
