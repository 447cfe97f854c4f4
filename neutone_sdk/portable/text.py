"""Shapes in messages. Scriptable."""

from torch import Tensor


def shape_of(tensor: Tensor) -> str:
    """Return a shape: (2, 512)."""
    return "(" + str(list(tensor.shape))[1:-1] + ")"
