"""What puts a stream at its place in time: delays, and silence before its start; as `neutone_sdk.conv` has it."""

import torch
from torch import Tensor, nn

from neutone_sdk.block_checks import check_counts, next_batch_size
from neutone_sdk.cached_layer import CachedLayer
from neutone_sdk.errors import InvalidAudioError, InvalidTypeError
from neutone_sdk.stream_state import renew
from neutone_sdk.validation import dtype_name


class Delay(CachedLayer):
    """Makes a stream late: cached, output sample i is input sample ``i - n_samples``. A clip stays as it is.

    Args:
        n_samples: At least 0.
        cached: The mode to begin with.

    Raises:
        InvalidTypeError: ``n_samples`` is no integer.
        InvalidArgumentError: ``n_samples`` is negative.
    """

    past: Tensor

    def __init__(self, n_samples: int, cached: bool = False) -> None:
        super().__init__()
        check_counts(0, n_samples=n_samples)
        self.n_samples = n_samples
        self.cached = cached
        self.register_buffer("past", torch.zeros(0, 1, n_samples), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Delay ``x``, ``(batch, channels, n)``; what comes out is fresh, or ``x`` itself if nothing is to be done.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the block.
            InvalidAudioError: ``x`` has other dimensions, or another number of channels than the stream so far.
        """
        if not self.cached or self.n_samples == 0:
            return x
        if x.dim() != 3 or (x.size(0) == self.past.size(0) and x.size(0) > 0 and x.size(1) != self.past.size(1)):
            raise InvalidAudioError(
                "audio must have shape (batch, channels, samples), and as many channels as the stream so far, "
                f"{list(self.past.shape)[:2]} until now; got {list(x.shape)}; reset(0) takes another number"
            )
        if x.dtype != self.past.dtype or x.device != self.past.device:
            raise InvalidTypeError(
                f"audio must be {dtype_name(self.past)} on {self.past.device} as the block is, got {dtype_name(x)} on "
                f"{x.device}; call .to() of one of them"
            )
        if x.size(0) != self.past.size(0):
            renew(self.past, [x.size(0), x.size(1), self.n_samples])
        whole = torch.cat([self.past, x], dim=2)
        self.past.copy_(whole.detach().narrow(2, x.size(2), self.n_samples))
        return whole.narrow(2, 0, x.size(2))

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        n_batch = next_batch_size(batch_size, self.past.size(0))
        renew(self.past, [n_batch, self.past.size(1), self.n_samples])

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is late."""
        return self.n_samples

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on: one."""
        return 1


class SilentStart(CachedLayer):
    """Silences the first samples of a stream: cached, sample i is 0 for ``i < n_samples``. A clip stays as it is.

    A layer that is late begins with what it makes of the time before the clip. The next layer has to hear silence
    there, as it does in the padding of a clip.

    Args:
        n_samples: At least 0.
        cached: The mode to begin with.

    Raises:
        InvalidTypeError: ``n_samples`` is no integer.
        InvalidArgumentError: ``n_samples`` is negative.
    """

    stream: Tensor

    def __init__(self, n_samples: int, cached: bool = False) -> None:
        super().__init__()
        check_counts(0, n_samples=n_samples)
        self.n_samples = n_samples
        self.cached = cached
        # Size of the batch, and how many samples are yet to be silenced.
        self.register_buffer("stream", torch.tensor([0, n_samples]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Silence the start of ``x``, ``(batch, channels, n)``; fresh, or ``x`` itself if nothing is to be done.

        Raises:
            InvalidAudioError: ``x`` has other dimensions.
        """
        if not self.cached:
            return x
        if x.dim() != 3:
            raise InvalidAudioError(f"audio must have shape (batch, channels, samples), got {list(x.shape)}")
        n_batch, n_left = int(self.stream[0]), int(self.stream[1])
        if x.size(0) != n_batch:
            n_left = self.n_samples
        elif n_left == 0:
            return x
        n_silent = min(n_left, x.size(2))
        self.stream[0] = x.size(0)
        self.stream[1] = n_left - n_silent
        silence = torch.zeros_like(x.narrow(2, 0, n_silent))
        return torch.cat([silence, x.narrow(2, n_silent, x.size(2) - n_silent)], dim=2)

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        self.stream[0] = next_batch_size(batch_size, int(self.stream[0]))
        self.stream[1] = self.n_samples

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is late: it is not."""
        return 0

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on: one."""
        return 1


class Surplus(nn.Module):
    """Holds samples of one of two streams until the other one has come as far. Used by `Residual`, with strides inside.

    Args:
        capacity: The most samples by which the stream may be ahead.
    """

    held: Tensor
    count: Tensor

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.register_buffer("held", torch.zeros(0, 1, capacity), persistent=False)
        self.register_buffer("count", torch.zeros(1, dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return what is held, and behind it ``x``, ``(batch, channels, n)``; fresh. Of another batch none is."""
        if x.size(0) != self.held.size(0) or x.size(1) != self.held.size(1):
            renew(self.held, [x.size(0), x.size(1), self.capacity])
            self.count.zero_()
        return torch.cat([self.held.narrow(2, 0, int(self.count)), x], dim=2)

    @torch.jit.export
    def hold(self, x: Tensor) -> None:
        """Hold ``x`` instead of what was held; at most the capacity."""
        self.held.narrow(2, 0, x.size(2)).copy_(x.detach())
        self.count.fill_(x.size(2))

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Hold nothing; with a ``batch_size``, of such batches."""
        if batch_size is not None:
            renew(self.held, [batch_size, self.held.size(1), self.capacity])
        self.count.zero_()
