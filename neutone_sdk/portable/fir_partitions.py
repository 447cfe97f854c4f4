"""What native operators made of a long filter, without its partitions. Scriptable.

A model is exported with the tensors that it has, and there native filters of more than 128 taps hold most of their
taps, and of their input, as the transforms of csrc/dsp/fft.h. `csrc/dsp/fir_plan.h` says what lies where.
"""

import math

import torch
from torch import Tensor


def points_of(tiles: Tensor, n_partitions: int, block: int) -> Tensor:
    """Transform partitions back: ``(rows, partitions, block)``, complex128, of ``(rows, 2 * partitions * block)``.

    The bins of ``z`` are its values, as a polynomial, at the roots of ``t^n = i``, which are
    ``exp(2 pi i (m + 1/4) / n)``: a Fourier transform of ``z`` turned by a quarter of a bin. They come out at the
    leaves of a tree, in the order of ``m`` with its bits reversed; eight by eight they are transposed.
    """
    n_rows = tiles.size(0)
    bits: list[int] = []
    while 1 << len(bits) < block:
        bits.append(2)
    reverse = [len(bits) - bit for bit in range(len(bits))]
    parts = tiles.to(torch.float64).view(n_rows, block // 64, 8, n_partitions, 2, 8)
    bins = torch.complex(parts[:, :, :, :, 0], parts[:, :, :, :, 1]).permute(0, 3, 1, 4, 2)
    in_order = bins.reshape([n_rows * n_partitions] + bits).permute([0] + reverse)  # noqa: RUF005  # TorchScript
    turned = torch.fft.fft(in_order.reshape(n_rows, n_partitions, block), norm="forward")
    angles = torch.arange(block, dtype=torch.float64) * (-0.5 * math.pi / block)
    return turned * torch.polar(torch.ones_like(angles), angles)


def both_taps(n_taps: int, block: int, n_partitions: int, table: Tensor) -> Tensor:
    """Return both banks of taps, ``(2, n_taps)``, of a table that ends with them."""
    bank_size = block + 2 * block * n_partitions
    banks = table[table.size(0) - 2 * bank_size :].view(2, bank_size)
    tail = block * torch.real(points_of(banks[:, block:], n_partitions, block))  # native scales it down
    return torch.cat([banks[:, :block], tail.reshape(2, -1)], dim=1)[:, :n_taps]


def past_of(words: list[int], n_partitions: int, spectra: Tensor, history: Tensor) -> Tensor:
    """Return the input of a filter, ``(channels, n)``, the oldest frame first, and enough of it.

    Each transform is of two blocks of input, in its real and in its imaginary part; the newest lies at ``newest``, the
    others behind it, round the end. Frames of a block that has not ended are in the history alone.
    """
    _, block, filled, frame, newest = words[:5]
    points = points_of(spectra, n_partitions, block).roll(-newest, 1).flip(1)
    blocks = torch.imag(points).reshape(history.size(0), -1)
    return torch.cat([torch.real(points[:, 0]), blocks, history[:, filled - frame : filled]], dim=1)
