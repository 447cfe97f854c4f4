"""Clips of audio: from and to files and texts, alone and in pairs, and what a model makes of them."""

import base64
import io
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_sdk.audio_formats import MP3_QUALITY, MP3_RATES_HZ, decode, encode, format_of
from neutone_sdk.errors import InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.files import open_file, write_atomically
from neutone_sdk.rendering import render
from neutone_sdk.streaming.resampler import check_rates, resample
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper
from neutone_sdk.streaming.schedule import select_best_model_sr
from neutone_sdk.validation import check_audio, check_type
from neutone_sdk.waveform import WaveformToWaveformBase

Playable = WaveformToWaveformBase | SampleQueueWrapper | ScriptModule

_DEFAULT_SAMPLES = ("plucked_string.flac", "drum_loop.flac", "pad.flac")
_BLOCK_SAMPLES: Final = 512  # a usual host's; of models with sizes of their own the next larger


class AudioSample:
    """A clip of audio.

    Args:
        audio: ``(1 or 2, n)``, float32.
        sr: Rate in Hz.

    Raises:
        InvalidTypeError: ``audio`` is no tensor or not float32, or ``sr`` is no integer.
        InvalidArgumentError: ``audio`` has another shape, or ``sr`` is not positive.
    """

    def __init__(self, audio: Tensor, sr: int) -> None:
        if not isinstance(audio, Tensor):
            msg = f"audio must be a torch.Tensor, got {type(audio).__name__}; convert it with torch.as_tensor"
            raise InvalidTypeError(msg)
        check_audio(audio)
        if not isinstance(sr, int) or isinstance(sr, bool):
            msg = f"sr must be a whole number of Hz, got {sr!r}"
            raise InvalidTypeError(msg)
        if sr < 1:
            msg = f"sr must be above 0 Hz, got {sr}"
            raise InvalidArgumentError(msg)
        self.audio = audio
        self.sr = sr

    def is_mono(self) -> bool:
        """Return whether there is one channel."""
        return self.audio.size(0) == 1

    def to_mp3_bytes(self, quality: float = MP3_QUALITY) -> bytes:
        """Return the clip as an MP3 file. MP3 knows rates up to 48 kHz only.

        Args:
            quality: From 0, the smallest file, to 1, the best. The bitrate varies with the sound.

        Raises:
            InvalidTypeError: ``quality`` is no number.
            InvalidArgumentError: ``quality`` is not in 0..1, the rate is not one of MP3's, or a sample is no number or
                louder than 1000 times full scale.
        """
        return encode(self.audio, self.sr, "MP3", quality)

    def to_mp3_b64(self, quality: float = MP3_QUALITY) -> str:
        """Return the clip as an MP3 file in base 64; see `to_mp3_bytes`."""
        return base64.b64encode(self.to_mp3_bytes(quality)).decode("ascii")

    def to_file(self, path: Path | str) -> None:
        """Write the clip, whole or not at all, in the format of the ending: wav (float), flac (24 bits), ogg or mp3.

        Raises:
            InvalidArgumentError: The ending is another, or the format does not know the rate or the amplitude: only wav
                takes what is no number, ogg nothing above 100 times full scale, mp3 nothing above 1000 times.
            ExportError: The file cannot be written; what was there before stays.
        """
        write_atomically({Path(path): encode(self.audio, self.sr, format_of(Path(path)))})

    @classmethod
    def from_bytes(cls, content: bytes) -> "AudioSample":
        """Return the audio in a file of any format that libsndfile reads (WAV, FLAC, OGG, MP3, ...).

        Warns:
            UserWarning: The file ends before what it announces, or is damaged; the audio before that is returned.

        Raises:
            InvalidFileError: It is none, holds no audio, or has more than two channels.
        """
        return cls(*decode(io.BytesIO(content), "the content"))

    @classmethod
    def from_file(cls, path: Path | str) -> "AudioSample":
        """Return the audio in a file, as `from_bytes` does."""
        with open_file(Path(path)) as file:
            return cls(*decode(file, str(path)))

    @classmethod
    def from_b64(cls, text: str) -> "AudioSample":
        """Return the audio in a file in base 64, as `from_bytes` does."""
        try:
            content = base64.b64decode(text)
        except ValueError as error:
            msg = f"the text is not base 64: {error}"
            raise InvalidFileError(msg) from error
        return cls(*decode(io.BytesIO(content), "the content"))


class AudioSamplePair:
    """What went into a model, and what came out.

    Raises:
        InvalidTypeError: One of them is no `AudioSample`.
    """

    def __init__(self, input: AudioSample, output: AudioSample) -> None:  # noqa: A002  # the 1.x name
        check_type(input, AudioSample, "input must be")
        check_type(output, AudioSample, "output must be")
        self.input = input
        self.output = output

    def to_metadata_format(self, quality: float = MP3_QUALITY) -> Mapping[str, str]:
        """Return both as MP3 files in base 64, under ``in`` and ``out``.

        What has a rate that MP3 does not know is resampled, to 44100 Hz if its own is a multiple of 11025, else to
        48000 Hz. Raises as `AudioSample.to_mp3_bytes` does.
        """
        return {
            "in": _at_mp3_rate(self.input).to_mp3_b64(quality),
            "out": _at_mp3_rate(self.output).to_mp3_b64(quality),
        }


