"""What the portable operators ask of their arguments. Scriptable."""

import torch
from torch import Tensor


def check_frames(op: str, name: str, frames: Tensor) -> None:
    """Raise unless ``frames`` is float32 of shape ``(channels, n)``, on the CPU, with at least one channel."""
    if frames.dim() != 2 or frames.size(0) < 1:
        raise RuntimeError(f"{op}: {name} must have 2 dimensions and at least one channel, got shape {frames.shape}")
    if frames.dtype != torch.float32 or not frames.is_cpu:
        raise RuntimeError(f"{op}: {name} must be float32 on the CPU; convert it with .to(torch.float32).cpu()")


def check_channels(op: str, name: str, frames: Tensor, n_channels: int) -> None:
    """Raise unless ``frames`` has ``n_channels`` rows."""
    if frames.size(0) != n_channels:
        raise RuntimeError(f"{op}: {name} must have the ring's {n_channels} channels, got {frames.size(0)}")


def check_count(op: str, name: str, count: int) -> None:
    """Raise if ``count`` is negative."""
    if count < 0:
        raise RuntimeError(f"{op}: {name} must be at least 0, got {count}")
