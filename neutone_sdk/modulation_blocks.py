"""What modules share whose output depends on whole *modulation blocks*: fixed stretches of the signal, one by one.

Their size has nothing to do with that of a host's blocks. The first begins with the stream.
"""

import torch
from torch import Tensor

from neutone_sdk.block_checks import check_block, check_condition, check_counts, next_batch_size, starts_stream
from neutone_sdk.cached_layer import CachedLayer
from neutone_sdk.errors import InvalidAudioError
from neutone_sdk.stream_state import renew


class ByModulationBlocks(CachedLayer):
    """Cuts a stream into modulation blocks for `run`, which a subclass defines, with `reset_layers` and `set_layers`.

    A modulation block can be worked on when its last sample is there, and then all of it: the first sample is late by
    ``size - 1``, and so are the others. However many layers there are within, that is paid once.

    Args:
        in_ch: Channels of the input.
        out_ch: Channels of the output.
        cond_dim: Numbers in a condition; 0 to ignore it.
        size: Samples in a modulation block, at least 1. 1 for a module that knows none.
        whole_blocks: Cached, take blocks of whole modulation blocks only, and give them back without delay.

    Raises:
        InvalidTypeError: A number is no integer.
        InvalidArgumentError: A number is too small.
    """

    waiting: Tensor
    ready: Tensor
    n_waiting: Tensor

    def __init__(self, in_ch: int, out_ch: int, cond_dim: int, size: int, whole_blocks: bool) -> None:
        super().__init__()
        check_counts(1, in_ch=in_ch, out_ch=out_ch, tfilm_block_size=size)
        check_counts(0, cond_dim=cond_dim)
        self.in_ch = in_ch
        self.out_ch = out_ch
        self.cond_dim = cond_dim
        self.mod_size = size
        self.whole_blocks = whole_blocks
        self.cached = False
        # Of the current modulation block, the first n_waiting samples have come and have been answered: `waiting` holds
        # them on the left. `ready` holds the answers to the others, on the right. No batch until the first block.
        self.register_buffer("waiting", torch.zeros(0, in_ch, size), persistent=False)
        self.register_buffer("ready", torch.zeros(0, out_ch, size - 1), persistent=False)
        self.register_buffer("n_waiting", torch.zeros(1, dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Run a clip, or the next block of the stream.

        Args:
            x: ``(batch, in_ch, n)``; ``n`` may be 0.
            cond: ``(batch or 1, cond_dim)``. In a stream, what comes with the last sample of a modulation block holds
                for all of it.

        Returns:
            ``(batch, out_ch, n)``, fresh. A stream begins with ``get_delay_samples()`` samples of silence.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the weights.
            InvalidAudioError: ``x`` or ``cond`` has another shape; with ``whole_blocks``, ``n`` is no multiple of the
                modulation block.
        """
        check_block(x, self.in_ch, self.waiting)
        if cond is not None and self.cond_dim > 0:
            check_condition(cond, x.size(0), self.cond_dim)
        first, n = 0, x.size(2)
        if self.cached:
            if starts_stream(x.size(0), self.waiting.size(0), 1, True):
                self.reset(x.size(0))
            first = int(self.n_waiting)
        is_gathered = self.cached and self.mod_size > 1 and not self.whole_blocks
        if is_gathered:
            x = self._completed(x, first)
        elif self.cached:
            self._check_whole(n)
        # TorchScript compiles all layers anew for each place that runs them: there is one.
        y = self.run(x, cond) if x.size(2) > 0 else x.new_zeros([x.size(0), self.out_ch, 0])
        return self._delayed(y, first, n) if is_gathered else y

    def _completed(self, x: Tensor, first: int) -> Tensor:
        """Return the modulation blocks that end in ``x``, and let the rest of it wait."""
        n = x.size(2)
        n_rest = (first + n) % self.mod_size
        self.n_waiting.fill_(n_rest)
        if first + n < self.mod_size:
            self.waiting.narrow(2, first, n).copy_(x.detach())
            return x.narrow(2, 0, 0)
        complete = torch.cat([self.waiting.narrow(2, 0, first), x.narrow(2, 0, n - n_rest)], dim=2)
        self.waiting.narrow(2, 0, n_rest).copy_(x.detach().narrow(2, n - n_rest, n_rest))
        return complete

    def _delayed(self, y: Tensor, first: int, n: int) -> Tensor:
        """Return the next ``n`` output samples, with ``y`` behind those that are ready, and keep what is left."""
        n_ready, n_rest = self.mod_size - 1 - first, (first + n) % self.mod_size
        y = torch.cat([self.ready.narrow(2, first, n_ready), y], dim=2)
        self.ready.narrow(2, n_rest, self.mod_size - 1 - n_rest).copy_(y.detach().narrow(2, n, y.size(2) - n))
        return y.narrow(2, 0, n)

    def _check_whole(self, n_samples: int) -> None:
        if n_samples % self.mod_size != 0:
            raise InvalidAudioError(
                f"a block must have a multiple of {self.mod_size} samples, which is tfilm_block_size, got {n_samples}; "
                "with whole_blocks=False it may have any number, with a delay"
            )

    def run(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Return the output for a clip, or for the next modulation blocks of a stream."""
        raise NotImplementedError

    def set_layers(self, cached: bool) -> None:
        """Set the mode of what is inside."""
        raise NotImplementedError

    def reset_layers(self, batch_size: int | None) -> None:
        """Reset what is inside."""
        raise NotImplementedError

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Expect blocks of a stream, which starts now, or clips."""
        self.cached = cached
        self.set_layers(cached)
        self.reset(None)  # TorchScript knows the default outside of this class only

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        n_batch = next_batch_size(batch_size, self.waiting.size(0))
        self.reset_layers(batch_size)
        renew(self.waiting, [n_batch, self.in_ch, self.mod_size])
        renew(self.ready, [n_batch, self.out_ch, self.mod_size - 1])
        self.n_waiting.zero_()

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is later than a clip: a modulation block less 1, or 0.

        It is 0 with ``whole_blocks``, and without modulation.
        """
        return 0 if self.whole_blocks else self.mod_size - 1
