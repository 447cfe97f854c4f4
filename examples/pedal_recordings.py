"""Recordings of an effect, to train a network on and to judge it by: of a known pedal, or from files of one's own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import torch
from torch import Tensor

from neutone_sdk import resample
from neutone_sdk.audio import AudioSample, get_default_audio_samples
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.filters import FilterType, IIRFilter

RATE_HZ = 48_000
TRAINED_DRIVES_DB = (0.0, 6.0, 12.0, 18.0)
HELD_OUT_DRIVES_DB = (3.0, 9.0, 15.0)
HELD_OUT_PART = 0.25  # of every clip, at its end
MAX_HELD_OUT_SAMPLES = 1_000_000  # it is played whole, again and again
MIN_SECONDS = 4


@dataclass(frozen=True, eq=False)  # tensors have no single truth of equality
class Recording:
    """What went into an effect and what came out, ``(1, n)`` each, at one position of its knob."""

    knob: float
    dry: Tensor
    wet: Tensor


@dataclass(frozen=True)
class Data:
    """Recordings to train on, others to judge by, and what they are recordings of."""

    name: str
    unit: str
    rate_hz: int
    training: list[Recording]
    held_out: list[Recording]

    def knobs(self) -> list[float]:
        """Return the positions of the knob that are trained, from the lowest to the highest."""
        return sorted({recording.knob for recording in self.training})

    def at_new_positions(self) -> list[Recording]:
        """Return the held-out recordings at positions that are not trained; if there are none, all."""
        return [each for each in self.held_out if each.knob not in self.knobs()] or self.held_out


def filtered(audio: Tensor, kind: FilterType, cutoff_hz: float) -> Tensor:
    """Filter a clip ``(1, n)``, from silence, by a Butterworth of second order."""
    return IIRFilter(kind, cutoff_hz, 0.7071, sample_rate=RATE_HZ)(audio)


def pedal(audio: Tensor, drive_db: float) -> Tensor:
    """Distort a clip: less bass, gain, an asymmetry that follows the level, tanh, and less treble."""
    driven = 10.0 ** (drive_db / 20.0) * (0.3 * audio + filtered(audio, FilterType.HIGHPASS, 720.0))
    bias = 0.5 * torch.tanh(filtered(driven.abs(), FilterType.LOWPASS, 30.0))
    return filtered(torch.tanh(driven + bias) - torch.tanh(bias), FilterType.LOWPASS, 5000.0)


def recordings_of_the_pedal() -> Data:
    """Play the beginning of every clip through the pedal to train on, and the rest to hold out."""
    clips = [
        resample(clip.audio.mean(dim=0, keepdim=True), clip.sr, RATE_HZ, quality="high")
        for clip in get_default_audio_samples()
    ]
    parts = [split(clip) for clip in clips]
    heard, unheard = (torch.cat(side, dim=1) for side in zip(*parts, strict=True))
    training = [Recording(drive_db, heard, pedal(heard, drive_db)) for drive_db in TRAINED_DRIVES_DB]
    drives_db = sorted(TRAINED_DRIVES_DB + HELD_OUT_DRIVES_DB)
    held_out = [Recording(drive_db, unheard, pedal(unheard, drive_db)) for drive_db in drives_db]
    return Data("learnt pedal", "dB", RATE_HZ, training, held_out)


def recordings_in_files(pairs: Sequence[Sequence[str]]) -> Data:
    """Read recordings of an effect, and hold out the end of each.

    Args:
        pairs: Position of the knob, file of what went in, file of what came out; at one rate, mono or mixed to it.

    Raises:
        InvalidArgumentError: A position is no number, or files do not belong together, or are too short.
        InvalidFileError: A file is none.
    """
    clips = [(position_of(text), dry_and_wet(dry, wet)) for text, dry, wet in pairs]
    clips.sort(key=itemgetter(0))
    rates_hz = {dry.sr for _, (dry, _) in clips}
    if len(rates_hz) > 1:
        msg = f"all files must have one rate, got {sorted(rates_hz)} Hz; resample them"
        raise InvalidArgumentError(msg)
    parts = [(knob, [split(clip.audio.mean(dim=0, keepdim=True)) for clip in both]) for knob, both in clips]
    training, held_out = ([Recording(knob, dry[side], wet[side]) for knob, (dry, wet) in parts] for side in (0, 1))
    return Data("learnt effect", "", rates_hz.pop(), training, held_out)


def position_of(text: str) -> float:
    """Return the position of a knob that a user typed in."""
    try:
        position = float(text)
    except ValueError:
        position = math.nan
    if not math.isfinite(position):
        msg = f"the position of the knob must be a number, got {text!r}"
        raise InvalidArgumentError(msg)
    return position


def dry_and_wet(*paths: str) -> list[AudioSample]:
    """Read two files that begin and end at the same moments."""
    clips = [AudioSample.from_file(path) for path in paths]
    sizes = [(clip.audio.size(1), clip.sr) for clip in clips]
    if sizes[0] != sizes[1]:
        texts = " and ".join(f"{n_samples} samples at {rate_hz} Hz" for n_samples, rate_hz in sizes)
        msg = f"{' and '.join(paths)} must have one length and one rate, got {texts}; cut them to match"
        raise InvalidArgumentError(msg)
    if sizes[0][0] < MIN_SECONDS * sizes[0][1]:
        n_seconds = sizes[0][0] / sizes[0][1]
        msg = f"{paths[0]} must last {MIN_SECONDS} s or longer, got {n_seconds:.1f} s; record some minutes"
        raise InvalidArgumentError(msg)
    return clips


def split(clip: Tensor) -> tuple[Tensor, Tensor]:
    """Return what of a clip is trained on, and what is held out."""
    cut = round((1.0 - HELD_OUT_PART) * clip.size(1))
    return clip[:, :cut], clip[:, cut : cut + MAX_HELD_OUT_SAMPLES]
