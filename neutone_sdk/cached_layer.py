"""What the layers that know clips and streams have in common: two modes, and a way to begin anew."""

import torch
from torch import nn


class CachedLayer(nn.Module):
    """A layer that is *uncached*, for clips, or *cached*, for the blocks of a stream. No layer by itself."""

    cached: bool

    @torch.jit.export
    def is_cached(self) -> bool:
        """Return whether blocks of a stream are expected."""
        return self.cached

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Expect blocks of a stream, which starts now, or clips."""
        self.cached = cached
        self.reset(None)  # TorchScript knows the default outside of the class only

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        raise NotImplementedError

    def prepare_for_inference(self) -> None:
        """Expect blocks of a stream, which starts now, and leave training mode."""
        self.set_cached(True)
        self.reset(0)  # with its memory, which would be written into the file
        self.eval()
