"""Overlapping frames, out of a stream and back into it: what transforms and models of long chunks have in common.

Frames are ``frame_samples`` long and begin ``hop_samples`` apart. State is written in place, never assigned: torch can
freeze what contains these modules.
"""

import torch
from torch import Tensor, nn


class FrameStream(nn.Module):
    """Cuts a stream into overlapping frames. Before its start there is silence; a frame comes out when it is complete.

    Args:
        n_channels: Channels of the stream.
        frame_samples: Length of a frame, at least ``hop_samples``.
        hop_samples: From one frame to the next, at least 1.
        lag_samples: How long before the start of the stream the frame before the first one ended; below
            ``hop_samples``.
    """

    past: Tensor
    n_pending: Tensor

    def __init__(self, n_channels: int, frame_samples: int, hop_samples: int, lag_samples: int = 0) -> None:
        super().__init__()
        self.frame_samples = frame_samples
        self.hop_samples = hop_samples
        self.lag_samples = lag_samples
        # The start of the next frame. What it lacks, up to a hop, is not used: so single samples cost no shift.
        self.register_buffer("past", torch.zeros(n_channels, frame_samples), persistent=False)
        self.register_buffer("n_pending", torch.tensor(lag_samples), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Return the frames that ``audio``, ``(n_channels, n)``, completes: ``(n_channels, frames, frame_samples)``."""
        n_pending = int(self.n_pending)
        n_past = self.frame_samples - self.hop_samples + n_pending
        n_pending += audio.size(1)
        n_frames = n_pending // self.hop_samples
        if n_frames == 0:
            self.past.narrow(1, n_past, audio.size(1)).copy_(audio.detach())
            self.n_pending.fill_(n_pending)
            return audio.new_empty(audio.size(0), 0, self.frame_samples)
        whole = torch.cat([self.past.narrow(1, 0, n_past), audio], dim=1)
        n_used = n_frames * self.hop_samples
        n_left = whole.size(1) - n_used
        self.past.narrow(1, 0, n_left).copy_(whole.detach().narrow(1, n_used, n_left))
        self.n_pending.fill_(n_pending - n_used)
        return whole.narrow(1, 0, self.frame_samples + n_used - self.hop_samples).unfold(
            1, self.frame_samples, self.hop_samples
        )

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.past.zero_()
        self.n_pending.fill_(self.lag_samples)


class FrameSum(nn.Module):
    """Adds overlapping frames up to a stream.

    A sample is complete when no later frame covers it. The frames, ``L`` long, end every ``hop`` samples, at ``E``; the
    next one begins at ``E + hop - L``, so that much is complete. If ``T`` samples came in, of which ``T - E`` make no
    frame yet, the output has to be ``T - (E + hop - L)`` late. Let a block end ``grain`` samples or more before the
    next frame does: then ``T - E`` is up to ``hop - grain``, and the delay ``L - grain``.

    Args:
        n_channels: Channels of the stream.
        frame_samples: Length of a frame, at least ``hop_samples``.
        hop_samples: From one frame to the next, at least 1.
        grain_samples: The least that a block's end lies before that of the next frame, 1..hop_samples.
    """

    tail: Tensor
    delay_samples: Tensor

    def __init__(self, n_channels: int, frame_samples: int, hop_samples: int, grain_samples: int) -> None:
        super().__init__()
        self.frame_samples = frame_samples
        self.hop_samples = hop_samples
        # The sum so far, of as many samples before the end of the latest frame as the output is late. There is room
        # for all that the grain may become: what comes out of a file cannot be resized.
        self.register_buffer("tail", torch.zeros(n_channels, frame_samples), persistent=False)
        self.register_buffer("delay_samples", torch.tensor(frame_samples - grain_samples), persistent=False)

    def forward(self, frames: Tensor, n_pending: int, n_samples: int) -> Tensor:
        """Return the next ``n_samples`` of the stream, fresh.

        Args:
            frames: ``(n_channels, n, frame_samples)``: what the block completes.
            n_pending: Samples before the block that make no frame yet.
            n_samples: Length of the block.
        """
        n_frames = frames.size(1)
        if n_frames == 0:
            return self.tail.narrow(1, n_pending, n_samples).clone()
        n_new = n_frames * self.hop_samples
        n_tail = int(self.delay_samples)
        tail = self.tail.narrow(1, 0, n_tail)
        first = self.hop_samples - self.frame_samples + n_tail
        whole = nn.functional.pad(tail, [0, n_new])
        for i in range(n_frames):
            whole.narrow(1, first + i * self.hop_samples, self.frame_samples).add_(frames.select(1, i))
        tail.copy_(whole.detach().narrow(1, n_new, n_tail))
        return whole.narrow(1, n_pending, n_samples)

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples the output is late."""
        return int(self.delay_samples)

    @torch.jit.export
    def set_grain(self, grain_samples: int) -> None:
        """Change the grain, and forget all."""
        self.delay_samples.fill_(self.frame_samples - grain_samples)
        self.reset()

    @torch.jit.export
    def reset(self) -> None:
        """Forget all."""
        self.tail.zero_()


def reach_samples(frame_samples: int, hop_samples: int) -> int:
    """Return how many samples of the input one sample of the output depends on: the frames around it. Scriptable."""
    return (frame_samples - 1) // hop_samples * hop_samples + frame_samples


def sum_of_shifts(window: Tensor, hop_samples: int) -> Tensor:
    """Return, for each place in a window, the sum of this window and all others that overlap it; the same shape."""
    n = window.size(0)
    n_hops = -(-n // hop_samples)
    sums = nn.functional.pad(window, [0, n_hops * hop_samples - n]).view(n_hops, hop_samples).sum(dim=0)
    return sums.repeat(n_hops)[:n]
