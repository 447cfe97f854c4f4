"""Audio to and from the bytes of files: WAV, FLAC, OGG, MP3, and to read whatever else libsndfile knows."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.files import check_writable

if TYPE_CHECKING:
    import soundfile

MP3_RATES_HZ: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MP3_QUALITY: Final = 0.8  # LAME's V2, which few people tell from the original

_BLOCK_SAMPLES: Final = 4096  # read and written at once
_UNKNOWN_LENGTH: Final = 2**63 - 1  # libsndfile's, of files that were written as a stream
_LARGEST_LEVEL: Final = 0.99  # at 1 LAME refuses


class _Format(NamedTuple):
    """What loses the least in a kind of file, and the rates in Hz and amplitudes that its encoder takes."""

    subtype: str
    takes: Callable[[int], bool]
    rates: str
    peak: float | None


_FORMATS: Final = {
    "WAV": _Format("FLOAT", lambda hz: hz < 2**31, "below 2147483648", None),
    "FLAC": _Format(
        "PCM_24", lambda hz: hz < 2**16 or (hz <= 655_350 and hz % 10 == 0), "to 65535, or tens to 655350", np.inf
    ),
    # Above that rate libsndfile crashes; above that peak Vorbis plays something else.
    "OGG": _Format("VORBIS", lambda hz: hz <= 200_000, "to 200000", 1e2),
    # Far above that peak, and with what is no finite number, LAME ends the process.
    "MP3": _Format("MPEG_LAYER_III", MP3_RATES_HZ.__contains__, ", ".join(map(str, MP3_RATES_HZ)), 1e3),
}


def check_target(path: Path, rate_hz: int) -> None:
    """Raise what writing audio there would, before the work that makes the audio.

    Raises:
        InvalidArgumentError: The ending is none of ours, or the format does not know the rate.
        ExportError: The file cannot be written.
    """
    _check_rate(format_of(path), rate_hz)
    check_writable(path)


def format_of(path: Path) -> str:
    """Return the format that a file's ending stands for.

    Raises:
        InvalidArgumentError: It stands for none.
    """
    file_format = path.suffix[1:].upper()
    if file_format not in _FORMATS:
        msg = f"{path}: the ending must be one of {', '.join(kind.lower() for kind in _FORMATS)}"
        raise InvalidArgumentError(msg)
    return file_format


def encode(audio: Tensor, rate_hz: int, file_format: str, mp3_quality: float = MP3_QUALITY) -> bytes:
    """Return a file that holds audio.

    Args:
        audio: ``(1 or 2, n)``, float32.
        rate_hz: Its rate.
        file_format: ``"WAV"``, ``"FLAC"``, ``"OGG"`` or ``"MP3"``.
        mp3_quality: From 0, the smallest file, to 1, the best.

    Raises:
        InvalidArgumentError: The format does not know the rate or the amplitude, or ``mp3_quality`` is out of range.
        ExportError: libsndfile was built without an encoder.
    """
    import soundfile  # noqa: PLC0415  # not everybody who imports the package writes files

    _check_rate(file_format, rate_hz)
    audio = audio.detach()
    _check_amplitude(file_format, audio)
    settings = _mp3_settings(mp3_quality) if file_format == "MP3" else {}
    buffer, subtype = io.BytesIO(), _FORMATS[file_format].subtype
    try:
        with soundfile.SoundFile(
            buffer, "w", rate_hz, channels=audio.size(0), subtype=subtype, format=file_format, **settings
        ) as file:
            for block in audio.split(_BLOCK_SAMPLES, dim=1):  # the OGG encoder crashes on large blocks
                file.write(block.T.numpy())
    except soundfile.SoundFileError as error:
        msg = f"libsndfile cannot encode {file_format}: {error}; choose WAV"
        raise ExportError(msg) from error
    return buffer.getvalue()


def decode(source: BinaryIO, name: str) -> tuple[Tensor, int]:
    """Return the audio in a file, ``(1 or 2, n)``, float32, and its rate in Hz.

    Args:
        source: The file.
        name: What errors call it.

    Warns:
        UserWarning: The file ends before what it announces, or is damaged; the audio before that is returned.

    Raises:
        InvalidFileError: It is no audio, holds none, or has more than two channels.
    """
    import soundfile  # noqa: PLC0415  # not everybody who imports the package reads files

    try:
        with soundfile.SoundFile(source) as file:
            if file.channels > 2:
                msg = f"{name} must hold mono or stereo audio, got {file.channels} channels"
                raise InvalidFileError(msg)
            return _samples(file, name), file.samplerate
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: .raw, which says nothing of itself
        msg = f"{name} is not audio that can be read: {getattr(error, 'error_string', error)}"
        raise InvalidFileError(msg) from error


def _check_rate(file_format: str, rate_hz: int) -> None:
    known = _FORMATS[file_format]
    if not known.takes(rate_hz):
        msg = f"{file_format} knows the rates {known.rates} Hz, got {rate_hz}; resample the audio, or choose WAV"
        raise InvalidArgumentError(msg)


def _check_amplitude(file_format: str, audio: Tensor) -> None:
    limit = _FORMATS[file_format].peak
    peak = float(audio.abs().max())
    if limit is not None and not peak <= limit:
        allowed = "numbers" if limit == np.inf else f"amplitudes to {limit:g}"
        msg = f"{file_format} takes {allowed}, got {peak:g}; scale the audio, or choose WAV"
        raise InvalidArgumentError(msg)


def _mp3_settings(quality: float) -> dict[str, float | str]:
    """A variable bitrate: no other mode of LAME's keeps to a quality, and the smallest rates change the sample rate."""
    if not isinstance(quality, (int, float)) or isinstance(quality, bool):
        msg = f"quality must be a number, got {quality!r}"
        raise InvalidTypeError(msg)
    if not 0.0 <= quality <= 1.0:
        msg = f"quality must be in 0..1, from the smallest file to the best, got {quality}"
        raise InvalidArgumentError(msg)
    return {"bitrate_mode": "VARIABLE", "compression_level": min(1.0 - quality, _LARGEST_LEVEL)}


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
