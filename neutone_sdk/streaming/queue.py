"""A FIFO of audio for use inside TorchScript models."""

import torch
from torch import Tensor

from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.streaming.schedule import power_of_two_above


def new_ring(n_channels: int, capacity_frames: int) -> tuple[Tensor, Tensor]:
    """Return an empty ring for the operators ``torch.ops.neutone.ring_*``.

    Args:
        n_channels: Channels of each frame, at least 1.
        capacity_frames: Frames that fit, a power of two.

    Returns:
        ``samples``, float32 ``(n_channels, capacity_frames)``, and ``cursors``, int64 ``(16,)``.
    """
    n_cursor_words = 16  # two cache lines of counters, see csrc/dsp/spsc_ring.h
    return torch.zeros(n_channels, capacity_frames), torch.zeros(n_cursor_words, dtype=torch.int64)


class CircularInplaceTensorQueue:
    """FIFO of ``(n_ch, n)`` float32 audio in memory that is made once; TorchScript compiles it.

    Args:
        n_ch: Channels of all audio that goes through it, at least 1.
        max_size: Frames that fit, at least 1.
        use_debug_mode: Accepted for older code; arguments are always checked.

    Attributes:
        size: Frames in the queue.
        max_size: Frames that fit.

    Raises:
        InvalidArgumentError: ``n_ch`` or ``max_size`` is below 1.
    """

    def __init__(self, n_ch: int, max_size: int, use_debug_mode: bool = True) -> None:
        if n_ch < 1:
            raise InvalidArgumentError("n_ch must be at least 1, got " + str(n_ch))
        if max_size < 1:
            raise InvalidArgumentError("max_size must be at least 1, got " + str(max_size))
        self.use_debug_mode = use_debug_mode
        self.max_size = max_size
        self.size = 0
        self.samples, self.cursors = new_ring(n_ch, power_of_two_above(max_size))

    def push(self, x: Tensor) -> None:
        """Append ``x``, ``(n_ch, n)``. What does not fit pushes the oldest frames out; the newest always stay.

        Raises:
            RuntimeError: ``x`` is not float32 CPU audio of ``n_ch`` channels; the queue is unchanged.
        """
        torch.ops.neutone.ring_push(x, self.max_size, self.samples, self.cursors)
        self.size = min(self.size + x.size(1), self.max_size)

    def pop(self, out: Tensor) -> int:
        """Move the oldest frames into the start of ``out``, ``(n_ch, n)``, and return how many: ``min(n, size)``.

        Raises:
            RuntimeError: ``out`` is not float32 CPU audio of ``n_ch`` channels; the queue is unchanged.
        """
        n = out.size(-1)
        if n > self.size:
            n = self.size
            out = out.narrow(-1, 0, n)
        torch.ops.neutone.ring_read(out, self.samples, self.cursors)
        self.size -= n
        return n

    def fill(self, out: Tensor) -> int:
        """Copy the oldest frames into the start of ``out`` and return how many; they stay in the queue.

        Raises:
            RuntimeError: ``out`` is not float32 CPU audio of ``n_ch`` channels.
        """
        n = out.size(-1)
        if n > self.size:
            n = self.size
            out = out.narrow(-1, 0, n)
        torch.ops.neutone.ring_peek(out, self.samples, self.cursors)
        return n

    def is_empty(self) -> bool:
        """Return whether there is nothing to pop."""
        return self.size == 0

    def is_full(self) -> bool:
        """Return whether the next push drops the oldest frames."""
        return self.size == self.max_size

    def reset(self) -> None:
        """Drop everything."""
        torch.ops.neutone.ring_clear(self.samples, self.cursors)
        self.size = 0
