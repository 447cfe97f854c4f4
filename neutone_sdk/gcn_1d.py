"""Gated convolutional network with temporal modulation, for clips and for streams.

After M. Comunità, C. J. Steinmetz, H. Phan, J. D. Reiss, "Modelling black-box audio effects with time-varying feature
modulation" (2022), https://arxiv.org/abs/2211.00497. Audio is ``(batch, channels, n)``. Uncached, a network works on a
clip. Cached (``set_cached(True)``, ``prepare_for_inference()``), it works on a stream, ``n`` samples for ``n``.

The convolutions are causal. But the modulation scales a whole *modulation block* of ``tfilm_block_size`` samples by
what a recurrent layer makes of its maximum, which is known at its end. So a stream is late by ``tfilm_block_size - 1``
samples, once for the network; with ``whole_blocks=True`` it is not late, and every block has to be one of whole
modulation blocks. The last modulation block of a clip may be incomplete: its maximum is that with zeros after it, and a
stream comes to its samples when the block is complete.
"""

import torch
import torch.nn.functional as F  # noqa: N812  # as everyone calls it
from torch import Tensor, nn

from neutone_sdk.block_checks import check_counts
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError
from neutone_sdk.modulation_blocks import ByModulationBlocks
from neutone_sdk.recurrent import CachedGRU, CachedLSTM
from neutone_sdk.validation import check_type

RNN_TYPES: dict[str, type[CachedLSTM | CachedGRU]] = {"lstm": CachedLSTM, "gru": CachedGRU}


