"""Short-time Fourier transform of a stream, for models that work on spectrograms, and the way back to audio."""

import math

import torch
from torch import Tensor, nn

from neutone_sdk import stft_windows
from neutone_sdk.block_checks import check_counts, check_stream
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError
from neutone_sdk.frames import FrameStream, FrameSum, reach_samples
from neutone_sdk.validation import check_type


class RealtimeSTFT(nn.Module):
    """Turns a stream into spectrograms and back; a model that changes nothing gives the input, delayed.

    Each block of ``io_n_samples`` brings ``io_n_samples // hop_len`` frames. `audio_to_spec` returns the latest
    ``model_io_n_frames``, for a model to have context. `spec_to_audio` takes the same shape and overlap-adds the newest
    ones, each once: what a model does to the others has no effect, so its output has no seams.

    Args:
        model_io_n_frames: Frames of a spectrogram.
        io_n_ch: Channels of the audio.
        io_n_samples: Samples of a block, a multiple of ``hop_len`` up to ``model_io_n_frames * hop_len``.
        n_fft: Length of a frame; it has ``n_fft // 2 + 1`` bins.
        hop_len: From frame to frame, at most ``n_fft``.
        window: ``(n_fft,)``; by default Hann's. With its shifts by ``hop_len`` it must vanish nowhere.
        center: Frames have their middle at multiples of ``hop_len``, as in ``torch.stft``; otherwise they end there.
            In a stream that is the same if ``hop_len`` divides ``n_fft // 2``.
        power: Of the magnitudes that make the spectrogram, at least 1. None: the real parts.
        logarithmize: Take the decadic logarithm, of ``eps`` where the spectrogram is less.
        ensure_pos_spec: Subtract ``log10(eps)`` from the logarithms, so that they are not negative.
        use_phase_info: Give the output the phases (with ``power=None`` the imaginary parts) of the input; otherwise 0.
        fade_n_samples: Accepted for older code, without effect: frames that overlap fade into each other anyway.
        eps: The least value under the logarithm.
        use_debug_mode: Accepted for older code; arguments are always checked.

    Attributes:
        io_n_samples, io_n_frames: Samples of a block, and frames that it brings.
        n_bins: ``n_fft // 2 + 1``.
        model_io_shape: ``(io_n_ch, n_bins, model_io_n_frames)``, of the spectrograms.

    Raises:
        InvalidTypeError: An argument is of another type.
        InvalidArgumentError: An argument is outside what is allowed.
    """

    power: float | None
    window: Tensor
    analysis: Tensor
    synthesis: Tensor
    context: Tensor
    spectra: Tensor
    n_new_frames: Tensor

    def __init__(
        self,
        model_io_n_frames: int = 16,
        io_n_ch: int = 2,
        io_n_samples: int = 512,
        n_fft: int = 2048,
        hop_len: int = 512,
        window: Tensor | None = None,
        center: bool = True,
        power: float | None = 1.0,
        logarithmize: bool = True,
        ensure_pos_spec: bool = True,
        use_phase_info: bool = True,
        fade_n_samples: int = 0,
        eps: float = 1e-8,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__()
        check_counts(1, model_io_n_frames=model_io_n_frames, io_n_ch=io_n_ch)
        check_counts(0, fade_n_samples=fade_n_samples)
        stft_windows.check_sizes(n_fft, hop_len)
        _check_scale(power, logarithmize, eps)
        self.use_debug_mode = use_debug_mode
        self.model_io_n_frames = model_io_n_frames
        self.io_n_ch = io_n_ch
        self.n_fft = n_fft
        self.hop_len = hop_len
        self.center = center
        self.power = None if power is None else float(power)
        self.logarithmize = logarithmize
        self.ensure_pos_spec = ensure_pos_spec
        self.use_phase_info = use_phase_info
        self.fade_n_samples = fade_n_samples
        self.eps = float(eps)
        self.log10_eps = math.log10(eps) if logarithmize else 0.0
        self.n_bins = n_fft // 2 + 1
        self.model_io_shape = (io_n_ch, self.n_bins, model_io_n_frames)
        self.register_buffer("context", torch.zeros(self.model_io_shape), persistent=False)
        spectra = torch.zeros(io_n_ch, model_io_n_frames, self.n_bins, dtype=torch.complex64)
        self.register_buffer("spectra", spectra, persistent=False)
        self.register_buffer("n_new_frames", torch.tensor(0), persistent=False)
        self._use_window(torch.hann_window(n_fft) if window is None else window)
        check_type(io_n_samples, int, "io_n_samples must be")
        self.set_buffer_size(io_n_samples)

    @property
    def io_n_samples(self) -> int:
        """Samples of a block."""
        return int(self.n_new_frames) * self.hop_len

    @property
    def io_n_frames(self) -> int:
        """Frames that a block brings."""
        return int(self.n_new_frames)

    @torch.jit.export
    def set_buffer_size(self, io_n_samples: int) -> None:
        """Expect blocks of ``io_n_samples``, and forget all audio.

        Raises:
            InvalidArgumentError: It is none of `calc_supported_buffer_sizes`.
        """
        if io_n_samples not in self.calc_supported_buffer_sizes():
            raise InvalidArgumentError(
                f"io_n_samples must be a multiple of hop_len, {self.hop_len}, from it to model_io_n_frames times it, "
                f"{self.calc_max_buffer_size()}, got {io_n_samples}"
            )
        self.n_new_frames.fill_(io_n_samples // self.hop_len)
        self.reset()

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """Return by how many samples the output is late: where the window is not 0, without one hop.

        So it is ``n_fft - hop_len``, or, as Hann's window begins with a 0, one less. Centred frames wait for the next
        multiple of ``hop_len`` besides, if it does not divide ``n_fft // 2``.
        """
        return self.sums.get_delay_samples()

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return the same as `calc_model_delay_samples`."""
        return self.sums.get_delay_samples()

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many samples of the input one of the output depends on, if the model keeps to single frames."""
        return reach_samples(self.sums.frame_samples, self.hop_len)

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.stream.reset()
        self.sums.reset()
        self.spectra.zero_()
        silence = self.log10_eps if self.logarithmize and not self.ensure_pos_spec else 0.0
        self.context.fill_(silence)

    @torch.jit.export
    def calc_min_buffer_size(self) -> int:
        """Return the shortest possible block, in samples."""
        return self.hop_len

    @torch.jit.export
    def calc_max_buffer_size(self) -> int:
        """Return the longest possible block, in samples."""
        return self.model_io_n_frames * self.hop_len

    @torch.jit.export
    def calc_supported_buffer_sizes(self) -> list[int]:
        """Return all possible lengths of a block, in samples; a wrapper's ``get_native_buffer_sizes``."""
        return [n_frames * self.hop_len for n_frames in range(1, self.model_io_n_frames + 1)]

    @torch.jit.export
    def audio_to_spec(self, audio: Tensor) -> Tensor:
        """Take in the next block.

        Args:
            audio: ``(io_n_ch, io_n_samples)``, float32.

        Returns:
            The spectrogram of the latest frames, ``(io_n_ch, n_bins, model_io_n_frames)``, oldest first; the caller's
            to change. They are those of `audio_to_spec_offline`, and before them silence.

        Raises:
            InvalidTypeError: ``audio`` is not float32, or not where the module is.
            InvalidAudioError: ``audio`` has another shape.
        """
        check_stream(audio, self.io_n_ch, self.window)
        n_new = int(self.n_new_frames)
        if audio.size(1) != n_new * self.hop_len:
            raise InvalidAudioError(
                f"audio must have shape ({self.io_n_ch}, {n_new * self.hop_len}), got {list(audio.shape)}; call "
                "set_buffer_size for blocks of another length"
            )
        spectra = torch.fft.rfft(self.stream(audio) * self.analysis, self.n_fft)
        self.spectra.narrow(1, 0, n_new).copy_(spectra.detach())
        frames = self._to_values(spectra).transpose(1, 2)
        spec = torch.cat([self.context.narrow(2, n_new, self.model_io_n_frames - n_new), frames], dim=2)
        self.context.copy_(spec.detach())
        return spec

    @torch.jit.export
    def spec_to_audio(self, spec: Tensor) -> Tensor:
        """Give out the next block.

        Args:
            spec: ``(io_n_ch, n_bins, model_io_n_frames)``, float32, in the scale of `audio_to_spec`.

        Returns:
            ``(io_n_ch, io_n_samples)``, fresh.

        Raises:
            InvalidAudioError: ``spec`` has another shape.
        """
        if list(spec.shape) != list(self.model_io_shape):
            raise InvalidAudioError(
                f"spec must have shape {list(self.model_io_shape)}, as audio_to_spec returns it, got {list(spec.shape)}"
            )
        n_new = int(self.n_new_frames)
        values = spec.narrow(2, self.model_io_n_frames - n_new, n_new).transpose(1, 2)
        spectra = self._to_spectra(values, self.spectra.narrow(1, 0, n_new))
        frames = torch.fft.irfft(spectra, self.n_fft).narrow(2, self.first, self.synthesis.size(0))
        return self.sums(frames * self.synthesis, self.stream.lag_samples, n_new * self.hop_len)

    def audio_to_spec_offline(self, audio: Tensor) -> Tensor:
        """Return the spectrogram of a whole clip with silence around it, for training. In Python only.

        Args:
            audio: ``(io_n_ch, n)``, float32.

        Returns:
            ``(io_n_ch, n_bins, n // hop_len + 1)``, the first frame centred at the first sample; without ``center``
            ``(io_n_ch, n_bins, n // hop_len)``, the first frame ending behind the first hop.

        Raises:
            InvalidTypeError: ``audio`` is not float32, or not where the module is.
            InvalidAudioError: ``audio`` has another shape.
        """
        check_stream(audio, self.io_n_ch, self.window)
        return self._to_values(stft_windows.offline_frames(audio, self.window, self.hop_len, self.center))

    def _to_values(self, spectra: Tensor) -> Tensor:
        power = self.power
        if power is None:
            return torch.real(spectra)
        values = spectra.abs()
        if power != 1.0:
            values = values.pow(power)
        if self.logarithmize:
            values = values.clamp(min=self.eps).log10()
            if self.ensure_pos_spec:
                values = values - self.log10_eps
        return values

    def _to_spectra(self, values: Tensor, inputs: Tensor) -> Tensor:
        power = self.power
        if power is None:
            return torch.complex(values, torch.imag(inputs) if self.use_phase_info else torch.zeros_like(values))
        if self.logarithmize:
            # 10 ** values, as exp: torch has no fast pow of a number to a tensor.
            offset = self.log10_eps if self.ensure_pos_spec else 0.0
            values = ((values + offset) * math.log(10.0)).exp()
        if power != 1.0:
            values = values.clamp(min=0.0).pow(1.0 / power)
        if not self.use_phase_info:
            return torch.complex(values, torch.zeros_like(values))
        magnitudes = inputs.abs()
        is_zero = magnitudes == 0.0  # has phase 0
        return (inputs + is_zero) * (values / (magnitudes + is_zero))

    def _use_window(self, window: Tensor) -> None:
        """Make what follows from the window, before anything is scripted."""
        window = stft_windows.checked_window(window, self.n_fft)
        dual = stft_windows.dual_window(window, self.hop_len)
        self.first, end = stft_windows.support(window)
        lag = stft_windows.lag_of(end, self.n_fft, self.hop_len, self.center)
        self.register_buffer("window", window)
        self.register_buffer("analysis", window[:end].clone(), persistent=False)
        self.register_buffer("synthesis", dual[self.first : end].clone(), persistent=False)
        self.stream = FrameStream(self.io_n_ch, end, self.hop_len, lag)
        self.sums = FrameSum(self.io_n_ch, end - self.first, self.hop_len, self.hop_len - lag)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *others: object) -> None:
        if f"{prefix}window" in state_dict:
            self._use_window(state_dict[f"{prefix}window"])
        super()._load_from_state_dict(state_dict, prefix, *others)


def _check_scale(power: float | None, logarithmize: bool, eps: float) -> None:
    check_type(eps, float, "eps must be")
    if power is not None:
        check_type(power, float, "power must be None or")
        if not 1.0 <= power < math.inf:
            msg = f"power must be None or at least 1, got {power}"
            raise InvalidArgumentError(msg)
    elif logarithmize:
        msg = "power=None makes a spectrogram of real parts, of which half are negative; pass logarithmize=False"
        raise InvalidArgumentError(msg)
    if not 0.0 < eps < math.inf:
        msg = f"eps must be above 0, got {eps}"
        raise InvalidArgumentError(msg)
