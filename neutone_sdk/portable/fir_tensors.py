"""The three tensors of a FIR filter: csrc/ops/fir_tensors.h. Scriptable.

They are those of a native filter that sums all taps directly, so native operators can go on with them. ``table`` is
two banks of taps, each padded to whole cache lines; ``history`` a row of input for each channel, of which the latest
``taps - 1`` frames end before column ``filled``, where they stay; ``state`` the plan and the cursor: taps, block (0),
filled, frame and newest (0), bank, faded, fade. A native filter in partitions becomes one without at first sight.
"""

import torch
from torch import Tensor

from neutone_sdk.portable.fir_partitions import both_taps, past_of
from neutone_sdk.portable.tensors import check_memory


def aligned(count: int) -> int:
    """Return the room for so many float32 numbers in whole cache lines."""
    return (count + 15) // 16 * 16


def history_frames(n_taps: int, block: int) -> int:
    """Return how many frames of input a native filter has room for."""
    n_kept = 2 * block if block > 0 else n_taps - 1
    return aligned(n_kept + max(n_kept, 512))


def partitions_size(n_taps: int, block: int) -> int:
    """Return how many numbers the transforms of all partitions are."""
    return 2 * block * ((n_taps - 1) // block) if block > 0 else 0


def check_taps(op: str, taps: Tensor) -> None:
    """Raise unless ``taps`` are ``(n_taps,)``, float64, 1 to 1048576 of them, all finite in float32."""
    check_memory(op, "taps", taps, 1, torch.float64)
    if taps.size(0) < 1 or taps.size(0) > 1_048_576:
        raise RuntimeError(f"{op}: a filter must have 1..1048576 taps, got {taps.size(0)}")
    is_outside = ~(taps.abs() <= 3.4028234663852886e38)  # NaN, too
    if bool(is_outside.any()):
        first = int(is_outside.to(torch.int64).argmax())
        raise RuntimeError(f"{op}: taps must be finite in float32, got {float(taps[first])} at {first}")


def new_fir(taps: Tensor, n_channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return table, history and state of a filter that has heard nothing."""
    if n_channels < 1:
        raise RuntimeError(f"new_fir: n_channels must be at least 1, got {n_channels}")
    check_taps("new_fir", taps)
    n_taps = taps.size(0)
    table = torch.zeros(2 * aligned(n_taps), dtype=torch.float32)
    table[:n_taps].copy_(taps.detach())
    history = torch.zeros(n_channels, history_frames(n_taps, 0) + 16, dtype=torch.float32)
    state = torch.tensor([n_taps, 0, n_taps - 1, 0, 0, 0, 0, 0], dtype=torch.int64)
    return table, history, state


def banks_of(table: Tensor, n_taps: int) -> Tensor:
    """Return both banks of taps, ``(2, n_taps)``, in the memory of the table."""
    return table.view(2, -1)[:, :n_taps]


def is_plan(n_taps: int, block: int) -> bool:
    """Return whether a filter may have so many taps, in partitions of a power of two, or in none."""
    is_partitioned = 64 <= block < n_taps and block & (block - 1) == 0
    return 1 <= n_taps <= 1_048_576 and (block == 0 or is_partitioned)


def is_cursor(words: list[int]) -> bool:
    """Return whether a filter may be there in its stream."""
    n_taps, block, filled, frame, newest, bank, faded, fade = words
    n_kept = 2 * block if block > 0 else n_taps - 1
    has_history = n_kept <= filled <= history_frames(n_taps, block)
    n_partitions = (n_taps - 1) // block if block > 0 else 1
    is_in_block = 0 <= frame < max(block, 1) and 0 <= newest < n_partitions
    return has_history and is_in_block and 0 <= faded <= fade <= 1_000_000_000_000 and 0 <= bank <= 1


def check_sizes(op: str, n_taps: int, block: int, table: Tensor, history: Tensor) -> None:
    """Raise unless table and history are as large as such a filter's."""
    n_partitioned = partitions_size(n_taps, block)
    n_banks = 2 * (block + n_partitioned) if block > 0 else 2 * aligned(n_taps)
    if table.size(0) != n_banks and (block == 0 or table.size(0) < n_banks):  # what is before them is not needed
        raise RuntimeError(
            f"{op}: table must have shape ({n_banks}) for the {n_taps} taps of state, got ({table.size(0)})"
        )
    n_columns = history_frames(n_taps, block) + 16 + n_partitioned + 8 * block
    if history.size(1) != n_columns:
        raise RuntimeError(
            f"{op}: history must have {n_columns} columns for the {n_taps} taps of state, got {history.size(1)}"
        )


def join_partitions(words: list[int], table: Tensor, history: Tensor, state: Tensor) -> list[int]:
    """Make the three tensors, in place, those of a filter without partitions; return its words."""
    n_taps, block = words[:2]
    size = partitions_size(n_taps, block)
    n_partitions = (n_taps - 1) // block
    first = history_frames(n_taps, block) + 16
    taps = both_taps(n_taps, block, n_partitions, table)
    past = past_of(words, n_partitions, history[:, first : first + size], history)
    table.resize_([2 * aligned(n_taps)]).zero_()
    banks_of(table, n_taps).copy_(taps)
    history.resize_([history.size(0), history_frames(n_taps, 0) + 16]).zero_()
    history[:, : n_taps - 1].copy_(past[:, past.size(1) - (n_taps - 1) :])
    joined = [n_taps, 0, n_taps - 1, 0, 0, words[5], words[6], words[7]]
    state.copy_(torch.tensor(joined))
    return joined


def checked_words(op: str, table: Tensor, history: Tensor, state: Tensor) -> list[int]:
    """Return the words of ``state``. Raises unless the three tensors are a filter."""
    check_memory(op, "table", table, 1, torch.float32)
    check_memory(op, "history", history, 2, torch.float32)
    if history.size(0) < 1:
        raise RuntimeError(f"{op}: history must have at least one channel")
    check_memory(op, "state", state, 1, torch.int64)
    if state.size(0) != 8:
        raise RuntimeError(f"{op}: state must have shape (8), got ({state.size(0)})")
    words: list[int] = state.tolist()
    is_filter = is_plan(words[0], words[1])
    if is_filter:
        check_sizes(op, words[0], words[1], table, history)
    if not is_filter or not is_cursor(words):
        raise RuntimeError(f"{op}: state holds numbers that no FIR filter can have; make it afresh")
    return words if words[1] == 0 else join_partitions(words, table, history, state)
