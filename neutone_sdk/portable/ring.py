"""The ring of audio, on the tensors of the native one: ``samples`` and two counters in ``cursors``. One thread only.

The counters only grow and are masked on use. They lie where RingCursors of csrc/dsp/spsc_ring.h has them: word 0 counts
what was written, word 8 what was read, and words 9 and 1 are what each side saw last of the other's. All are kept up,
so a ring may pass from one kind of operators to the other. As literals: TorchScript knows no global numbers in
functions.
"""

import torch
from torch import Tensor

from neutone_sdk.portable.tensors import check_count


def counters(op: str, samples: Tensor, cursors: Tensor) -> tuple[int, int]:
    """Return how many frames have been written and read. Raises unless the tensors are a ring."""
    words: list[int] = cursors.tolist()
    capacity = samples.size(1)
    if capacity & (capacity - 1) != 0 or words[0] - words[8] < 0 or words[0] - words[8] > capacity:
        raise RuntimeError(f"{op}: cursors hold counters that no ring of shape {samples.shape} can have")
    return words[0], words[8]


def check_ring_frames(op: str, name: str, frames: Tensor, samples: Tensor) -> None:
    """Raise unless ``frames`` are such as ``samples`` holds."""
    if frames.dim() != 2 or frames.size(0) != samples.size(0) or frames.dtype != samples.dtype:
        raise RuntimeError(
            f"{op}: {name} must be float32 with the ring's {samples.size(0)} channels, got {frames.shape}"
        )


def check_room(op: str, name: str, n_frames: int, capacity: int, waiting: int) -> None:
    """Raise unless ``n_frames`` more fit."""
    if n_frames > capacity - waiting:
        raise RuntimeError(f"{op}: {name} brings {n_frames} frames, its ring has room for {capacity - waiting}")


def check_waiting(op: str, name: str, n_frames: int, waiting: int) -> None:
    """Raise unless ``n_frames`` can be read."""
    if n_frames > waiting:
        raise RuntimeError(f"{op}: {name} asks for {n_frames} frames, the ring holds {waiting}")


def write_at(position: int, frames: Tensor, samples: Tensor) -> None:
    """Put frames where those from ``position`` on lie, round the end of the storage."""
    n_frames = frames.size(1)
    first = position & (samples.size(1) - 1)
    n_head = min(n_frames, samples.size(1) - first)
    if n_head == n_frames:
        samples.narrow(1, first, n_frames).copy_(frames)
    else:
        samples.narrow(1, first, n_head).copy_(frames.narrow(1, 0, n_head))
        samples.narrow(1, 0, n_frames - n_head).copy_(frames.narrow(1, n_head, n_frames - n_head))


def read_at(position: int, n_frames: int, samples: Tensor) -> Tensor:
    """Return the frames from ``position`` on, fresh."""
    first = position & (samples.size(1) - 1)
    n_head = min(n_frames, samples.size(1) - first)
    head = samples.narrow(1, first, n_head)
    if n_head == n_frames:
        return head.clone(memory_format=torch.contiguous_format)
    return torch.cat([head, samples.narrow(1, 0, n_frames - n_head)], dim=1)


def float32_at(position: int, n_frames: int, samples: Tensor) -> Tensor:
    """Return the frames from ``position`` on, of a float64 ring, as float32."""
    first = position & (samples.size(1) - 1)
    n_head = min(n_frames, samples.size(1) - first)
    head = samples.narrow(1, first, n_head)
    if n_head < n_frames:
        head = torch.cat([head, samples.narrow(1, 0, n_frames - n_head)], dim=1)
    return head.to(torch.float32, memory_format=torch.contiguous_format)


def set_counters(written: int, read: int, cursors: Tensor) -> None:
    """Say how many frames have been written and read, and that both sides have seen it."""
    cursors[0::9] = written
    cursors[1:9:7] = read


def ring_write(frames: Tensor, samples: Tensor, cursors: Tensor) -> None:
    """Append frames for which there is room."""
    check_ring_frames("ring_write", "frames", frames, samples)
    written, read = counters("ring_write", samples, cursors)
    check_room("ring_write", "frames", frames.size(1), samples.size(1), written - read)
    write_at(written, frames, samples)
    set_counters(written + frames.size(1), read, cursors)


def ring_push(frames: Tensor, max_frames: int, samples: Tensor, cursors: Tensor) -> None:
    """Append frames; the oldest are dropped if the ring would come to hold more than ``max_frames``."""
    check_ring_frames("ring_push", "frames", frames, samples)
    written, read = counters("ring_push", samples, cursors)
    if max_frames < written - read or max_frames > samples.size(1):
        raise RuntimeError(
            f"ring_push: max_frames must be in {written - read}..{samples.size(1)}, from the frames in the ring to its "
            f"capacity, got {max_frames}"
        )
    frames = frames[:, max(0, frames.size(1) - max_frames) :]
    n_dropped = max(0, written - read + frames.size(1) - max_frames)
    write_at(written, frames, samples)
    set_counters(written + frames.size(1), read + n_dropped, cursors)


def copy_oldest(op: str, out: Tensor, samples: Tensor, cursors: Tensor) -> tuple[int, int]:
    """Copy the oldest frames into ``out``; return how many have been written, and had been read before."""
    check_ring_frames(op, "out", out, samples)
    written, read = counters(op, samples, cursors)
    check_waiting(op, "out", out.size(1), written - read)
    out.copy_(read_at(read, out.size(1), samples))
    return written, read


def ring_read(out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    """Move the oldest frames into ``out``."""
    written, read = copy_oldest("ring_read", out, samples, cursors)
    set_counters(written, read + out.size(1), cursors)


def ring_peek(out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    """Copy the oldest frames into ``out``."""
    copy_oldest("ring_peek", out, samples, cursors)


def ring_newest(out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    """Copy the latest frames into ``out``, the oldest of them first."""
    check_ring_frames("ring_newest", "out", out, samples)
    written, read = counters("ring_newest", samples, cursors)
    check_waiting("ring_newest", "out", out.size(1), written - read)
    out.copy_(read_at(written - out.size(1), out.size(1), samples))


def ring_skip(n_frames: int, samples: Tensor, cursors: Tensor) -> None:
    """Drop the oldest frames."""
    check_count("ring_skip", "n_frames", n_frames)
    written, read = counters("ring_skip", samples, cursors)
    check_waiting("ring_skip", "n_frames", n_frames, written - read)
    set_counters(written, read + n_frames, cursors)


def ring_clear(samples: Tensor, cursors: Tensor) -> None:
    """Drop everything."""
    counters("ring_clear", samples, cursors)
    cursors.zero_()


def ring_size(samples: Tensor, cursors: Tensor) -> Tensor:
    """Return how many frames wait, as an int64 tensor without dimensions."""
    written, read = counters("ring_size", samples, cursors)
    return torch.tensor(written - read)
