"""Temporal convolutional network, after steerable-nafx and micro-tcn, for clips and for streams.

Audio is ``(batch, channels, n)``. Uncached, a network works on a clip. Cached (``set_cached(True)``,
``prepare_for_inference()``), it works on a stream, ``n`` samples for ``n``, and is late by ``get_delay_samples()``:
not at all with ``causal=True`` or ``padding=0``. Every layer of a stream starts from silence, as a clip's padding is
silence on the left; a causal network is thus the same from the first sample on. Otherwise a clip is padded within, and
the two agree where no edge of the clip is within reach.
"""

import torch
from torch import Tensor, nn

from neutone_sdk.block_checks import check_block, check_condition, check_counts, check_groups
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.errors import InvalidArgumentError


def causal_crop(x: Tensor, length: int) -> Tensor:
    """Return ``length`` samples of ``x``, ``(..., n)``: all if it has as many, else those before its last one.

    That last sample is left out for the networks that were trained so.

    Raises:
        InvalidArgumentError: There are not as many.
    """
    n_samples = x.size(-1)
    if n_samples == length:
        return x
    if length < 0 or length >= n_samples:
        raise InvalidArgumentError(f"length must be in 0..{n_samples}, the samples of x, got {length}")
    return x.narrow(x.dim() - 1, n_samples - 1 - length, length)


class FiLM(nn.Module):
    """Feature-wise linear modulation: each channel is scaled and shifted by what a linear layer makes of a condition.

    Args:
        cond_dim: Numbers in a condition, at least 1.
        num_features: Channels, at least 1.
        use_bn: Whether batch normalisation, without weights of its own, comes before.

    Raises:
        InvalidTypeError: A number is no integer.
        InvalidArgumentError: A number is below 1.
    """

    def __init__(self, cond_dim: int, num_features: int, use_bn: bool = True) -> None:
        super().__init__()
        check_counts(1, cond_dim=cond_dim, num_features=num_features)
        self.cond_dim = cond_dim
        self.num_features = num_features
        self.use_bn = use_bn
        self.bn = nn.BatchNorm1d(num_features, affine=False) if use_bn else None
        self.adaptor = nn.Linear(cond_dim, 2 * num_features)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        """Return ``x``, ``(batch, num_features, n)``, modulated by ``cond``, ``(batch or 1, cond_dim)``; fresh.

        Raises:
            InvalidAudioError: A shape is another.
        """
        check_condition(cond, x.size(0), self.cond_dim)
        if self.bn is not None:
            x = self.bn(x)
        scale, shift = self.adaptor(cond).unsqueeze(2).chunk(2, dim=1)
        return torch.addcmul(shift, x, scale)


