"""Streaming resampling by exact ratios, as csrc/ops/resampler_op.cpp. Scriptable; the filter is resampler_design.py's.

An output sample is the sum of the products of a window of input samples and the coefficients of its phase. A tile is a
number of consecutive output samples, a multiple of ``up``, so that the next tile has the same phases, a whole number
of input samples later. A tile's table is a matrix, with a column for each output sample and its coefficients where its
window lies among the input samples: many tiles are one product of matrices, a part of one is a product with a part of
the table. The table goes on for ``up - 1`` columns more, so that a tile may begin at any phase. Where it would be too
large, it holds the coefficients themselves, a row for each phase, and these are gathered for each output sample.

Sums are in float64: BLAS adds one product after the other, and in float32 that is off by 8e-7 where the native kernel
is by 2e-7. So much better than the float32 output, they also come out the same however the stream is cut.

A resampler is three tensors: ``table``, float64; ``history`` ``(channels, 2 * half_taps)``, float64, the latest input;
``state`` ``(7,)``, int64, of which only the last changes:

- 0..2: up, down, half_taps
- 3: output samples of a tile, 0 for a table of coefficients
- 4: phases between which that is interpolated, 0 if it has all
- 5: the inverse of down modulo up: output sample ``phase * inverse % up`` of a tile has that phase
- 6: lead, by how many steps of ``1 / up`` the window of the next output sample ends behind the first sample of input
  that is still to come; down to ``-up``, where it ends at the last that was
"""

import math

import torch
from torch import Tensor

from neutone_sdk.portable.resampler_design import design_rows, half_taps_of, interpolated_phases, reduced_rates
from neutone_sdk.portable.tensors import check_frames


