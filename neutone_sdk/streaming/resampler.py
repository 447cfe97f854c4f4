"""Resampling by any ratio of whole rates: streaming, and of whole signals."""

from typing import Any, Final

import torch
from torch import Tensor, nn

from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError
from neutone_sdk.validation import check_type, dtype_name

QUALITIES: Final = ("low_latency", "standard", "high")


def check_rates(from_hz: int, to_hz: int) -> None:
    """Raise unless the resampler knows a way between two rates in Hz. Scriptable.

    Raises:
        InvalidArgumentError: One is outside 1..768000, or more than 256 times the other.
    """
    lowest, highest = min(from_hz, to_hz), max(from_hz, to_hz)
    if lowest < 1 or highest > 768_000:
        raise InvalidArgumentError(f"rates must be in 1..768000 Hz, got {from_hz} and {to_hz}")
    if highest > 256 * lowest:
        raise InvalidArgumentError(f"one rate may be at most 256 times the other, got {from_hz} and {to_hz} Hz")


class Resampler(nn.Module):
    """Resample a stream, block after block. Scriptable; how the stream is cut changes no bit of the output.

    A polyphase filter over the rates' exact ratio: nothing drifts, and after ``n`` samples in there have been
    ``n * to_hz // from_hz`` samples out. Equal rates are a wire.

    Args:
        from_hz: Rate of the input in Hz, 1..768000.
        to_hz: Rate of the output in Hz, at most 256 times the other or a 256th of it.
        n_channels: Channels of every block.
        quality: In terms of the lower rate, and for 44100 and 48000 Hz: ``"standard"`` passes up to 0.4535 of it, 20
            kHz, and suppresses the images of that by 125 dB; ``"low_latency"`` has a third of the delay, and does that
            for up to 0.4, 17.6 kHz, by 85 dB; ``"high"`` does it for up to 0.476, 21 kHz, in double precision.

    Shape:
        - input: ``(n_channels, n)``, float32, any ``n >= 0``.
        - output: ``(n_channels, m)``, float32: all that is ready, possibly nothing.

    Attributes:
        delay_samples: By how much the output is late, in samples of the output; rarely a whole number.

    Raises:
        InvalidTypeError: A rate or ``n_channels`` is not an integer.
        InvalidArgumentError: A rate is outside its range, ``n_channels`` below 1, or ``quality`` none of the three.
    """

    table: Tensor
    history: Tensor
    state: Tensor

    def __init__(self, from_hz: int, to_hz: int, n_channels: int = 2, quality: str = "standard") -> None:
        super().__init__()
        _check_settings(from_hz, to_hz, quality)
        check_type(n_channels, int, "n_channels must be")
        if n_channels < 1:
            msg = f"n_channels must be at least 1, got {n_channels}"
            raise InvalidArgumentError(msg)
        self.n_channels = n_channels
        self.from_hz, self.to_hz, self.quality = from_hz, to_hz, quality
        table, history, state = torch.ops.neutone.new_resampler(from_hz, to_hz, quality, n_channels)
        self.register_buffer("table", table, persistent=False)
        self.register_buffer("history", history)
        self.register_buffer("state", state)
        self.up, self.down, half_taps = (int(number) for number in state[:3])
        self.delay_samples = half_taps * self.up / self.down - 1.0

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Called by ``load_state_dict``: a stream goes on only with the filter that it began with."""
        other = state_dict.get(f"{prefix}state")
        if other is not None and not torch.equal(other[:5], self.state[:5]):
            error_msgs.append(f"{prefix}state is that of a resampler with other rates or another quality")
            return
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def forward(self, audio: Tensor) -> Tensor:
        """Take in a block and return all output that it makes ready.

        Raises:
            RuntimeError: ``audio`` is not float32 CPU audio of ``n_channels`` channels; the stream is unchanged.
        """
        resampled: Tensor = torch.ops.neutone.resample(audio, self.table, self.history, self.state)
        return resampled

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio and start from silence."""
        torch.ops.neutone.resampler_start(self.down - 1, 0, self.table, self.history, self.state)

    @torch.jit.export
    def sdk_rebuild(self) -> None:
        """Make the operators' state anew, which has another form in portable files."""
        self.table, self.history, self.state = torch.ops.neutone.new_resampler(
            self.from_hz, self.to_hz, self.quality, self.n_channels
        )


def resample(audio: Tensor, from_hz: int, to_hz: int, quality: str = "standard") -> Tensor:
    """Resample a whole signal, without delay: output sample ``m`` belongs to the time ``m / to_hz``.

    Args:
        audio: ``(channels, n)``, float32, CPU, any strides; not written to.
        from_hz: Its rate in Hz.
        to_hz: Rate to return it at; see :class:`Resampler` for the limits and for ``quality``.
        quality: ``"low_latency"``, ``"standard"`` or ``"high"``.

    Returns:
        ``(channels, ceil(n * to_hz / from_hz))``, float32, fresh, without gradients. Silence is taken to lie on either
        side.

    Raises:
        InvalidTypeError: A rate is not an integer.
        InvalidArgumentError: A rate or ``quality`` is not what is allowed.
        InvalidAudioError: ``audio`` has another shape or type.
    """
    _check_settings(from_hz, to_hz, quality)
    if audio.dim() != 2 or audio.size(0) < 1 or audio.dtype != torch.float32:
        msg = f"audio must be float32 of shape (channels, samples), got {dtype_name(audio)} of {list(audio.shape)}"
        raise InvalidAudioError(msg)
    if audio.device.type != "cpu" or audio.layout != torch.strided:
        msg = f"audio must be a dense tensor on the CPU, got {audio.layout} on {audio.device}"
        raise InvalidAudioError(msg)
    audio = audio.detach()
    if from_hz == to_hz:
        return audio.clone(memory_format=torch.contiguous_format)
    table, history, state = torch.ops.neutone.new_resampler(from_hz, to_hz, quality, audio.size(0))
    up, down, half_taps = (int(number) for number in state[:3])
    torch.ops.neutone.resampler_start(half_taps * up - 1, 0, table, history, state)
    # The last samples of output look so far past the end of the input.
    silence_behind = torch.nn.functional.pad(audio, (0, half_taps))
    resampled: Tensor = torch.ops.neutone.resample(silence_behind, table, history, state)
    return resampled[:, : -(-audio.size(1) * up // down)].clone()


def _check_settings(from_hz: int, to_hz: int, quality: str) -> None:
    check_type(from_hz, int, "from_hz must be")
    check_type(to_hz, int, "to_hz must be")
    check_rates(from_hz, to_hz)
    if quality not in QUALITIES:
        msg = f"quality must be one of {', '.join(QUALITIES)}, got {quality!r}"
        raise InvalidArgumentError(msg)
