"""Mel spectrogram of a stream."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk import stft_windows
from neutone_sdk.block_checks import check_counts, check_stream
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.frames import FrameStream
from neutone_sdk.mel_scale import mel_filters
from neutone_sdk.validation import check_type


class CachedMelSpec(nn.Module):
    """Mel spectrogram of a stream, block after block: frames come out when they are complete.

    They are those of `forward_offline`, a whole clip with silence around it, `get_delay_frames` late.

    Args:
        sr: Rate of the audio in Hz.
        n_ch: Channels.
        n_fft: Length of a frame in samples.
        hop_len: From frame to frame in samples, at most ``n_fft``.
        f_min: Where the lowest band begins, in Hz.
        f_max: Where the highest band ends, in Hz; by default half the rate.
        n_mels: Bands. They lie on HTK's mel scale, each a triangle of height 1.
        window_fn: Makes a window of ``n_fft`` samples.
        power: Of the magnitudes that are added up, above 0.
        normalized: Divide the window by the root of the sum of its squares.
        center: Frames have their middle at multiples of ``hop_len``; otherwise they end there, without delay.
        use_debug_mode: Accepted for older code; arguments are always checked.

    Shape:
        - input: ``(n_ch, n)``, float32, any ``n``.
        - output: ``(n_ch, n_mels, frames)``, float32, fresh; ``n // hop_len`` frames if all blocks are whole hops.

    Warns:
        UserWarning: A band is so narrow that it holds no bin of the spectrum: it is always 0.

    Raises:
        InvalidTypeError: An argument is of another type.
        InvalidArgumentError: An argument is outside what is allowed.
    """

    window: Tensor
    analysis: Tensor
    filters: Tensor

    def __init__(
        self,
        sr: int,
        n_ch: int,
        n_fft: int = 2048,
        hop_len: int = 512,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_mels: int = 128,
        window_fn: Callable[..., Tensor] = torch.hann_window,
        power: float = 2.0,
        normalized: bool = False,
        center: bool = True,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__()
        check_counts(1, sr=sr, n_ch=n_ch, n_mels=n_mels)
        stft_windows.check_sizes(n_fft, hop_len)
        f_max = float(sr // 2) if f_max is None else f_max
        _check_scale(sr, f_min, f_max, power)
        window = stft_windows.checked_window(window_fn(n_fft), n_fft)
        if normalized:
            window = (window.double() / window.double().square().sum().sqrt()).float()
        filters = mel_filters(n_fft // 2 + 1, sr, f_min, f_max, n_mels)
        _warn_of_empty_bands(filters)
        end = stft_windows.support(window)[1]
        self.n_ch = n_ch
        self.n_fft = n_fft
        self.hop_len = hop_len
        self.n_mels = n_mels
        self.power = float(power)
        self.center = center
        self.use_debug_mode = use_debug_mode
        self.delay_frames = stft_windows.frames_late(end, n_fft, hop_len, center)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("analysis", window[:end].clone(), persistent=False)
        self.register_buffer("filters", filters, persistent=False)
        self.stream = FrameStream(n_ch, end, hop_len, stft_windows.lag_of(end, n_fft, hop_len, center))

    def forward(self, x: Tensor) -> Tensor:
        """Take in a block and return the frames that it completes; see the class for shapes.

        Raises:
            InvalidTypeError: ``x`` is not float32, or not where the module is.
            InvalidAudioError: ``x`` has another shape.
        """
        check_stream(x, self.n_ch, self.analysis)
        frames = self.stream(x)
        if frames.size(1) == 0:
            return x.new_empty(self.n_ch, self.n_mels, 0)
        return self._to_mel(torch.fft.rfft(frames * self.analysis, self.n_fft))

    @torch.jit.export
    def forward_offline(self, x: Tensor) -> Tensor:
        """Return the spectrogram of a whole clip, for training; the stream is left alone.

        Returns:
            ``(n_ch, n_mels, n // hop_len + 1)``, the first frame centred at the first sample; without ``center``
            ``(n_ch, n_mels, n // hop_len)``, the first frame ending behind the first hop.

        Raises:
            InvalidTypeError: ``x`` is not float32, or not where the module is.
            InvalidAudioError: ``x`` has another shape.
        """
        check_stream(x, self.n_ch, self.analysis)
        spectra = stft_windows.offline_frames(x, self.window, self.hop_len, self.center)
        return self._to_mel(spectra.transpose(1, 2))

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return `get_delay_frames` in samples: with a window that divides so, ``n_fft // 2 - hop_len``."""
        return self.delay_frames * self.hop_len

    @torch.jit.export
    def get_delay_frames(self) -> int:
        """Return how many frames come out of a stream before the one that is first in `forward_offline`."""
        return self.delay_frames

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many samples one frame depends on."""
        return self.stream.frame_samples

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.stream.reset()

    def prepare_for_inference(self) -> None:
        """Forget all audio, and leave training mode."""
        self.reset()
        self.eval()

    def _to_mel(self, spectra: Tensor) -> Tensor:
        """Turn ``(n_ch, frames, bins)``, complex, into ``(n_ch, n_mels, frames)``."""
        values = spectra.abs()
        if self.power != 1.0:
            values = values.pow(self.power)
        return torch.matmul(values, self.filters).transpose(1, 2).contiguous()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """Ignore what 1.x saved: its cache, and what follows from the arguments."""
        for name in ("padding", "mel_spec.spectrogram.window", "mel_spec.mel_scale.fb"):
            state_dict.pop(prefix + name, None)
        super()._load_from_state_dict(state_dict, prefix, *others)


def _check_scale(sr: int, f_min: float, f_max: float, power: float) -> None:
    for name, value in (("f_min", f_min), ("f_max", f_max), ("power", power)):
        check_type(value, float, f"{name} must be")
    if not 0.0 <= f_min < f_max <= sr / 2:
        msg = f"f_min and f_max must be 0 <= f_min < f_max <= {sr / 2}, half the rate, got {f_min} and {f_max}"
        raise InvalidArgumentError(msg)
    if not 0.0 < power < math.inf:
        msg = f"power must be above 0, got {power}"
        raise InvalidArgumentError(msg)


def _warn_of_empty_bands(filters: Tensor) -> None:
    n_empty = int((filters.amax(dim=0) == 0.0).sum())
    if n_empty > 0:
        msg = (
            f"{n_empty} of {filters.size(1)} mel bands hold no bin of the spectrum and are always 0; "
            "choose fewer n_mels, or a longer n_fft"
        )
        warnings.warn(msg, UserWarning, stacklevel=3)
