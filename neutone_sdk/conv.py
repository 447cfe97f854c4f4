"""Convolutions that are trained on whole clips and run on streams, block after block, with the same output.

Audio is ``(batch, channels, n)``, of the dtype of the weights. A block has two modes: *uncached* works on a clip as
torch does, *cached* (``set_cached(True)``, ``prepare_for_inference()``) works on a stream that starts from silence and
remembers what the next block needs. A batch of another size starts a new stream.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everyone calls it
from torch import Tensor, nn

from neutone_sdk import conv_windows
from neutone_sdk.block_checks import adopt_stock_names, check_block, check_counts, check_groups
from neutone_sdk.cached_layer import CachedLayer
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError
from neutone_sdk.padding_cached import PaddingCached

__all__ = ["Conv1dGeneral", "PaddingCached"]


class Conv1dGeneral(CachedLayer):
    """Convolution in time, causal or not, for clips and for streams.

    Uncached it is ``torch.nn.Conv1d``, but a causal one pads on the left only. Cached, what came before a block stands
    in for the padding: an output sample comes as soon as its input is there, ``n`` for ``n`` (with a stride, ``N``
    input samples have given ``ceil(N / stride)``), and equals the uncached output ``get_delay_samples()`` before. An
    uncached layer that shortens a clip is understood to leave out what would be its first samples.

    The weights lie in ``conv1d``. The state dict of an ``nn.Conv1d`` loads as well.

    Args:
        in_channels: At least 1.
        out_channels: At least 1.
        kernel_size: Taps, at least 1.
        stride: Input samples for each output sample, at least 1.
        padding: Samples on both sides (causal: on the left), or ``"valid"`` for none, or ``"same"`` for as many as keep
            the length of a clip; if these are odd, the right side gets one more, as in torch.
        dilation: Input samples from tap to tap, at least 1.
        bias: Whether to add a trainable bias.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``: with what clips are padded. A
            stream has no edges: it starts from silence with all of them.
        causal: Whether no output depends on later input.
        cached: The mode to begin with.
        use_dynamic_bs: Cached, a batch of another size starts a new stream; otherwise it is refused.
        batch_size: Expected size of the batch of a stream.
        debug_mode: Accepted for older code; arguments are always checked.
        groups: Into which the channels are split.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, ``groups`` divides not both numbers of channels, a word is none of
            those above, or ``"same"`` is asked of a non-causal layer with a stride.
    """

    phase: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: str | int | tuple[int] = "same",
        dilation: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        causal: bool = True,
        cached: bool = False,
        use_dynamic_bs: bool = True,
        batch_size: int = 1,
        debug_mode: bool = True,
        *,
        groups: int = 1,
    ) -> None:
        super().__init__()
        check_counts(1, in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size)
        check_counts(1, stride=stride, dilation=dilation, batch_size=batch_size)
        check_groups(groups, in_channels, out_channels)
        self.in_channels = in_channels
        self.padding_mode = _pad_mode(padding_mode)
        self.causal = causal
        self.cached = cached
        self.debug_mode = debug_mode
        self.stride = stride
        self.dilation = dilation
        self.n_taps = kernel_size
        self.n_out = out_channels
        self.padded_kernel_size = (kernel_size - 1) * dilation  # samples between the first and the last tap
        self.padding_l, self.padding_r = _paddings(padding, self.padded_kernel_size, stride, causal)
        self.conv1d = nn.Conv1d(
            in_channels, out_channels, kernel_size, stride=stride, dilation=dilation, groups=groups, bias=bias
        )
        self.delay_samples, n_extra = _delay(self.padded_kernel_size, self.padding_l, self.padding_r, stride)
        self.register_buffer("phase", torch.zeros(1, dtype=torch.int64), persistent=False)
        self.padding_cached = PaddingCached(
            in_channels,
            self.padded_kernel_size + n_extra,
            use_dynamic_bs=use_dynamic_bs,
            batch_size=batch_size,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a clip, or the next block of the stream.

        Args:
            x: ``(batch, in_channels, n)``; cached, ``n`` may be 0.

        Returns:
            ``(batch, out_channels, n)``, fresh; uncached, the length that torch gives.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the weights.
            InvalidAudioError: ``x`` has another shape, or is a clip shorter than the kernel.
        """
        check_block(x, self.in_channels, self.conv1d.weight)
        if self.cached:
            return self._next_block(x)
        n_padded = x.size(2) + self.padding_l + self.padding_r
        if n_padded <= self.padded_kernel_size:
            raise InvalidAudioError(
                f"a clip must have at least {self.padded_kernel_size + 1 - self.padding_l - self.padding_r} samples, "
                f"got {x.size(2)}; the kernel reaches over {self.padded_kernel_size + 1}. A stream, after "
                "set_cached(True), may have blocks of any size"
            )
        if n_padded > x.size(2):
            x = F.pad(x, [self.padding_l, self.padding_r], mode=self.padding_mode)
        return self.conv1d(x)

    def _next_block(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return self.at_windows(self.padding_cached.push(x), 0, x.size(2))
        first = self._first_due(x)
        n_outputs = (x.size(2) - first + self.stride - 1) // self.stride
        return self.at_windows(self.padding_cached.push(x), first, max(0, n_outputs))

    @torch.jit.export
    def at_windows(self, padded: Tensor, first: int, n_outputs: int) -> Tensor:
        """Return the products of the kernel with the windows of ``padded`` that begin at ``first + i * stride``.

        For blocks that use the past of a layer, ``padding_cached.push(x)``, for more than its convolution.

        Args:
            padded: ``(batch, in_channels, at least first + (n_outputs - 1) * stride + padded_kernel_size + 1)``.
            first: Where the first window begins.
            n_outputs: How many there are, at least 0.

        Returns:
            ``(batch, out_channels, n_outputs)``, fresh.
        """
        if n_outputs == 0:
            return padded.new_zeros([padded.size(0), self.conv1d.out_channels, 0])
        if conv_windows.pays(padded, self.n_taps, self.n_out, n_outputs, self.dilation) and self._may_be_quick():
            weight, bias = self.conv1d.weight, self.conv1d.bias
            return conv_windows.convolve(padded, first, n_outputs, weight, bias, self.stride, self.dilation)
        n_needed = (n_outputs - 1) * self.stride + self.padded_kernel_size + 1
        return self.conv1d(padded if n_needed == padded.size(2) else padded.narrow(2, first, n_needed))

    def _first_due(self, x: Tensor) -> int:
        """Return where in ``x`` the first input lies at which an output is due, and count ``x`` as heard."""
        if self.padding_cached.fit_batch(x.size(0)):
            self.phase.zero_()
        phase = int(self.phase)  # samples heard since the one of the latest output, that one included
        self.phase.fill_((phase + x.size(2)) % self.stride)
        return (self.stride - phase) % self.stride

    def _may_be_quick(self) -> bool:
        if torch.is_grad_enabled() or self.conv1d.groups > 1:
            return False
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            return self._is_stock()
        return True

    @torch.jit.unused
    def _is_stock(self) -> bool:
        """Return whether nothing but the weights makes the output, such as a weight norm's hook."""
        layer = self.conv1d
        return type(layer) is nn.Conv1d and not layer._forward_pre_hooks and not layer._forward_hooks  # noqa: SLF001

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        self.padding_cached.reset(batch_size)
        self.phase.zero_()

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many output samples a stream is later than a clip: 0 for a causal layer that keeps the length.

        A clip that the layer shortens counts from its end: what is missing is missing in front.
        """
        return self.delay_samples

    @torch.jit.export
    def get_stride(self) -> tuple[int, int]:
        """Return how many output samples come for how many input samples."""
        return 1, self.stride

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on."""
        return self.padded_kernel_size + 1

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        adopt_stock_names(state_dict, prefix, "conv1d")
        super()._load_from_state_dict(state_dict, prefix, *args)


def _pad_mode(padding_mode: str) -> str:
    """Return what ``F.pad`` calls a padding mode of ``nn.Conv1d``."""
    modes = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
    if padding_mode not in modes:
        msg = f"padding_mode must be one of {', '.join(modes)}; got {padding_mode!r}"
        raise InvalidArgumentError(msg)
    return modes[padding_mode]


def _paddings(padding: Any, reach: int, stride: int, causal: bool) -> tuple[int, int]:
    """Return how much a clip is padded on the left and on the right; ``reach`` is from the first tap to the last."""
    if isinstance(padding, tuple | list) and len(padding) == 1:
        padding = padding[0]
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if causal:
            return reach, 0
        if stride > 1:
            msg = (
                f"padding must be a number for a non-causal layer with a stride, got 'same' with stride {stride}; "
                f"{reach // 2} is half the kernel"
            )
            raise InvalidArgumentError(msg)
        return reach // 2, reach - reach // 2
    if isinstance(padding, str):
        msg = f"padding must be 'same', 'valid' or a number, got {padding!r}"
        raise InvalidArgumentError(msg)
    check_counts(0, padding=padding)
    return padding, 0 if causal else padding


def _delay(reach: int, padding_l: int, padding_r: int, stride: int) -> tuple[int, int]:
    """Return a stream's delay in output samples, and how far back its windows lie besides.

    Output j of a clip has its last tap at input ``j * stride + reach - padding_l``; of a stream, output i comes when
    input ``i * stride`` is there. So it is output ``i - late`` of the clip, with the smallest ``late`` that needs no
    later input, and its last tap is at ``i * stride - n_extra``. A clip of whole strides lacks ``n_missing`` outputs.
    """
    late = -((padding_l - reach) // stride)
    n_extra = late * stride - (reach - padding_l)
    n_missing = (reach - padding_l - padding_r) // stride
    return late - n_missing, n_extra