def new_resampler(from_hz: int, to_hz: int, quality: str, n_channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return table, history and state of a resampler at the start of its stream, with the least delay.

    Args:
        from_hz: Rate of the input in Hz, 1..768000.
        to_hz: Rate of the output in Hz, at most 256 times the other or a 256th of it.
        quality: ``"low_latency"``, ``"standard"`` or ``"high"``.
        n_channels: Of every block, at least 1.

    Raises:
        RuntimeError: An argument is outside its range.
    """
    if n_channels < 1:
        raise RuntimeError(f"new_resampler: n_channels must be at least 1, got {n_channels}")
    up, down = reduced_rates(from_hz, to_hz)
    half_taps = half_taps_of(up, down, quality)
    n_phases = 0 if up == down else interpolated_phases(up, down, half_taps, quality)
    tile = 0 if up == down or n_phases > 0 else _tile_of(up, down, half_taps)
    if up == down:
        table = torch.ones(1, 1, dtype=torch.float64)
    elif n_phases > 0:  # with a row before the first phase and two behind the last
        table = design_rows(
            torch.arange(-1, n_phases + 2, dtype=torch.float64) / n_phases, up, down, half_taps, quality
        )
    else:
        table = design_rows(torch.arange(1, up + 1, dtype=torch.float64) / up, up, down, half_taps, quality)
        if tile > 0:
            table = _tiled(table, tile, up, down)
    history = torch.zeros(n_channels, 2 * half_taps, dtype=torch.float64)
    state = torch.tensor([up, down, half_taps, tile, n_phases, _inverse(down, up), down - 1])
    return table, history, state


def _tile_of(up: int, down: int, half_taps: int) -> int:
    """Return the output samples of a tile, or 0 where its table would have over 4 MB."""
    tile = up * max(1, -(-64 // up))  # below that, products of matrices are slow
    n_columns = tile + up - 1
    n_rows = (n_columns - 1) * down // up + 2 * half_taps
    return tile if n_rows * n_columns <= 1 << 19 else 0


def _tiled(rows: Tensor, tile: int, up: int, down: int) -> Tensor:
    """Return a tile's table, made of the coefficients of each phase."""
    columns = torch.arange(tile + up - 1)
    first = columns * down // up
    taps = torch.arange(rows.size(1))
    table = torch.zeros(columns.size(0), int(first[-1]) + rows.size(1), dtype=rows.dtype)
    table.scatter_(1, first.unsqueeze(1) + taps, rows.index_select(0, columns * down % up))
    return table.t().contiguous()


def _inverse(number: int, modulus: int) -> int:
    """Return the inverse of a number that has no factor in common with the modulus, by Euclid's algorithm."""
    inverse, next_inverse = 0, 1
    rest, next_rest = modulus, number % modulus
    while next_rest > 0:
        quotient = rest // next_rest
        inverse, next_inverse = next_inverse, inverse - quotient * next_inverse
        rest, next_rest = next_rest, rest - quotient * next_rest
    return inverse % modulus


def resampler_start(first: int, n_silent: int, table: Tensor, history: Tensor, state: Tensor) -> None:  # noqa: ARG001
    """Forget all audio.

    Args:
        first: The last input sample that the first output sample takes, in steps of ``1 / up`` samples.
        n_silent: Silent samples of input that come first, 0..1e9, before sample 0.
        table: As from `new_resampler`, with ``history`` and ``state``.
        history: Written to.
        state: Written to.

    Raises:
        RuntimeError: ``first`` is outside ``-n_silent * up``..1e15, or ``n_silent`` outside its range.
    """
    if n_silent < 0:
        raise RuntimeError(f"resampler_start: n_silent must be at least 0, got {n_silent}")
    if n_silent > 1_000_000_000:
        raise RuntimeError(f"resampler_start: n_silent must be at most 1000000000, got {n_silent}")
    silent_steps = n_silent * int(state[0])
    if first < -silent_steps or first > 1_000_000_000_000_000:
        raise RuntimeError(f"resampler_start: first must be in {-silent_steps}..1000000000000000, got {first}")
    history.zero_()
    state[6].fill_(silent_steps + first)


def resample(audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    """Take in a block, and return all output that it makes ready.

    Args:
        audio: ``(channels, n)``, float32, any ``n >= 0``.
        table: As from `new_resampler`, with ``history`` and ``state``.
        history: Written to.
        state: Written to.

    Returns:
        ``(channels, m)``, float32, fresh, without gradients.

    Raises:
        RuntimeError: ``audio`` is not float32 CPU audio of the resampler's channels; the stream is unchanged.
    """
    words = _checked_words("resample", audio, table, history, state)
    out = resampled(audio, ready_after(audio.size(1), words), table, history, words)
    state[6].fill_(words[6])
    return out


def _checked_words(op: str, audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> list[int]:
    """Return the numbers of the state. Raise unless ``audio`` and the three tensors fit each other."""
    check_frames(op, "audio", audio)
    if audio.size(0) != history.size(0):
        raise RuntimeError(f"{op}: audio must have the resampler's {history.size(0)} channels, got {audio.size(0)}")
    words: list[int] = state.tolist()
    if len(words) != 7 or history.size(1) != 2 * words[2] or table.dtype != torch.float64:
        raise RuntimeError(f"{op}: table, history and state do not belong to each other; make them with new_resampler")
    return words


def ready_after(n_in: int, words: list[int]) -> int:
    """Return how many samples of output the next ``n_in`` of input will make ready; `words` are the state's."""
    return max(0, -((words[6] - n_in * words[0]) // words[1]))


def missing(n_out: int, words: list[int]) -> int:
    """Return how many samples of input the next ``n_out`` of output still need."""
    return 0 if n_out <= 0 else max(0, (words[6] + (n_out - 1) * words[1]) // words[0] + 1)


def resampled(audio: Tensor, n_out: int, table: Tensor, history: Tensor, words: list[int]) -> Tensor:
    """Take in a block, and return the next ``n_out`` samples, whose windows it completes. Changes the words' lead."""
    up, down, lead = words[0], words[1], words[6]
    n_in = audio.size(1)
    audio = audio.detach()  # a graph that hangs on the history would grow for ever
    if up == down:
        out = audio[:, n_in - n_out :].clone(memory_format=torch.contiguous_format)
    else:
        n_kept = history.size(1)
        samples = torch.cat([history, audio.to(torch.float64)], dim=1)
        out = _filtered(samples, n_out, table, words).to(torch.float32)
        history.copy_(samples[:, n_in : n_in + n_kept])
    words[6] = lead + n_out * down - n_in * up
    return out


def _filtered(samples: Tensor, n_out: int, table: Tensor, words: list[int]) -> Tensor:
    """Return the next ``n_out`` samples of output, float64; `samples` are the history and what came in behind it."""
    if words[3] == 0 or n_out == 0:
        return _gathered(samples, n_out, table, words)
    out = _tiled_product(samples, n_out, table, words)
    # The table's zeros times NaN or infinity are not zero: outputs whose own windows are clean would be spoiled.
    return out if math.isfinite(float(out.sum())) else _gathered(samples, n_out, table, words)


def _tiled_product(samples: Tensor, n_out: int, table: Tensor, words: list[int]) -> Tensor:
    """Compute all whole tiles as one product with the table, and what is left of one as another."""
    up, down, half_taps, tile, lead = words[0], words[1], words[2], words[3], words[6]
    column = lead % up * words[5] % up
    row = column * down // up
    first = lead // up + 1  # of the first window
    n_tiles = n_out // tile
    distance = tile // up * down  # in samples, from tile to tile
    parts: list[Tensor] = []
    if n_tiles > 0:
        n_rows = (column + tile - 1) * down // up - row + 2 * half_taps
        windows = samples.narrow(1, first, (n_tiles - 1) * distance + n_rows).unfold(1, n_rows, distance)
        product = windows.reshape(-1, n_rows).mm(table.narrow(0, row, n_rows).narrow(1, column, tile))
        parts.append(product.view(samples.size(0), n_tiles * tile))
    n_left = n_out - n_tiles * tile
    if n_left > 0:
        n_rows = (column + n_left - 1) * down // up - row + 2 * half_taps
        window = samples.narrow(1, first + n_tiles * distance, n_rows)
        parts.append(window.mm(table.narrow(0, row, n_rows).narrow(1, column, n_left)))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _gathered(samples: Tensor, n_out: int, table: Tensor, words: list[int]) -> Tensor:
    """Compute each sample from its own window and coefficients, as many at once as fit into 1 MB."""
    up, down, half_taps, lead = words[0], words[1], words[2], words[6]
    out = samples.new_empty(samples.size(0), n_out)
    windows = samples.unfold(1, 2 * half_taps, 1)
    n_at_once = max(1, (1 << 17) // windows[:, :1].numel())
    for begin in range(0, n_out, n_at_once):
        end = min(n_out, begin + n_at_once)
        steps = lead + torch.arange(begin, end) * down
        own_windows = windows[:, steps // up + 1]  # index_select would copy all windows
        out[:, begin:end] = (own_windows * _coefficients(steps % up, table, words)).sum(2)
    return out


def _coefficients(phases: Tensor, table: Tensor, words: list[int]) -> Tensor:
    """Return those of some phases ``(n,)``, 0..up-1, as ``(n, 2 * half_taps)``."""
    up, down, half_taps, tile, n_phases = words[0], words[1], words[2], words[3], words[4]
    if tile > 0:
        columns = phases * words[5] % up
        rows = (columns * down // up).unsqueeze(1) + torch.arange(2 * half_taps)
        return table[rows, columns.unsqueeze(1)]
    if n_phases == 0:
        return table.index_select(0, phases)
    places = (phases + 1) * n_phases
    rows = (places // up).clamp(max=n_phases - 1)
    weights = _cubic_weights((places - rows * up).to(torch.float64) / up)
    coefficients = weights[0] * table.index_select(0, rows)
    for i in range(1, 4):
        coefficients.addcmul_(weights[i], table.index_select(0, rows + i))
    return coefficients


def _cubic_weights(t: Tensor) -> list[Tensor]:
    """Return Lagrange's polynomial through four points at -1, 0, 1, 2, as weights of their values at ``0 <= t <= 1``.

    ``t`` is ``(n,)``, each of the weights ``(n, 1)``.
    """
    t = t.unsqueeze(1)
    before, after, beyond = t + 1.0, t - 1.0, t - 2.0
    return [
        -t * after * beyond / 6.0,
        before * after * beyond / 2.0,
        -before * t * beyond / 2.0,
        before * t * after / 6.0,
    ]
