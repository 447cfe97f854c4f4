"""Audio as a pair of samples and rate, from and to files and texts."""

import base64
import binascii
import io
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from neutone_sdk.errors import InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.validation import check_audio

_DEFAULT_SAMPLES = ("plucked_string.flac", "drum_loop.flac", "pad.flac")


class AudioSample:
    """A clip of audio.

    Args:
        audio: ``(1 or 2, n)``, float32.
        sr: Rate in Hz.

    Raises:
        InvalidTypeError: ``audio`` is not float32, or ``sr`` is no integer.
        InvalidArgumentError: ``audio`` has another shape, or ``sr`` is not positive.
    """

    def __init__(self, audio: Tensor, sr: int) -> None:
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

    def to_mp3_bytes(self) -> bytes:
        """Return the clip as an MP3 file. MP3 knows rates up to 48 kHz only.

        Raises:
            InvalidArgumentError: The rate is not one of MP3's.
        """
        import soundfile  # noqa: PLC0415  # not everybody who imports the package reads files

        if not soundfile.check_format("MP3", "MPEG_LAYER_III") or self.sr not in _MP3_RATES_HZ:
            msg = f"MP3 knows the rates {_MP3_RATES_HZ} Hz, got {self.sr}"
            raise InvalidArgumentError(msg)
        buffer = io.BytesIO()
        soundfile.write(buffer, self.audio.T.numpy(), self.sr, format="MP3", subtype="MPEG_LAYER_III")
        return buffer.getvalue()

    def to_mp3_b64(self) -> str:
        """Return the clip as an MP3 file in base 64."""
        return base64.b64encode(self.to_mp3_bytes()).decode("ascii")

    @classmethod
    def from_bytes(cls, content: bytes) -> "AudioSample":
        """Return the audio in a file of any format that libsndfile reads (WAV, FLAC, OGG, MP3, ...).

        Raises:
            InvalidFileError: It is none, or has more than two channels.
        """
        return cls._read(io.BytesIO(content), "the content")

    @classmethod
    def from_file(cls, path: Path | str) -> "AudioSample":
        """Return the audio in a file, as `from_bytes` does."""
        if not Path(path).is_file():
            msg = f"{path} is not a file"
            raise InvalidFileError(msg)
        return cls._read(str(path), str(path))

    @classmethod
    def from_b64(cls, text: str) -> "AudioSample":
        """Return the audio in a file in base 64, as `from_bytes` does."""
        try:
            return cls.from_bytes(base64.b64decode(text))
        except binascii.Error as error:
            msg = f"the text is not base 64: {error}"
            raise InvalidFileError(msg) from error

    @classmethod
    def _read(cls, source: io.BytesIO | str, name: str) -> "AudioSample":
        import soundfile  # noqa: PLC0415

        try:
            frames, rate_hz = soundfile.read(source, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            msg = f"{name} is not audio that can be read: {error}"
            raise InvalidFileError(msg) from error
        if frames.shape[1] > 2 or frames.shape[0] == 0:
            msg = f"{name} must hold mono or stereo audio, got {frames.shape[1]} channels, {frames.shape[0]} samples"
            raise InvalidFileError(msg)
        return cls(torch.from_numpy(frames.T.copy()), rate_hz)


class AudioSamplePair:
    """What went into a model, and what came out."""

    def __init__(self, input: AudioSample, output: AudioSample) -> None:  # noqa: A002  # the 1.x name
        self.input = input
        self.output = output

    def to_metadata_format(self) -> Mapping[str, str]:
        """Return both as MP3 files in base 64, under ``in`` and ``out``."""
        return {"in": self.input.to_mp3_b64(), "out": self.output.to_mp3_b64()}


_MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def get_default_audio_samples() -> list[AudioSample]:
    """Return three clips that ship with the package: a plucked string, a drum loop and a pad, 4-5 s each."""
    folder = resources.files("neutone_sdk") / "assets" / "samples"
    return [AudioSample.from_bytes((folder / name).read_bytes()) for name in _DEFAULT_SAMPLES]
