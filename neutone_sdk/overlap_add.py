"""Runs a model that needs long chunks on a stream, with cross-fades from chunk to chunk."""

import math

import torch
from torch import Tensor, nn

from neutone_sdk.block_checks import check_counts, check_stream
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, ModelOutputError
from neutone_sdk.frames import FrameStream, FrameSum, reach_samples, sum_of_shifts
from neutone_sdk.validation import check_type

WINDOWS = ("hann", "linear")


class OverlapAdd(nn.Module):
    """Runs a model on overlapping chunks of a stream, and fades from each chunk's output into the next one's.

    What comes out does not depend on how the stream is cut, and is that of `forward_offline`, `get_delay_samples` late.
    A block that completes several chunks runs the model once, on a batch of them.

    Args:
        model: Takes ``(chunks, n_channels, chunk_samples)`` and returns ``(chunks, out_channels, chunk_samples)``. It
            sees each chunk by itself: it must not keep a state from call to call.
        chunk_samples: Length of a chunk.
        hop_samples: From chunk to chunk, at most ``chunk_samples``; chunks overlap by the difference. The shorter, the
            more often the model runs.
        window: How chunks fade: ``"hann"``, along half a period of a cosine, or ``"linear"``. The weights add up to 1.
        n_channels: Channels of the audio.
        out_channels: Channels that the model returns; by default ``n_channels``.
        block_samples: What all blocks are multiples of; see `set_buffer_size`.

    Shape:
        - input: ``(n_channels, n)``, float32, ``n`` a multiple of what ``block_samples`` and ``hop_samples`` have in
          common.
        - output: ``(out_channels, n)``, float32, fresh.

    Raises:
        InvalidTypeError: An argument is of another type.
        InvalidArgumentError: An argument is outside what is allowed.
    """

    weights: Tensor

    def __init__(
        self,
        model: nn.Module,
        chunk_samples: int,
        hop_samples: int,
        window: str = "hann",
        n_channels: int = 2,
        *,
        out_channels: int | None = None,
        block_samples: int = 1,
    ) -> None:
        super().__init__()
        out_channels = n_channels if out_channels is None else out_channels
        check_type(model, nn.Module, "model must be")
        check_counts(1, chunk_samples=chunk_samples, hop_samples=hop_samples, n_channels=n_channels)
        check_counts(1, out_channels=out_channels, block_samples=block_samples)
        if hop_samples > chunk_samples:
            msg = (
                f"hop_samples must be at most chunk_samples, {chunk_samples}, or samples would be left out; "
                f"got {hop_samples}"
            )
            raise InvalidArgumentError(msg)
        if window not in WINDOWS:
            msg = f"window must be one of {', '.join(WINDOWS)}, got {window!r}"
            raise InvalidArgumentError(msg)
        self.model = model
        self.chunk_samples = chunk_samples
        self.hop_samples = hop_samples
        self.n_channels = n_channels
        self.out_channels = out_channels
        weights = fade_weights(chunk_samples, hop_samples, is_linear=window == "linear")
        self.register_buffer("weights", weights, persistent=False)
        self.stream = FrameStream(n_channels, chunk_samples, hop_samples)
        self.sums = FrameSum(out_channels, chunk_samples, hop_samples, math.gcd(block_samples, hop_samples))

    @torch.jit.export
    def set_buffer_size(self, block_samples: int) -> None:
        """Expect blocks whose lengths are multiples of ``block_samples``, and forget all audio.

        The more it has in common with ``hop_samples``, the shorter is the delay: 1, blocks of any length, makes it
        ``chunk_samples - 1``, and whole hops ``chunk_samples - hop_samples``.

        Raises:
            InvalidArgumentError: ``block_samples`` is below 1.
        """
        if block_samples < 1:
            raise InvalidArgumentError(f"block_samples must be at least 1, got {block_samples}")
        self.sums.set_grain(math.gcd(block_samples, self.hop_samples))
        self.reset()

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples the output is late: the least that blocks of such lengths allow."""
        return self.sums.get_delay_samples()

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many samples of the input one sample of the output depends on: all of the chunks around it."""
        return reach_samples(self.chunk_samples, self.hop_samples)

    def forward(self, x: Tensor) -> Tensor:
        """Take in a block and give out one of the same length; see the class for shapes.

        Raises:
            InvalidTypeError: ``x`` is not float32, or not where the module is.
            InvalidAudioError: ``x`` has another shape.
            ModelOutputError: The model returned another shape than it has to.
        """
        check_stream(x, self.n_channels, self.weights)
        grain = self.chunk_samples - self.sums.get_delay_samples()
        if x.size(1) % grain != 0:
            raise InvalidAudioError(
                f"audio must come in multiples of {grain} samples, got {x.size(1)}; call set_buffer_size(1) for blocks "
                "of any length, with more delay"
            )
        n_pending = int(self.stream.n_pending)
        chunks = self.stream(x)
        if chunks.size(1) > 0:
            chunks = self._run(chunks)
        return self.sums(chunks, n_pending, x.size(1))

    @torch.jit.export
    def forward_offline(self, x: Tensor) -> Tensor:
        """Return what the whole of a clip, with silence around it, becomes, without delay; the stream is left alone.

        Chunks are run one after another: a long clip needs no more memory for them than a short one.

        Raises:
            InvalidTypeError, InvalidAudioError: As `forward`.
        """
        check_stream(x, self.n_channels, self.weights)
        n_samples = x.size(1)
        n_past = self.chunk_samples - self.hop_samples
        n_chunks = (n_samples + n_past - 1) // self.hop_samples + 1
        whole = x.new_zeros(self.out_channels, n_past + n_chunks * self.hop_samples)
        padded = nn.functional.pad(x, [n_past, n_chunks * self.hop_samples - n_samples])
        for i in range(n_chunks):
            chunk = padded.narrow(1, i * self.hop_samples, self.chunk_samples)
            faded = self._run(chunk.unsqueeze(1)).squeeze(1)
            whole.narrow(1, i * self.hop_samples, self.chunk_samples).add_(faded)
        return whole.narrow(1, n_past, n_samples)

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.stream.reset()
        self.sums.reset()

    def prepare_for_inference(self) -> None:
        """Forget all audio, and leave training mode. The model is not made to cache: it sees whole chunks."""
        self.reset()
        self.eval()

    def _run(self, chunks: Tensor) -> Tensor:
        """Turn chunks ``(n_channels, n, chunk_samples)`` into ``(out_channels, n, chunk_samples)``, faded."""
        y = self.model(chunks.transpose(0, 1).contiguous())
        expected = [chunks.size(1), self.out_channels, self.chunk_samples]
        if list(y.shape) != expected:
            raise ModelOutputError(f"the model must return shape {expected}, got {list(y.shape)}")
        return (y * self.weights).transpose(0, 1)


def fade_weights(chunk_samples: int, hop_samples: int, *, is_linear: bool) -> Tensor:
    """Return what to multiply chunks with, ``(chunk_samples,)``: with its shifts by ``hop_samples`` it adds up to 1.

    Chunks that overlap by half or less are 1 in their middle, and fade where they overlap. Others have no such middle.
    """
    fade_samples = min(chunk_samples - hop_samples, chunk_samples // 2)
    places = torch.arange(chunk_samples, dtype=torch.float64) + 0.5
    weights = torch.minimum(places, chunk_samples - places) / max(fade_samples, 0.5)
    weights = weights.clamp(max=1.0)
    if not is_linear:
        weights = torch.sin(0.5 * torch.pi * weights).square()
    return (weights / sum_of_shifts(weights, hop_samples)).float()
