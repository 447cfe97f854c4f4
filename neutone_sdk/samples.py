"""The samples in a model's file, what goes in and what the file makes of it: made at export, and taken out again."""

import base64
import io
import math
import reprlib
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from neutone_sdk.archive import MAX_METADATA_BYTES
from neutone_sdk.audio import AudioSample, AudioSamplePair, get_default_audio_samples, play
from neutone_sdk.constants import MAX_N_AUDIO_SAMPLES
from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError, InvalidTypeError, NeutoneError
from neutone_sdk.scripting import without_deprecation
from neutone_sdk.streaming.schedule import select_best_model_sr
from neutone_sdk.validation import check_type

Clip = AudioSamplePair | AudioSample

# In bytes of base 64: who reads a model's metadata takes in as much as this, and the rest of it.
MAX_SAMPLES_BYTES: Final = MAX_METADATA_BYTES // 2

_PATIENCE: Final = 2.0  # a default clip is given that many times its own duration to be played
_FOREIGN_SECONDS: Final = 2.0  # of each clip that have to play at a foreign rate too
_HOST_RATES_HZ: Final = (44_100, 48_000, 88_200, 96_000)
_SILENCE: Final = 1e-4  # of the amplitude at a native rate: -80 dB


def choose_clips(given: Sequence[Clip] | None, max_n_samples: int) -> list[Clip]:
    """Return what to embed: the default clips, or the first ``max_n_samples`` of what is given.

    Raises:
        InvalidTypeError: ``max_n_samples`` is no integer, or what is given is no list of pairs and clips.
        InvalidArgumentError: ``max_n_samples`` is not in 0..3.
    """
    check_type(max_n_samples, int, "max_n_samples must be")
    if not 0 <= max_n_samples <= MAX_N_AUDIO_SAMPLES:
        msg = f"max_n_samples must be in 0..{MAX_N_AUDIO_SAMPLES}, got {max_n_samples}; hosts show no more"
        raise InvalidArgumentError(msg)
    if given is None:
        return [*get_default_audio_samples()[:max_n_samples]] if max_n_samples else []
    if not isinstance(given, Sequence) or not all(isinstance(clip, (AudioSamplePair, AudioSample)) for clip in given):
        msg = (
            "audio_sample_pairs must be a list of AudioSamplePair, or of AudioSample to be played through the model, "
            f"got {reprlib.repr(given)}"
        )
        raise InvalidTypeError(msg)
    return list(given)[:max_n_samples]


def sample_sound_files(
    clips: Sequence[Clip], content: bytes, *, may_cut: bool
) -> tuple[list[dict[str, str]], list[str]]:
    """Return what metadata says under ``sample_sound_files``: pairs as they are, clips played through an exported file.

    A clip that the file cannot play is left out.

    Args:
        clips: What `choose_clips` returns.
        content: The exported file, without samples.
        may_cut: Give up a clip where the model has taken twice as long to play it as it lasts, and embed what there is.

    Returns:
        The entries, and a text for each clip that was left out.

    Raises:
        InvalidArgumentError: A given pair cannot be encoded, or all together are too large for a file.
    """
    script = _load(content) if any(isinstance(clip, AudioSample) for clip in clips) else None
    results = [_entry(script, clip, may_cut=may_cut) for clip in clips]
    entries = [result for result in results if not isinstance(result, NeutoneError)]
    problems = [
        f"audio sample {number} of {len(clips)} is left out of the file: {result}"
        for number, result in enumerate(results, start=1)
        if isinstance(result, NeutoneError)
    ]
    n_bytes = sum(len(text) for entry in entries for text in entry.values())
    if n_bytes > MAX_SAMPLES_BYTES:
        msg = (
            f"the audio samples would take {n_bytes} bytes in the file, at most {MAX_SAMPLES_BYTES} are allowed; "
            "shorten them: some seconds are what a listener wants"
        )
        raise InvalidArgumentError(msg)
    return entries, problems


