"""Transposed convolution, which raises the rate, for clips and for streams; in the manner of `neutone_sdk.conv`."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk.block_checks import (
    adopt_stock_names,
    check_block,
    check_counts,
    check_groups,
    next_batch_size,
    starts_stream,
)
from neutone_sdk.cached_layer import CachedLayer
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError
from neutone_sdk.stream_state import renew


class ConvTranspose1dGeneral(CachedLayer):
    """Transposed convolution in time, causal or not: ``stride`` output samples for each input sample.

    Uncached and not causal it is ``torch.nn.ConvTranspose1d``; a causal one is that without padding, cut off (or, with
    fewer taps than the stride, filled up) to ``n * stride`` samples. Cached, ``n`` input samples give ``n * stride``
    output samples that equal the uncached ones ``get_delay_samples()`` before; what reaches beyond the block is added
    to the next.

    The weights lie in ``conv_transpose1d``. The state dict of an ``nn.ConvTranspose1d`` loads as well.

    Args:
        in_channels: At least 1.
        out_channels: At least 1.
        kernel_size: Taps, at least 1.
        stride: Output samples for each input sample, at least 1.
        padding: Output samples that a clip lacks on both sides, or ``"same"`` for ``n * stride`` samples; if one side
            lacks more, it is the left. Always ``"same"`` for a causal layer, which cuts on the right only.
        output_padding: Samples that a clip of a layer with a number as ``padding`` has more on the right; below the
            stride or the dilation, as in torch.
        dilation: Output samples from tap to tap, at least 1.
        bias: Whether to add a trainable bias.
        causal: Whether no output depends on later input.
        cached: The mode to begin with.
        use_dynamic_bs: Cached, a batch of another size starts a new stream; otherwise it is refused.
        batch_size: Expected size of the batch of a stream.
        groups: Into which the channels are split.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, ``groups`` divides not both numbers of channels, or ``padding`` or
            ``output_padding`` is none of those above.
    """

    tail: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: str | int = "same",
        output_padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        causal: bool = True,
        cached: bool = False,
        use_dynamic_bs: bool = True,
        batch_size: int = 1,
        *,
        groups: int = 1,
    ) -> None:
        super().__init__()
        check_counts(1, in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size)
        check_counts(1, stride=stride, dilation=dilation, batch_size=batch_size)
        check_groups(groups, in_channels, out_channels)
        self.in_channels = in_channels
        self.stride = stride
        self.causal = causal
        self.cached = cached
        self.use_dynamic_bs = use_dynamic_bs
        self.batch_size = batch_size
        self.padded_kernel_size = (kernel_size - 1) * dilation  # samples between the first and the last tap
        self.n_tail = max(0, self.padded_kernel_size + 1 - stride)  # outputs that need input of the next block too
        n_excess = self.padded_kernel_size + 1 - stride  # samples of a whole clip beyond n * stride
        self.padding, n_right = _cuts(padding, n_excess, causal)
        if isinstance(padding, int):
            _check_output_padding(output_padding, max(stride, dilation))
            n_right -= output_padding
        elif output_padding != 0:
            msg = f"output_padding goes with a number as padding, got {output_padding} with padding {padding!r}"
            raise InvalidArgumentError(msg)
        self.clip_excess = n_excess - self.padding - n_right
        self.conv_transpose1d = nn.ConvTranspose1d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            output_padding=max(0, -n_excess, -n_right),  # what no tap reaches holds the bias
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.register_buffer("tail", torch.zeros(0, out_channels, self.n_tail), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a clip, or the next block of the stream.

        Args:
            x: ``(batch, in_channels, n)``; cached, ``n`` may be 0.

        Returns:
            ``(batch, out_channels, n * stride)``, fresh; uncached, the length that torch gives.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the weights.
            InvalidAudioError: ``x`` has another shape, or is a clip that is too short.
        """
        check_block(x, self.in_channels, self.conv_transpose1d.weight)
        if self.cached:
            return self._next_block(x)
        n_outputs = x.size(2) * self.stride + self.clip_excess
        if x.size(2) == 0 or n_outputs < 1:
            raise InvalidAudioError(
                f"a clip of {x.size(2)} samples gives {n_outputs} output samples; it has to have more. A stream, after "
                "set_cached(True), may have blocks of any size"
            )
        return self.conv_transpose1d(x).narrow(2, self.padding, n_outputs)

    def _next_block(self, x: Tensor) -> Tensor:
        if starts_stream(x.size(0), self.tail.size(0), self.batch_size, self.use_dynamic_bs):
            self.reset(x.size(0))
        n_outputs = x.size(2) * self.stride
        if n_outputs == 0:
            return x.new_zeros([x.size(0), self.conv_transpose1d.out_channels, 0])
        whole = self.conv_transpose1d(x)
        if self.n_tail > 0:
            whole.narrow(2, 0, self.n_tail).add_(self.tail)
            self.tail.copy_(whole.detach().narrow(2, n_outputs, self.n_tail))
            bias = self.conv_transpose1d.bias
            if bias is not None:  # the next block has it too
                self.tail.sub_(bias.detach().unsqueeze(1))
        return whole.narrow(2, 0, n_outputs)

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        n_batch = next_batch_size(batch_size, self.tail.size(0))
        renew(self.tail, [n_batch, self.tail.size(1), self.n_tail])

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many output samples a stream is later than a clip: 0 for a causal layer."""
        return self.padding

    @torch.jit.export
    def get_stride(self) -> tuple[int, int]:
        """Return how many output samples come for how many input samples."""
        return self.stride, 1

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on, at most."""
        return self.padded_kernel_size // self.stride + 1

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        adopt_stock_names(state_dict, prefix, "conv_transpose1d")
        super()._load_from_state_dict(state_dict, prefix, *args)


def _cuts(padding: str | int, n_excess: int, causal: bool) -> tuple[int, int]:
    """Return how many samples a clip lacks on the left and on the right; on the right it may have more: below 0."""
    if padding == "same":
        n_left = 0 if causal else max(0, n_excess - n_excess // 2)
        return n_left, n_excess - n_left
    if isinstance(padding, str):
        msg = f"padding must be 'same' or a number, got {padding!r}"
        raise InvalidArgumentError(msg)
    if causal:
        msg = f"padding must be 'same' for a causal layer, got {padding!r}; a cut on the left makes it non-causal"
        raise InvalidArgumentError(msg)
    check_counts(0, padding=padding)
    return padding, padding


def _check_output_padding(output_padding: int, limit: int) -> None:
    """Raise unless torch can pad the output by so many samples.

    Raises:
        InvalidTypeError: It is no integer.
        InvalidArgumentError: It is not below the stride or the dilation.
    """
    check_counts(0, output_padding=output_padding)
    if output_padding >= limit:
        msg = f"output_padding must be below the stride or the dilation, {limit}, got {output_padding}"
        raise InvalidArgumentError(msg)
