"""Convolution of short blocks by one matrix product, which torch's own is slow for."""

import torch
from torch import Tensor


def pays(n_batch: int, n_rows: int, n_outputs: int) -> bool:
    """Return whether `convolve` is the quicker way.

    It copies a window of the input for each output sample. Up to 2**18 numbers (1 MB, what a second-level cache holds)
    that is cheap: measured with 1 to 256 channels, 3 to 41 taps and blocks of 1 to 8192 samples on one thread it is
    then at least as quick as ``torch.conv1d`` within 10 %, and up to 10 times as quick with a dilation. Beyond, the
    copy costs more than it saves.

    Args:
        n_batch: Size of the batch.
        n_rows: Input channels times taps.
        n_outputs: Output samples.
    """
    return n_batch * n_rows * n_outputs <= 262_144


def convolve(
    padded: Tensor, first: int, n_outputs: int, weight: Tensor, bias: Tensor | None, stride: int, dilation: int
) -> Tensor:
    """Return ``(batch, out_channels, n_outputs)``, fresh; window i of ``padded`` begins at ``first + i * stride``.

    Args:
        padded: ``(batch, in_channels, at least first + (n_outputs - 1) * stride + (taps - 1) * dilation + 1)``, with a
            last dimension of stride 1.
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
        [padded.stride(0), padded.stride(1), dilation, stride],
        padded.storage_offset() + first,
    ).reshape(n_batch, n_channels * n_taps, n_outputs)
    weights = weight.reshape(weight.size(0), n_channels * n_taps)
    if n_batch != 1:
        products = torch.matmul(weights, windows)
        return products if bias is None else products.add_(bias.unsqueeze(1))
    if bias is None:
        return torch.mm(weights, windows[0]).unsqueeze(0)
    return torch.addmm(bias.unsqueeze(1), weights, windows[0]).unsqueeze(0)
