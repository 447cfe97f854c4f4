"""Biquad sections in series, as csrc/ops/biquad_op.cpp, many samples at a time.

A section is a recursion of a row ``s`` of two numbers, of which the output is made::

    y = s_1 + b0 x,   s' = s A + x b,   A = ( m  -d )   m = -a1 / 2, the middle of its poles,   d = a2 - m^2
                                            ( 1   m )

where s_1 is the first number of the native state, and s_2 the second plus m s_1. In the native coordinates all would be
the same but for rounding: powers of their matrix grow to rate / cutoff before they cancel, which at 10 Hz and a Q of
100 made the output wrong by 1e-5.

A block of n samples, a row ``x``, goes through at once: ``y = s D + x F``, ``s' = s A^n + x E``. D has the first
columns of A^0, A^1, ..., and F the impulse response along its diagonals. From block to block the state goes on by a
product of the same kind, with A^n in A's place. All powers come from doubling: A^0..A^(k-1) times A^k are
A^k..A^(2k-1).
"""

import math

import torch
from torch import Tensor

from neutone_sdk.portable.tensors import check_frames, check_memory
from neutone_sdk.portable.text import shape_of


def biquad(audio: Tensor, sos: Tensor, state: Tensor) -> Tensor:
    """Filter a block. A sample that is not finite comes out as it is; the filter takes it for silence.

    Args:
        audio: ``(channels, n)``, float32.
        sos: ``(sections, 6)``, float64: b0 b1 b2 a0 a1 a2 in every row, at most 64.
        state: ``(channels, sections, 2)``, float64, zeros for a fresh start. Written to.

    Returns:
        ``(channels, n)``, float32, fresh.

    Raises:
        RuntimeError: A shape or dtype is another, a number in ``sos`` is not finite, or a section is unstable.
    """
    check_frames("biquad", "audio", audio)
    _check_sections(sos)
    check_memory("biquad", "state", state, 3, torch.float64)
    n_channels, n_sections = audio.size(0), sos.size(0)
    if list(state.shape) != [n_channels, n_sections, 2]:
        raise RuntimeError(f"biquad: state must have shape ({n_channels}, {n_sections}, 2), got {shape_of(state)}")
    audio = audio.detach()
    clean = torch.nan_to_num(audio, 0.0, 0.0, 0.0)
    filtered, left = sosfilt(clean.double(), sos.detach(), state)
    # What has faded away does not become denormal numbers, which are slow.
    state.copy_(torch.hardshrink(left, 1e-290))
    return torch.where(clean == audio, torch.hardshrink(filtered, 1e-37).float(), audio)


