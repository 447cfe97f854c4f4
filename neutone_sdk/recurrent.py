"""Recurrent layers that are trained on whole clips and run on streams, block after block, with the same output.

They are torch's own layers, weights and kernels, with audio of ``(batch, channels, n)`` and, cached, a state that lasts
from block to block. Each sample is a step.
"""

import torch
from torch import Tensor, nn

from neutone_sdk.block_checks import check_block, check_counts, next_batch_size, starts_stream
from neutone_sdk.cached_layer import CachedLayer
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.stream_state import renew


class CachedRNN(CachedLayer, nn.RNNBase):
    """What `CachedLSTM` and `CachedGRU` share: the two modes, and the state of the stream. No layer by itself."""

    N_STATES: int  # tensors that make up the state

    state: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        channels_last: bool = False,
        cached: bool = False,
        use_dynamic_bs: bool = True,
        batch_size: int = 1,
    ) -> None:
        check_counts(1, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers, batch_size=batch_size)
        if bidirectional:
            msg = (
                "bidirectional must be False, got True: the backward direction begins at the end of a clip, and a "
                "stream has none. Train a layer of one direction, with more hidden_size or num_layers"
            )
            raise InvalidArgumentError(msg)
        super().__init__(input_size, hidden_size, num_layers, bias, dropout=dropout)  # type: ignore[arg-type]
        self.channels_last = channels_last
        self.cached = cached
        self.use_dynamic_bs = use_dynamic_bs
        self.stream_batch_size = batch_size
        # No batch until the first block.
        self.register_buffer("state", torch.zeros(self.N_STATES, num_layers, 0, hidden_size), persistent=False)

    def _check(self, x: Tensor) -> None:
        check_block(x.transpose(1, 2) if self.channels_last and x.dim() == 3 else x, self.input_size, self.state)

    def _start(self, x: Tensor) -> Tensor:
        """Return the state before ``x``: ``(N_STATES, num_layers, batch, hidden_size)``."""
        if not self.cached:
            return self.state.new_zeros([self.state.size(0), self.num_layers, x.size(0), self.hidden_size])
        if starts_stream(x.size(0), self.state.size(2), self.stream_batch_size, self.use_dynamic_bs):
            self.reset(x.size(0))
        return self.state.clone() if torch.is_grad_enabled() else self.state  # gradients need one that stays as it is

    def _steps(self, x: Tensor) -> Tensor:
        """Return audio as the kernels want it: ``(n, batch, channels)``."""
        return x.transpose(0, 1) if self.channels_last else x.permute(2, 0, 1)

    def _audio(self, steps: Tensor) -> Tensor:
        return steps.transpose(0, 1) if self.channels_last else steps.permute(1, 2, 0)

    def _no_audio(self, x: Tensor) -> Tensor:
        return x.new_zeros([x.size(0), 0, self.hidden_size] if self.channels_last else [x.size(0), self.hidden_size, 0])

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream, from a state of zeros; with a ``batch_size``, one of such batches.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        n_batch = next_batch_size(batch_size, self.state.size(2))
        renew(self.state, [self.state.size(0), self.num_layers, n_batch, self.hidden_size])

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is later than a clip: 0."""
        return 0


class CachedLSTM(CachedRNN, nn.LSTM):
    """``torch.nn.LSTM`` of one direction, for clips and for streams. The state dict is the same.

    Uncached, a clip starts from a state of zeros. Cached, so does a stream, and each block goes on where the last one
    ended, ``n`` samples for ``n``, without delay. An output sample depends on all input that came before it, so there
    is no receptive field to ask for.

    Args:
        input_size: Channels of the input, at least 1.
        hidden_size: Channels of the output, at least 1.
        num_layers: At least 1.
        bias: Whether there are biases.
        dropout: Probability in 0..1 of leaving out a number between two layers, in training mode only.
        bidirectional: Not possible in a stream; refused.
        channels_last: Audio is ``(batch, n, channels)``, as with ``batch_first=True`` of the stock layer.
        cached: The mode to begin with.
        use_dynamic_bs: Cached, a batch of another size starts a new stream; otherwise it is refused.
        batch_size: Expected size of the batch of a stream.

    Raises:
        InvalidTypeError: A number is no integer.
        InvalidArgumentError: A number is too small, or the layer is bidirectional.
    """

    N_STATES = 2

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Run a clip, or the next block of the stream.

        Args:
            x: ``(batch, input_size, n)``, or ``(batch, n, input_size)`` with ``channels_last``; ``n`` may be 0.

        Returns:
            ``(batch, hidden_size, n)``, or ``(batch, n, hidden_size)``; fresh.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the weights.
            InvalidAudioError: ``x`` has another shape, or another batch size without ``use_dynamic_bs``.
        """
        self._check(x)
        return self.run(x)

    def run(self, x: Tensor) -> Tensor:
        """As `forward`, without its checks of ``x``."""
        state = self._start(x)
        if x.numel() == 0:
            return self._no_audio(x)
        steps, hidden, cell = self._advance(self._steps(x), state[0], state[1])
        if self.cached:
            self.state[0].copy_(hidden.detach())
            self.state[1].copy_(cell.detach())
        return self._audio(steps)

    def _advance(self, steps: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weights = self._flat_weights
        if steps.size(0) == 1 and self.num_layers == 1 and self.bias:
            # A third of the time that torch's kernel of sequences takes for one step; from two on that is quicker.
            hidden, cell = torch.lstm_cell(
                steps[0],
                [hidden[0], cell[0]],
                weights[0],  # type: ignore[arg-type]
                weights[1],  # type: ignore[arg-type]
                weights[2],
                weights[3],
            )
            return hidden.unsqueeze(0), hidden.unsqueeze(0), cell.unsqueeze(0)
        return torch.lstm(
            steps,
            [hidden, cell],
            weights,  # type: ignore[arg-type]
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            False,  # bidirectional; torch takes no names here
            False,  # batch first
        )


class CachedGRU(CachedRNN, nn.GRU):
    """``torch.nn.GRU`` of one direction, for clips and for streams. All else is as in `CachedLSTM`."""

    N_STATES = 1

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Run a clip, or the next block of the stream; arguments, result and errors as in `CachedLSTM.forward`."""
        self._check(x)
        return self.run(x)

    def run(self, x: Tensor) -> Tensor:
        """As `forward`, without its checks of ``x``."""
        state = self._start(x)
        if x.numel() == 0:
            return self._no_audio(x)
        steps, hidden = torch.gru(
            self._steps(x),
            state[0],
            self._flat_weights,  # type: ignore[arg-type]
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            False,  # bidirectional; torch takes no names here
            False,  # batch first
        )
        if self.cached:
            self.state[0].copy_(hidden.detach())
        return self._audio(steps)