class TFiLM(ByModulationBlocks):
    """Temporal feature-wise linear modulation: scales each modulation block by what an RNN makes of its maximum.

    Args:
        n_channels: At least 1.
        cond_dim: Numbers in a condition, which goes into the RNN beside the maximum; 0 for none.
        tfilm_block_size: Samples in a modulation block, at least 1.
        rnn_type: ``"lstm"`` or ``"gru"``, in upper or lower case.
        recurrent_in_time: Whether the RNN goes from one modulation block to the next, as in the paper. By default it
            does what that of 1.x does, which checkpoints of 1.x need: it starts anew in each modulation block and goes
            from item to item of the batch, so that a batch of one has no memory.
        whole_blocks: Cached, take blocks of whole modulation blocks only, and give them back without delay.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, or ``rnn_type`` is another.
    """

    __jit_unused_properties__ = ["first_run", "hidden_state"]  # noqa: RUF012  # read by TorchScript

    def __init__(
        self,
        n_channels: int,
        cond_dim: int,
        tfilm_block_size: int,
        rnn_type: str = "lstm",
        *,
        recurrent_in_time: bool = False,
        whole_blocks: bool = False,
    ) -> None:
        check_type(rnn_type, str, "rnn_type must be")
        if rnn_type.lower() not in RNN_TYPES:
            msg = f"rnn_type must be one of {', '.join(RNN_TYPES)}; got {rnn_type!r}"
            raise InvalidArgumentError(msg)
        super().__init__(n_channels, n_channels, cond_dim, tfilm_block_size, whole_blocks)
        self.nchannels = n_channels
        self.tfilm_block_size = tfilm_block_size
        self.num_layers = 1
        self.recurrent_in_time = recurrent_in_time
        self.maxpool = nn.MaxPool1d(tfilm_block_size)
        self.rnn = RNN_TYPES[rnn_type.lower()](n_channels + cond_dim, n_channels)

    def run(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Return ``x`` modulated; what is missing of its last modulation block counts as zeros."""
        n, size = x.size(2), self.tfilm_block_size
        n_blocks = (n + size - 1) // size
        if n < n_blocks * size:
            x = F.pad(x, [0, n_blocks * size - n])
        features = self._features(x, n_blocks, cond)
        if not self.recurrent_in_time:
            features = features.transpose(0, 2)
        scales = self.rnn.run(features)
        if not self.recurrent_in_time:
            scales = scales.transpose(0, 2)
        y = x.reshape(x.size(0), self.nchannels, n_blocks, size) * scales.unsqueeze(3)
        return y.reshape(x.size(0), self.nchannels, n_blocks * size).narrow(2, 0, n)

    def _features(self, x: Tensor, n_blocks: int, cond: Tensor | None) -> Tensor:
        """Return what the RNN gets: ``(batch, n_channels + cond_dim, n_blocks)``."""
        maxima = self.maxpool(x)
        if self.cond_dim == 0:
            return maxima
        if cond is None:
            raise InvalidAudioError(
                f"cond must be a tensor of shape ({x.size(0)}, {self.cond_dim}), got None; make the layer with "
                "cond_dim=0 to modulate by the audio alone"
            )
        return torch.cat([maxima, cond.unsqueeze(2).expand(x.size(0), self.cond_dim, n_blocks)], dim=1)

    def set_layers(self, cached: bool) -> None:
        """Set the mode of the RNN, which is in a stream only where it goes in time."""
        self.rnn.set_cached(cached and self.recurrent_in_time)

    def reset_layers(self, batch_size: int | None) -> None:
        """Reset the RNN."""
        self.rnn.reset(batch_size if self.recurrent_in_time else None)

    @torch.jit.export
    def reset_state(self) -> None:
        """Start a new stream; the older name of `reset`."""
        self.reset(None)

    @property
    def first_run(self) -> bool:
        """Whether the RNN has no state, as at the start of a stream; setting it to True takes the state away."""
        return not bool(self.rnn.state.any())

    @first_run.setter
    def first_run(self, value: bool) -> None:
        if value:
            self.reset_state()

    @property
    def hidden_state(self) -> tuple[Tensor, ...]:
        """The state of the RNN in the stream, ``(1, batch, n_channels)`` each: hidden, and for an LSTM cell state."""
        return tuple(self.rnn.state.clone())

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on, but for the memory of the RNN."""
        return self.tfilm_block_size


class Conv1dCausal(Conv1dGeneral):
    """`Conv1dGeneral` as causal as it is by default, with the arguments and checkpoints that 1.x had for this network.

    Args:
        in_channels: At least 1.
        out_channels: At least 1.
        kernel_size: Taps, at least 1.
        stride: Input samples for each output sample, at least 1.
        dilation: Input samples from tap to tap, at least 1.
        bias: Whether to add a trainable bias.

    Raises:
        InvalidTypeError: A number is no integer.
        InvalidArgumentError: A number is too small.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride=stride, dilation=dilation, bias=bias)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: object) -> None:
        for name in ("weight", "bias"):
            if f"{prefix}conv.{name}" in state_dict:
                state_dict[prefix + name] = state_dict.pop(f"{prefix}conv.{name}")
        super()._load_from_state_dict(state_dict, prefix, *args)


class GatedAF(nn.Module):
    """Gated activation: the hyperbolic tangent of the first half of the channels times the sigmoid of the second."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(batch, n_channels / 2, n)`` for ``(batch, n_channels, n)``; fresh.

        Raises:
            InvalidAudioError: The number of channels is odd.
        """
        if x.dim() < 2 or x.size(1) % 2 != 0:
            raise InvalidAudioError(
                "audio must have shape (batch, channels, samples) with an even number of channels, got "
                + str(list(x.shape))
                + "; half of them are the gate of the other half"
            )
        signal, gate = x.chunk(2, dim=1)
        return torch.tanh(signal) * torch.sigmoid(gate)


class GCN1DBlock(ByModulationBlocks):
    """Causal dilated convolution, modulation, gated activation, and a residual path of 1x1 convolution.

    Args:
        in_ch: Channels of the input, at least 1.
        out_ch: Channels of the output, at least 1.
        kernel_size: Taps, at least 1.
        dilation: Samples from tap to tap, at least 1.
        stride: 1: the residual path has no other.
        cond_dim: Numbers in a condition; 0 for a block without modulation.
        rnn_type: See `TFiLM`.
        tfilm_block_size: Samples in a modulation block, at least 1.
        use_bias_in_conv: Whether the convolution has a bias.
        recurrent_in_time: See `TFiLM`.
        whole_blocks: Cached, take blocks of whole modulation blocks only, and give them back without delay.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, ``stride`` is not 1, or ``rnn_type`` is none of `TFiLM`'s.
    """

    def __init__(
        self,
        in_ch: int,
        out_ch: int,
        kernel_size: int = 3,
        dilation: int = 1,
        stride: int = 1,
        cond_dim: int = 0,
        rnn_type: str = "lstm",
        tfilm_block_size: int = 128,
        use_bias_in_conv: bool = False,
        *,
        recurrent_in_time: bool = False,
        whole_blocks: bool = False,
    ) -> None:
        check_counts(1, tfilm_block_size=tfilm_block_size, stride=stride)
        if stride != 1:
            msg = f"stride must be 1, got {stride}: the residual path keeps the rate. Decimate with Conv1dGeneral"
            raise InvalidArgumentError(msg)
        super().__init__(in_ch, out_ch, cond_dim, tfilm_block_size if cond_dim > 0 else 1, whole_blocks)
        self.conv = Conv1dCausal(in_ch, 2 * out_ch, kernel_size, dilation=dilation, bias=use_bias_in_conv)
        self.tfilm = None
        if cond_dim > 0:
            self.tfilm = TFiLM(
                2 * out_ch,
                cond_dim,
                tfilm_block_size,
                rnn_type,
                recurrent_in_time=recurrent_in_time,
                whole_blocks=whole_blocks,
            )
        self.gated_activation = GatedAF()
        self.res = nn.Conv1d(in_ch, out_ch, 1, bias=False)

    def run(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Return the output; without ``cond`` there is no modulation."""
        y = self.conv(x)
        if cond is not None and self.tfilm is not None:
            y = self.tfilm.run(y, cond)
        return self.gated_activation(y) + self.res(x)

    def set_layers(self, cached: bool) -> None:
        """Set the mode of the convolution and of the modulation."""
        self.conv.set_cached(cached)
        if self.tfilm is not None:
            self.tfilm.set_cached(cached)

    def reset_layers(self, batch_size: int | None) -> None:
        """Reset the convolution and the modulation."""
        self.conv.reset(batch_size)
        if self.tfilm is not None:
            self.tfilm.reset_layers(batch_size)

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on, but for the memory of the RNN."""
        return self.conv.get_receptive_field_samples() - 1 + self.mod_size


class GCN1D(ByModulationBlocks):
    """Gated blocks one after the other, a 1x1 convolution and a hyperbolic tangent.

    The first block has a dilation of 1, each other one ``dil_growth`` times that of the one before.

    Args:
        in_ch: Channels of the input, at least 1.
        out_ch: Channels of the output, at least 1.
        n_blocks: At least 1.
        n_channels: Channels between the blocks, at least 1.
        dil_growth: At least 1.
        kernel_size: Taps of each convolution, at least 1.
        cond_dim: Numbers in a condition; 0 for a network without modulation.
        tfilm_block_size: Samples in a modulation block, at least 1.
        rnn_type: See `TFiLM`.
        use_act: Accepted for older code, without effect as there. ``act = None`` leaves out the hyperbolic tangent.
        use_bias_in_conv: Whether the convolutions have a bias.
        recurrent_in_time: See `TFiLM`; True for new models.
        whole_blocks: Cached, take blocks of whole modulation blocks only, and give them back without delay.

    Raises:
        InvalidTypeError: An argument has the wrong type.
        InvalidArgumentError: A number is too small, or ``rnn_type`` is none of `TFiLM`'s.
    """

    def __init__(
        self,
        in_ch: int = 1,
        out_ch: int = 1,
        n_blocks: int = 10,
        n_channels: int = 64,
        dil_growth: int = 4,
        kernel_size: int = 13,
        cond_dim: int = 0,
        tfilm_block_size: int = 128,
        rnn_type: str = "lstm",
        use_act: bool = True,
        use_bias_in_conv: bool = False,
        *,
        recurrent_in_time: bool = False,
        whole_blocks: bool = False,
    ) -> None:
        check_counts(1, n_blocks=n_blocks, n_channels=n_channels, dil_growth=dil_growth)
        super().__init__(in_ch, out_ch, cond_dim, tfilm_block_size if cond_dim > 0 else 1, whole_blocks)
        self.kernel_size = kernel_size
        self.n_channels = n_channels
        self.dil_growth = dil_growth
        self.n_blocks = n_blocks
        self.use_act = use_act
        self.use_bias_in_conv = use_bias_in_conv
        self.channels = [n_channels] * n_blocks
        self.dilations = [dil_growth**n for n in range(n_blocks)]
        self.strides = [1] * n_blocks
        self.blocks = nn.ModuleList(
            GCN1DBlock(
                in_ch if n == 0 else n_channels,
                n_channels,
                kernel_size,
                dilation=dilation,
                cond_dim=cond_dim,
                rnn_type=rnn_type,
                tfilm_block_size=tfilm_block_size,
                use_bias_in_conv=use_bias_in_conv,
                recurrent_in_time=recurrent_in_time,
                whole_blocks=whole_blocks,
            )
            for n, dilation in enumerate(self.dilations)
        )
        self.out_net = nn.Conv1d(n_channels, out_ch, 1, bias=False)
        self.act: nn.Module | None = nn.Tanh()

    def run(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Return the output; without ``cond`` there is no modulation."""
        for block in self.blocks:
            x = block.run(x, cond)  # type: ignore[operator]
        x = self.out_net(x)
        return x if self.act is None else self.act(x)

    def set_layers(self, cached: bool) -> None:
        """Set the mode of the blocks."""
        for block in self.blocks:
            block.set_cached(cached)  # type: ignore[operator]

    def reset_layers(self, batch_size: int | None) -> None:
        """Reset the blocks."""
        for block in self.blocks:
            block.reset_layers(batch_size)  # type: ignore[operator]

    @torch.jit.export
    def calc_receptive_field(self) -> int:
        """Return how many input samples an output sample depends on by the convolutions alone."""
        n_samples = 1
        for dilation in self.dilations:
            n_samples += (self.kernel_size - 1) * dilation
        return n_samples

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on, but for the memory of the RNNs.

        With modulation, these are whole modulation blocks, to which each layer's kernel adds what it reaches into.
        """
        n_past = 0  # before the output sample's modulation block
        for i in range(self.n_blocks):
            n_past += (self.kernel_size - 1) * self.dilations[self.n_blocks - 1 - i]
            if i < self.n_blocks - 1:  # rounded up to what the layer before works on
                n_past = (n_past + self.mod_size - 1) // self.mod_size * self.mod_size
        return n_past + self.mod_size
