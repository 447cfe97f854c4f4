"""The state of streams, in buffers that are written in place only: `torch.jit.freeze` refuses assignments."""

import torch
from torch import Tensor


def renew(state: Tensor, shape: list[int]) -> None:
    """Fill a buffer with zeros, in this shape. Scriptable.

    Its memory is exchanged if the shape is another: what a buffer has from a loaded file cannot grow.
    """
    if list(state.shape) == shape:
        state.zero_()
    else:
        state.set_(torch.zeros(shape, dtype=state.dtype, device=state.device))  # type: ignore[call-overload]
