"""Audio as a pair of samples and rate, from and to files and texts."""

import base64
import io
import warnings
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.files import check_writable, open_file, write_atomically
from neutone_sdk.validation import check_audio

if TYPE_CHECKING:
    import soundfile

_DEFAULT_SAMPLES = ("plucked_string.flac", "drum_loop.flac", "pad.flac")
_BLOCK_SAMPLES: Final = 4096  # read and written at once
_UNKNOWN_LENGTH: Final = 2**63 - 1  # libsndfile's, of files that were written as a stream


class _Format(NamedTuple):
    """What loses the least in a kind of file, and the rates in Hz that its encoder takes."""

    subtype: str
    takes: Callable[[int], bool]
    rates: str


_MP3_RATES_HZ: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_FORMATS: Final = {
    "WAV": _Format("FLOAT", lambda hz: hz < 2**31, "below 2147483648"),
    "FLAC": _Format("PCM_24", lambda hz: hz < 2**16 or (hz <= 655_350 and hz % 10 == 0), "to 65535, or tens to 655350"),
    "OGG": _Format("VORBIS", lambda hz: hz <= 200_000, "to 200000"),  # above, libsndfile crashes
    "MP3": _Format("MPEG_LAYER_III", _MP3_RATES_HZ.__contains__, ", ".join(map(str, _MP3_RATES_HZ))),
}


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

    def to_mp3_bytes(self) -> bytes:
        """Return the clip as an MP3 file. MP3 knows rates up to 48 kHz only.

        Raises:
            InvalidArgumentError: The rate is not one of MP3's.
        """
        return _encoded(self, "MP3")

    def to_mp3_b64(self) -> str:
        """Return the clip as an MP3 file in base 64."""
        return base64.b64encode(self.to_mp3_bytes()).decode("ascii")

    def to_file(self, path: Path | str) -> None:
        """Write the clip, whole or not at all, in the format of the ending: wav (float), flac (24 bits), ogg or mp3.

        Raises:
            InvalidArgumentError: The ending is another, or the format does not know the rate.
            ExportError: The file cannot be written; what was there before stays.
        """
        write_atomically({Path(path): _encoded(self, _format_of(Path(path)))})

    @classmethod
    def from_bytes(cls, content: bytes) -> "AudioSample":
        """Return the audio in a file of any format that libsndfile reads (WAV, FLAC, OGG, MP3, ...).

        Warns:
            UserWarning: The file ends before what it announces, or is damaged; the audio before that is returned.

        Raises:
            InvalidFileError: It is none, holds no audio, or has more than two channels.
        """
        return cls._read(io.BytesIO(content), "the content")

    @classmethod
    def from_file(cls, path: Path | str) -> "AudioSample":
        """Return the audio in a file, as `from_bytes` does."""
        with open_file(Path(path)) as file:
            return cls._read(file, str(path))

    @classmethod
    def from_b64(cls, text: str) -> "AudioSample":
        """Return the audio in a file in base 64, as `from_bytes` does."""
        try:
            content = base64.b64decode(text)
        except ValueError as error:
            msg = f"the text is not base 64: {error}"
            raise InvalidFileError(msg) from error
        return cls._read(io.BytesIO(content), "the content")

    @classmethod
    def _read(cls, source: BinaryIO, name: str) -> "AudioSample":
        import soundfile  # noqa: PLC0415  # not everybody who imports the package reads files

        try:
            with soundfile.SoundFile(source) as file:
                if file.channels > 2:
                    msg = f"{name} must hold mono or stereo audio, got {file.channels} channels"
                    raise InvalidFileError(msg)
                return cls(_samples(file, name), file.samplerate)
        except (soundfile.SoundFileError, TypeError) as error:  # TypeError: .raw, which says nothing of itself
            msg = f"{name} is not audio that can be read: {getattr(error, 'error_string', error)}"
            raise InvalidFileError(msg) from error


class AudioSamplePair:
    """What went into a model, and what came out."""

    def __init__(self, input: AudioSample, output: AudioSample) -> None:  # noqa: A002  # the 1.x name
        self.input = input
        self.output = output

    def to_metadata_format(self) -> Mapping[str, str]:
        """Return both as MP3 files in base 64, under ``in`` and ``out``."""
        return {"in": self.input.to_mp3_b64(), "out": self.output.to_mp3_b64()}


def get_default_audio_samples() -> list[AudioSample]:
    """Return three clips that ship with the package: a plucked string, a drum loop and a pad, 4-5 s each."""
    folder = resources.files("neutone_sdk") / "assets" / "samples"
    return [AudioSample.from_bytes((folder / name).read_bytes()) for name in _DEFAULT_SAMPLES]


def check_target(path: Path, rate_hz: int) -> None:
    """Raise what `AudioSample.to_file` would, before the work that makes the audio.

    Raises:
        InvalidArgumentError: See `AudioSample.to_file`.
        ExportError: See `AudioSample.to_file`.
    """
    _check_rate(_format_of(path), rate_hz)
    check_writable(path)


def _format_of(path: Path) -> str:
    file_format = path.suffix[1:].upper()
    if file_format not in _FORMATS:
        msg = f"{path}: the ending must be one of {', '.join(kind.lower() for kind in _FORMATS)}"
        raise InvalidArgumentError(msg)
    return file_format


def _check_rate(file_format: str, rate_hz: int) -> None:
    known = _FORMATS[file_format]
    if not known.takes(rate_hz):
        msg = f"{file_format} knows the rates {known.rates} Hz, got {rate_hz}; resample the audio, or choose WAV"
        raise InvalidArgumentError(msg)


def _encoded(sample: AudioSample, file_format: str) -> bytes:
    import soundfile  # noqa: PLC0415

    _check_rate(file_format, sample.sr)
    buffer, subtype = io.BytesIO(), _FORMATS[file_format].subtype
    try:
        with soundfile.SoundFile(
            buffer, "w", sample.sr, channels=sample.audio.size(0), subtype=subtype, format=file_format
        ) as file:
            for block in sample.audio.split(_BLOCK_SAMPLES, dim=1):  # libsndfile's OGG encoder crashes on large blocks
                file.write(block.T.numpy())
    except soundfile.SoundFileError as error:
        msg = f"libsndfile cannot encode {file_format}: {error}; choose WAV"
        raise ExportError(msg) from error
    return buffer.getvalue()


def _samples(file: "soundfile.SoundFile", name: str) -> Tensor:
    """Return ``(channels, n)``. Headers may lie about the length: only what is there takes up memory."""
    file.seekable = lambda: False  # soundfile would seek after each block, which fails where the length is wrong
    blocks: list[np.ndarray] = []
    damage = ""
    try:
        while len(block := file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)):
            blocks.append(block)
    except RuntimeError as error:
        damage = f" ({error})"
    n_samples, announced, is_known = sum(map(len, blocks)), file.frames, file.frames < _UNKNOWN_LENGTH
    problem = f"{name} must hold mono or stereo audio, got 0 samples"
    if damage or (is_known and n_samples < announced):
        of_all = announced if is_known else "an unknown number of"
        problem = f"{name} ends early or is damaged{damage}: {n_samples} of {of_all} samples can be read"
        if blocks:
            warnings.warn(problem, UserWarning, stacklevel=4)
    if not blocks:
        raise InvalidFileError(problem)
    return torch.from_numpy(np.concatenate(blocks).T.copy())