def sosfilt(x: Tensor, sos: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``x``, float64, filtered, and the state after it. Nothing is checked, or written to."""
    n = x.size(1)
    if n == 0 or sos.size(0) == 0:
        return x, state
    n_block, n_blocks = _block_sizes(n)
    sections = sos / sos[:, 3:4]
    middle = -0.5 * sections[:, 4]
    x = torch.constant_pad_nd(x, (0, -n % (n_block * n_blocks)))
    ends: list[Tensor] = []
    starts = torch.stack([state[:, :, 0], state[:, :, 1] + middle * state[:, :, 0]], 2)
    for start, matrices in zip(starts.unbind(1), _matrices(sections, n_block, n_blocks)):  # noqa: B905  # TorchScript
        x, end = _run_section(x, n, start, matrices)
        ends.append(end)
    left = torch.stack(ends, 1)
    return x[:, :n], torch.stack([left[:, :, 0], left[:, :, 1] - middle * left[:, :, 0]], 2)


def _block_sizes(n: int) -> tuple[int, int]:
    """Return samples of a block and blocks of a chunk, both powers of 2: for all ``n`` or 4096 at once."""
    n = min(n, 4096)
    n_block = 1
    while n_block * n_block < n:
        n_block *= 2
    n_blocks = 1
    while n_block * n_blocks < n:
        n_blocks *= 2
    return n_block, n_blocks


def _matrices(sections: Tensor, n_block: int, n_blocks: int) -> list[list[Tensor]]:
    """Return of each section F, E, what takes the state and blocks' ends to their starts, D, and A^1, A^2, ..."""
    b0, b1, b2, one, a1, a2 = sections.unbind(1)
    middle = -0.5 * a1
    step = torch.stack([middle, middle * middle - a2, one, middle], 1).view(-1, 2, 2)
    input1 = b1 - a1 * b0
    entry = torch.stack([input1, b2 - a2 * b0 + middle * input1], 1)
    powers = _powers(step, n_block)
    entries = (entry[:, None, :, None] * powers).sum(2)
    forced = _toeplitz(torch.cat([b0[:, None], entries[:, :-1, 0]], 1)[:, :, None, None])
    advances = torch.bmm(powers.reshape(-1, 2 * n_block, 2), step).view(-1, n_block, 2, 2)
    carries = _toeplitz(_powers(advances[:, -1], n_blocks))
    latest_last = entries.flip(1)
    decays = powers[:, :, :, 0].transpose(1, 2)
    return [[forced[i], latest_last[i], carries[i], decays[i], advances[i]] for i in range(sections.size(0))]


def _powers(matrices: Tensor, n: int) -> Tensor:
    """Return the powers 0 to n - 1, n a power of 2: ``(sections, 2, 2)`` to ``(sections, n, 2, 2)``."""
    n_sections = matrices.size(0)
    found = torch.eye(2, dtype=torch.float64).expand(n_sections, 2, 2)
    power = matrices
    while found.size(1) < 2 * n:
        found = torch.cat([found, torch.bmm(found, power)], 1)
        power = torch.bmm(power, power)
    return found.view(n_sections, n, 2, 2)


def _toeplitz(blocks: Tensor) -> Tensor:
    """Return matrices with block i - j in row j and column i, 0 for i < j, of ``(sections, n, rows, columns)``."""
    n_sections, n, n_rows, n_columns = blocks.shape
    rows = torch.constant_pad_nd(blocks, (0, 0, 0, 0, n - 1, 0)).unfold(1, n, 1).flip(1)
    return rows.permute(0, 1, 2, 4, 3).reshape(n_sections, n * n_rows, n * n_columns)


def _run_section(x: Tensor, n: int, start: Tensor, matrices: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return ``(channels, chunks * n_blocks * n_block)``, filtered, and the state ``(channels, 2)`` after n samples."""
    forced, entry, carry, decay, advances = matrices
    n_channels = x.size(0)
    n_block = forced.size(0)
    n_chunk = n_block * (carry.size(0) // 2)
    filtered: list[Tensor] = []
    for first in range(0, n, n_chunk):
        chunk = x[:, first : first + n_chunk]
        blocks = chunk.reshape(-1, n_block)
        ends = torch.mm(blocks, entry).view(n_channels, -1)
        starts = torch.mm(torch.cat([start, ends[:, :-2]], 1), carry)
        filtered.append(torch.addmm(torch.mm(blocks, forced), starts.view(-1, 2), decay).view(n_channels, -1))
        last = min(n - first, n_chunk) - 1
        n_last = last % n_block + 1
        k = last // n_block
        end = torch.mm(chunk[:, last + 1 - n_last : last + 1], entry[n_block - n_last :])
        start = torch.addmm(end, starts[:, 2 * k : 2 * k + 2], advances[n_last - 1])
    return filtered[0] if len(filtered) == 1 else torch.cat(filtered, 1), start


def _check_sections(sos: Tensor) -> None:
    check_memory("biquad", "sos", sos, 2, torch.float64)
    if sos.size(1) != 6:
        raise RuntimeError(f"biquad: sos must have 6 columns, got {sos.size(1)}")
    if sos.size(0) > 64:
        raise RuntimeError(f"biquad: sos must have at most 64 rows, got {sos.size(0)}")
    rows: list[list[float]] = sos.tolist()
    for i, row in enumerate(rows):
        a0 = row[3]
        if a0 == 0.0:
            raise RuntimeError(f"biquad: row {i} of sos has a0 = 0; it divides all others")
        a1, a2 = row[4] / a0, row[5] / a0
        if not math.isfinite(row[0] / a0 + row[1] / a0 + row[2] / a0 + a1 + a2):
            raise RuntimeError(f"biquad: row {i} of sos is not finite")
        # As is_stable in csrc/dsp/biquad_section.h.
        if not (abs(a2) < 1.0 and (1.0 + a1) + a2 > 0.0 and (1.0 - a1) + a2 > 0.0):
            raise RuntimeError(
                f"biquad: row {i} of sos is unstable (a1 = {a1}, a2 = {a2}); its poles must lie inside the unit circle"
            )