def report(problems: Sequence[str], *, is_strict: bool) -> None:
    """Warn of every clip that was left out, or refuse the model.

    Raises:
        ExportError: There are problems, and ``is_strict``.
    """
    if problems and is_strict:
        raise ExportError("; ".join(problems))
    for problem in problems:
        warnings.warn(problem, UserWarning, stacklevel=3)


def files_of(metadata: Mapping[str, Any], folder: Path) -> dict[Path, bytes]:
    """Return the samples that metadata holds, as files: ``sample_in_0.mp3``, ``sample_out_0.mp3`` and so on.

    What they hold is not looked at.

    Raises:
        InvalidFileError: The metadata holds something else there.
    """
    entries = metadata.get("sample_sound_files") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        msg = f"sample_sound_files must be a list of objects, got {reprlib.repr(entries)}"
        raise InvalidFileError(msg)
    return {
        folder / f"sample_{side}_{index}.mp3": _decoded(entry.get(side), f"sample_sound_files[{index}].{side}")
        for index, entry in enumerate(entries)
        for side in ("in", "out")
    }


def _decoded(text: object, name: str) -> bytes:
    try:
        if isinstance(text, str):
            return base64.b64decode(text, validate=True)
    except ValueError:
        pass
    msg = f"{name} must be base 64, got {reprlib.repr(text)}"
    raise InvalidFileError(msg)


def _load(content: bytes) -> Any:
    with without_deprecation():
        return torch.jit.load(io.BytesIO(content))


def _entry(script: Any, clip: Clip, *, may_cut: bool) -> dict[str, str] | NeutoneError:
    """What cannot be encoded of a given pair is a mistake; what cannot be played of a clip may be the model's."""
    if isinstance(clip, AudioSamplePair):
        return dict(clip.to_metadata_format())
    try:
        return dict(_played(script, clip, may_cut=may_cut).to_metadata_format())
    except NeutoneError as error:
        return error


def _played(script: Any, clip: AudioSample, *, may_cut: bool) -> AudioSamplePair:
    """Play a clip at a rate that is native to the model; its beginning has to play at a foreign one too."""
    native_rates_hz = script.get_native_sample_rates()
    native_hz = select_best_model_sr(clip.sr, native_rates_hz)
    foreign_hz = _foreign_rate(clip.sr, native_rates_hz)
    patience_seconds = _PATIENCE * clip.audio.size(1) / clip.sr if may_cut else math.inf

    native = _play(script, clip, native_hz, patience_seconds, math.inf)
    foreign = _play(script, clip, foreign_hz, _PATIENCE * _FOREIGN_SECONDS, _FOREIGN_SECONDS)

    n_compared = min(native.size(1), foreign.size(1))
    at_native, at_foreign = (float(audio[:, :n_compared].abs().max()) for audio in (native, foreign))
    if at_foreign <= _SILENCE * at_native and at_native > 0.0:
        msg = f"it is silent in a host at {foreign_hz} Hz, but not in one at {native_hz} Hz"
        raise ExportError(msg)
    return AudioSamplePair(AudioSample(clip.audio[:, : native.size(1)], clip.sr), AudioSample(native, clip.sr))


def _foreign_rate(clip_hz: int, native_rates_hz: Sequence[int]) -> int:
    """Return a host's rate that is not native; to a model that takes any, another than the clip's."""
    native = native_rates_hz or [clip_hz]
    return next((rate for rate in (clip_hz, *_HOST_RATES_HZ) if rate not in native), clip_hz)


def _play(script: Any, clip: AudioSample, host_hz: int, patience_seconds: float, wanted_seconds: float) -> Tensor:
    """Return what is played within some time, but at least something: how fast it is, a busy machine decides too."""
    end = time.monotonic() + patience_seconds

    def stop(n_done: int) -> bool:
        return n_done >= wanted_seconds * host_hz or (n_done > 0 and time.monotonic() >= end)

    with _same_random_numbers():
        audio = play(script, clip, host_hz, clip.sr, on_progress=stop).audio
    if not audio.isfinite().all():
        msg = f"in a host at {host_hz} Hz the model plays what is no finite number"
        raise ExportError(msg)
    return audio


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    """A model that uses random numbers sounds the same in each export, and the caller's generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