class TCN1DBlock(nn.Module):
    """Dilated convolution, modulation or normalisation, activation, and a residual path of 1x1 convolution.

    Args:
        in_ch: Channels of the input, at least 1.
        out_ch: Channels of the output, at least 1.
        kernel_size: Taps, at least 1.
        dilation: Samples from tap to tap, at least 1.
        padding: Samples on both sides of a clip. None: ``(kernel_size - 1) // 2 * dilation``, which keeps the length if
            the kernel is odd. With fewer a clip gets shorter, and the residual path is one sample late, as
            `causal_crop` has it.
        cond_dim: Numbers in a condition; 0 for a block without.
        use_bias_in_conv: Whether the convolution has a bias.
        use_bn: Whether there is batch normalisation.
        use_act: Whether there is an activation.
        use_res: Whether there is a residual path.
        act: The activation, without a memory; None for ``nn.PReLU(prelu_ch)``.
        prelu_ch: Slopes of that: 1 or ``out_ch``.
        res_groups: Into which the channels of the residual path are split.
        causal: Pad on the left only, so that the length stays; ``padding`` has to be None then.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, ``padding`` is given to a causal block, or is so large that the
            output is longer than the residual path.
    """

    def __init__(
        self,
        in_ch: int,
        out_ch: int,
        kernel_size: int,
        dilation: int,
        padding: int | None = None,
        cond_dim: int = 0,
        use_bias_in_conv: bool = True,
        use_bn: bool = True,
        use_act: bool = True,
        use_res: bool = True,
        act: nn.Module | None = None,
        prelu_ch: int = 1,
        res_groups: int = 1,
        *,
        causal: bool = False,
    ) -> None:
        super().__init__()
        check_counts(1, in_ch=in_ch, out_ch=out_ch, kernel_size=kernel_size, dilation=dilation, prelu_ch=prelu_ch)
        check_counts(0, cond_dim=cond_dim)
        check_groups(res_groups, in_ch, out_ch)
        reach = (kernel_size - 1) * dilation
        self.padding = _padding(padding, (kernel_size - 1) // 2 * dilation, causal)
        n_short = 0 if causal else reach - 2 * self.padding  # samples by which a clip gets shorter
        if use_res and n_short < 0:
            msg = (
                f"padding must be at most {reach // 2} for {kernel_size} taps at dilation {dilation}, got "
                f"{self.padding}: the output would be longer than the residual path; give less, or use_res=False"
            )
            raise InvalidArgumentError(msg)
        self.conv = Conv1dGeneral(
            in_ch,
            out_ch,
            kernel_size,
            padding="same" if causal else self.padding,
            dilation=dilation,
            bias=use_bias_in_conv,
            causal=causal,
        )
        self.reach = reach  # samples of the past that the convolution keeps; the residual path needs no others
        self.res_delay = self.conv.padding_r + (1 if n_short > 0 else 0)
        self.act = (nn.PReLU(prelu_ch) if act is None else act) if use_act else None
        self.film = FiLM(cond_dim, out_ch, use_bn=use_bn) if cond_dim > 0 else None
        self.bn = nn.BatchNorm1d(out_ch) if use_bn and cond_dim == 0 else None
        self.res = nn.Conv1d(in_ch, out_ch, 1, groups=res_groups, bias=False) if use_res else None

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Run a clip, or the next block of the stream.

        Args:
            x: ``(batch, in_ch, n)``; cached, ``n`` may be 0.
            cond: ``(batch or 1, cond_dim)``; None for no modulation. Ignored by a block without ``cond_dim``.

        Returns:
            ``(batch, out_ch, n)``, fresh; uncached, less what the convolution shortens.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the weights.
            InvalidAudioError: ``x`` or ``cond`` has another shape, or ``x`` is a clip shorter than the kernel.
        """
        if not self.conv.is_cached():
            y = self._shaped(self.conv(x), cond)
            return y if self.res is None else y + causal_crop(self.res(x), y.size(2))
        check_block(x, self.conv.in_channels, self.conv.conv1d.weight)
        padded = self.conv.padding_cached.push(x)
        y = self.conv.at_windows(padded, 0, x.size(2))
        if x.size(2) == 0:
            return y
        y = self._shaped(y, cond)
        if self.res is None:
            return y
        delayed = x if self.res_delay == 0 else padded.narrow(2, self.reach - self.res_delay, x.size(2))
        return y + self.res(delayed)

    def _shaped(self, y: Tensor, cond: Tensor | None) -> Tensor:
        if cond is not None and self.film is not None:
            y = self.film(y, cond)
        elif self.bn is not None:
            y = self.bn(y)
        return y if self.act is None else self.act(y)

    @torch.jit.export
    def is_cached(self) -> bool:
        """Return whether blocks of a stream are expected."""
        return self.conv.is_cached()

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Expect blocks of a stream, which starts now, or clips."""
        self.conv.set_cached(cached)

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        self.conv.reset(batch_size)

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is later than a clip, which counts from its end: ``padding``, or 0."""
        return self.conv.get_delay_samples()

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on."""
        return self.conv.get_receptive_field_samples()

    def prepare_for_inference(self) -> None:
        """Expect blocks of a stream, which starts now, and leave training mode."""
        self.conv.prepare_for_inference()
        self.eval()


class TCN1D(nn.Module):
    """Blocks one after the other, each with ``dil_growth`` times the dilation of the one before; the first has 1.

    Args:
        in_ch: Channels of the input, at least 1.
        out_ch: Channels of the output, at least 1.
        n_blocks: At least 1.
        kernel_size: Taps of each convolution, at least 1.
        n_channels: Channels between the blocks, at least 1.
        dil_growth: At least 1.
        padding: Of every block, see `TCN1DBlock`.
        cond_dim: Numbers in a condition; 0 for a network without.
        use_act: Whether the blocks have an activation.
        use_bn: Whether they have batch normalisation.
        use_bias_in_conv: Whether their convolutions have a bias.
        causal: See `TCN1DBlock`.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, or ``padding`` does not fit.
    """

    def __init__(
        self,
        in_ch: int = 1,
        out_ch: int = 1,
        n_blocks: int = 10,
        kernel_size: int = 13,
        n_channels: int = 64,
        dil_growth: int = 4,
        padding: int | None = None,
        cond_dim: int = 0,
        use_act: bool = True,
        use_bn: bool = False,
        use_bias_in_conv: bool = True,
        *,
        causal: bool = False,
    ) -> None:
        super().__init__()
        check_counts(1, in_ch=in_ch, out_ch=out_ch, n_blocks=n_blocks, n_channels=n_channels, dil_growth=dil_growth)
        self.kernel_size = kernel_size
        self.n_channels = n_channels
        self.dil_growth = dil_growth
        self.n_blocks = n_blocks
        self.stack_size = n_blocks
        self.cond_dim = cond_dim
        self.use_act = use_act
        self.use_bn = use_bn
        self.use_bias_in_conv = use_bias_in_conv
        self.blocks = nn.ModuleList(
            TCN1DBlock(
                in_ch if n == 0 else n_channels,
                out_ch if n == n_blocks - 1 else n_channels,
                kernel_size,
                dil_growth**n,
                padding=padding,
                cond_dim=cond_dim,
                use_act=use_act,
                use_bn=use_bn,
                use_bias_in_conv=use_bias_in_conv,
                causal=causal,
            )
            for n in range(n_blocks)
        )

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Run a clip, or the next block of the stream; arguments, result and errors as in `TCN1DBlock.forward`."""
        for block in self.blocks:
            x = block(x, cond)
        return x

    @torch.jit.export
    def is_cached(self) -> bool:
        """Return whether blocks of a stream are expected."""
        is_cached = False
        for block in self.blocks:
            is_cached = block.is_cached()  # type: ignore[operator]
        return is_cached

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Expect blocks of a stream, which starts now, or clips."""
        for block in self.blocks:
            block.set_cached(cached)  # type: ignore[operator]

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        for block in self.blocks:
            block.reset(batch_size)  # type: ignore[operator]

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is later than a clip, which counts from its end: the blocks' sum."""
        n_samples = 0
        for block in self.blocks:
            n_samples += block.get_delay_samples()  # type: ignore[operator]
        return n_samples

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on."""
        n_samples = 1
        for block in self.blocks:
            n_samples += block.get_receptive_field_samples() - 1  # type: ignore[operator]
        return n_samples

    @torch.jit.export
    def calc_receptive_field(self) -> int:
        """Return the same as `get_receptive_field_samples`, under its older name."""
        return self.get_receptive_field_samples()

    def prepare_for_inference(self) -> None:
        """Expect blocks of a stream, which starts now, and leave training mode."""
        for block in self.blocks:
            block.prepare_for_inference()  # type: ignore[operator]
        self.eval()


def _padding(padding: int | None, default: int, causal: bool) -> int:
    """Return how much a clip is padded on both sides; 0 if it is padded on the left only."""
    if padding is None:
        return 0 if causal else default
    check_counts(0, padding=padding)
    if causal:
        msg = f"padding must be None with causal=True, which keeps the length, got {padding}"
        raise InvalidArgumentError(msg)
    return padding