def get_default_audio_samples() -> list[AudioSample]:
    """Return three clips that ship with the package: a plucked string, a drum loop and a pad, 4-5 s each."""
    folder = resources.files("neutone_sdk") / "assets" / "samples"
    return [AudioSample.from_bytes((folder / name).read_bytes()) for name in _DEFAULT_SAMPLES]


def render_audio_sample(
    model: Playable,
    input_sample: AudioSample,
    params: Tensor | None = None,
    text_params: list[str] | None = None,
    tokens_params: list[list[int]] | None = None,
    output_sr: int = 44100,
) -> AudioSample:
    """Play a clip through a model, from silence, as a host at a rate that is native to the model, without latency.

    That rate is the clip's own if the model takes it, else the native one nearest to it. The model is left set up for
    it, and reset.

    Args:
        model: A wrapper, a wrapper in its queue, or what `load_neutone_model` returns.
        input_sample: The clip. Models that hear mono get the mean of its channels, others a mono clip on both.
        params: None for the defaults, or knobs: ``(4,)`` or ``(4, 1)``, one value each, or ``(4, n)``, one for each
            sample of the clip; float32, 0..1.
        text_params: For models that render whole clips.
        tokens_params: For models that render whole clips.
        output_sr: Rate to return, in Hz.

    Returns:
        A clip that lasts as long as the input, mono or stereo as the model plays.

    Raises:
        InvalidTypeError: An argument is of another type.
        InvalidArgumentError: Audio, params or rates are not what the model can play, or there are texts or tokens.
        ModelOutputError: The model failed.
    """
    check_type(input_sample, AudioSample, "input_sample must be")
    check_type(output_sr, int, "output_sr must be")
    for name, values in (("text_params", text_params), ("tokens_params", tokens_params)):
        if values:
            msg = f"{name} are for models that render whole clips, this one plays in real time; leave them out"
            raise InvalidArgumentError(msg)
    queue = _queued(model, input_sample.sr)
    host_hz = select_best_model_sr(input_sample.sr, queue.get_native_sample_rates())
    return play(queue, input_sample, host_hz, output_sr, params)


def play(
    model: SampleQueueWrapper | ScriptModule,
    clip: AudioSample,
    host_hz: int,
    output_hz: int,
    params: Tensor | None = None,
    on_progress: Callable[[int], bool | None] | None = None,
) -> AudioSample:
    """Play a clip as `render_audio_sample` does, as a host of any rate.

    ``on_progress`` may stop it, as in `render`: then what has been played until then is returned.
    """
    check_rates(clip.sr, host_hz)
    check_rates(host_hz, output_hz)
    audio = resample(clip.audio, clip.sr, host_hz, quality="high")
    if audio.size(0) == 1 and not (model.is_input_mono() and model.is_output_mono()):
        audio = audio.expand(2, -1)
    if params is not None:
        params = _at_host_rate(params, clip, host_hz, audio.size(1))
    sizes = model.get_native_buffer_sizes() or [_BLOCK_SAMPLES]
    size = min((size for size in sizes if size >= _BLOCK_SAMPLES), default=max(sizes))
    played = render(model, audio, params, sample_rate_hz=host_hz, buffer_size=size, on_progress=on_progress)
    if model.is_output_mono():
        played = played[:1]
    n_samples = -(-clip.audio.size(1) * output_hz // clip.sr)  # resampling twice, each rounded up, may add one
    return AudioSample(resample(played, host_hz, output_hz, quality="high")[:, :n_samples], output_hz)


def _queued(model: Playable, rate_hz: int) -> SampleQueueWrapper | ScriptModule:
    if isinstance(model, WaveformToWaveformBase):
        return SampleQueueWrapper(model, daw_sr=select_best_model_sr(rate_hz, model.get_native_sample_rates()))
    if isinstance(model, SampleQueueWrapper) or (
        isinstance(model, ScriptModule)
        and hasattr(model, "set_daw_sample_rate_and_buffer_size")
        and getattr(model, "realtime", True)
    ):
        return model
    msg = (
        "model must be a WaveformToWaveformBase, a SampleQueueWrapper, or a real-time model that load_neutone_model "
        f"returned, got {type(model).__name__}"
    )
    raise InvalidTypeError(msg)


def _at_host_rate(params: Tensor, clip: AudioSample, host_hz: int, n_samples: int) -> Tensor:
    """Curves hold each value until the next: between two choices of a menu there is nothing."""
    if params.dim() == 1:
        return params[:, None]
    if params.dim() != 2 or params.size(1) != clip.audio.size(1) or host_hz == clip.sr:
        return params
    return params[:, torch.arange(n_samples) * clip.sr // host_hz]


def _at_mp3_rate(sample: AudioSample) -> AudioSample:
    if sample.sr in MP3_RATES_HZ:
        return sample
    rate_hz = 44_100 if sample.sr % 11_025 == 0 else 48_000
    return AudioSample(resample(sample.audio, sample.sr, rate_hz, quality="high"), rate_hz)
