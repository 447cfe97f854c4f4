"""The samples embedded in a model, as far as they can be heard."""

import base64
import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neutone_sdk.errors import InvalidFileError

MAX_CLIP_BYTES: Final = 8 * 2**20
MAX_DRAWN_S: Final = 60.0
_BLOCK_SAMPLES: Final = 4096


@dataclass(frozen=True)
class Clip:
    """A sample that can be played.

    Attributes:
        mp3: The file.
        audio: What is drawn of it: its first minute, ``(1 or 2, n)``.
        rate_hz: Its rate.
        is_whole: Whether ``audio`` is all of it.
    """

    mp3: bytes
    audio: NDArray[np.float32]
    rate_hz: int
    is_whole: bool

    @property
    def duration_s(self) -> float:
        """Of what is drawn."""
        return self.audio.shape[1] / self.rate_hz

    @property
    def peak(self) -> float:
        """Of what is drawn, 1 is full scale."""
        return float(np.abs(self.audio).max())

    @property
    def rms(self) -> float:
        """Of what is drawn, all channels together."""
        return float(np.sqrt(np.mean(np.square(self.audio, dtype=np.float64))))

    @property
    def uri(self) -> str:
        """The file, in a form that a page can hold."""
        return data_uri("audio/mpeg", self.mp3)


def data_uri(kind: str, content: bytes) -> str:
    """Return content of a MIME type as an address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def read_clip(value: Any) -> Clip:
    """Return the clip under ``in`` or ``out`` of an embedded pair.

    Raises:
        InvalidFileError: It is missing, too large, or no MP3 file; the message is for the reader of the card.
    """
    if not isinstance(value, str) or not value:
        msg = "The file holds none."
        raise InvalidFileError(msg)
    if len(value) > MAX_CLIP_BYTES * 4 // 3 + 4:
        msg = f"It is left out, because it is larger than {MAX_CLIP_BYTES >> 20} MiB."
        raise InvalidFileError(msg)
    try:
        mp3 = base64.b64decode(value)
    except ValueError as error:
        msg = "What the file holds is not audio: it is no base 64."
        raise InvalidFileError(msg) from error
    return _decoded(mp3)


def _decoded(mp3: bytes) -> Clip:
    import soundfile  # noqa: PLC0415  # only who makes cards with samples needs it

    blocks: list[NDArray[np.float32]] = []
    try:
        with soundfile.SoundFile(io.BytesIO(mp3)) as file:
            if file.format != "MP3":
                msg = f"What the file holds is no MP3, but {file.format}, which is not played here."
                raise InvalidFileError(msg)
            file.seekable = lambda: False  # soundfile would seek after each block, which fails in damaged files
            rate_hz, n_wanted = file.samplerate, int(MAX_DRAWN_S * file.samplerate)
            while n_wanted > 0 and len(block := _next_block(file, n_wanted)):
                blocks.append(block)
                n_wanted -= len(block)
    except soundfile.SoundFileError as error:
        msg = "What the file holds is not audio that can be decoded."
        raise InvalidFileError(msg) from error
    if not blocks:
        msg = "What the file holds has no sound in it that can be decoded."
        raise InvalidFileError(msg)
    audio = np.nan_to_num(np.concatenate(blocks).T)
    return Clip(mp3, audio, rate_hz, is_whole=n_wanted > 0)


def _next_block(file: Any, n_wanted: int) -> NDArray[np.float32]:
    """Nothing at the end, and where the damage begins."""
    try:
        block: NDArray[np.float32] = file.read(min(_BLOCK_SAMPLES, n_wanted), dtype="float32", always_2d=True)
    except RuntimeError:
        return np.empty((0, file.channels), dtype=np.float32)
    return block
