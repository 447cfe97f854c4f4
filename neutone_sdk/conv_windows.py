"""Convolution of short blocks by one matrix product, which torch's own is slow for."""

import torch
from torch import Tensor


def pays(padded: Tensor, n_taps: int, out_channels: int, n_outputs: int, dilation: int) -> bool:
    """Return whether `convolve` is quicker than ``torch.conv1d``.

    Both multiply alike; the question is what is copied, and by whom. Measured with torch 2.13 on one thread, for 1 to
    128 channels, 3 and 13 taps, dilations of 1 and 8, and 128 to 8192 samples:

    - Torch is slow with a dilation (2 to 7 times slower), and without one from 20481 numbers of input on, where it
      changes its method (up to 4 times slower). Elsewhere it does what `convolve` does, in fewer calls.
    - Windows of more than 2**18 numbers (1 MB) leave the second-level cache, and torch is up to 2 times quicker; not so
      with one output channel, for which it is 2 times slower still.
    """
    if dilation == 1 and padded.numel() <= 20_480:
        return False
    n_copied = padded.size(0) * padded.size(1) * n_taps * n_outputs
    return n_copied <= 262_144 or (out_channels == 1 and n_copied <= 2_097_152)


def convolve(
    padded: Tensor, first: int, n_outputs: int, weight: Tensor, bias: Tensor | None, stride: int, dilation: int
) -> Tensor:
    """Return ``(batch, out_channels, n_outputs)``, fresh; window i of ``padded`` begins at ``first + i * stride``.

    Args:
        padded: ``(batch, in_channels, at least first + (n_outputs - 1) * stride + (taps - 1) * dilation + 1)``.
        first: Where the first window begins.
        n_outputs: At least 1.
        weight: ``(out_channels, in_channels, taps)``.
        bias: ``(out_channels,)``, or None.
        stride: From window to window.
        dilation: From tap to tap.
    """
    n_batch, n_channels, n_taps = padded.size(0), padded.size(1), weight.size(2)
    windows = padded.as_strided(
        [n_batch, n_channels, n_taps, n_outputs],
        [padded.stride(0), padded.stride(1), dilation * padded.stride(2), stride * padded.stride(2)],
        padded.storage_offset() + first * padded.stride(2),
    ).reshape(n_batch, n_channels * n_taps, n_outputs)
    weights = weight.reshape(weight.size(0), n_channels * n_taps)
    if n_batch != 1:
        # Not matmul: for one output channel that copies the windows, transposed.
        products = torch.bmm(weights.expand(n_batch, weights.size(0), weights.size(1)), windows)
        return products if bias is None else products.add_(bias.unsqueeze(1))
    if bias is None:
        return torch.mm(weights, windows[0]).unsqueeze(0)
    return torch.addmm(bias.unsqueeze(1), weights, windows[0]).unsqueeze(0)
