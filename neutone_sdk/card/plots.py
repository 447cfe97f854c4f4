"""What a card draws of a pair of clips: waveforms and spectrograms on common scales."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neutone_sdk.card.clips import MAX_DRAWN_S, Clip, data_uri, read_clip
from neutone_sdk.card.facts import number_text
from neutone_sdk.card.spectrogram import HIGHEST_HZ, LOWEST_HZ, RANGE_DB, levels_db, picture, row_position
from neutone_sdk.constants import MAX_N_AUDIO_SAMPLES
from neutone_sdk.errors import InvalidFileError

WAVE_COLUMNS: Final = 720
WAVE_HEIGHT: Final = 200  # -1 and 1 of the scale are at the bottom and on top
_MAX_TICKS: Final = 6
_FREQUENCIES_HZ: Final = (100, 300, 1_000, 3_000, 10_000)
_MIN_SCALE: Final = 0.01
_DB_STEP: Final = 30


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, at a percentage of its length."""

    percent: str
    label: str

    @property
    def is_last(self) -> bool:
        """Whether its label would stick out at the end."""
        return float(self.percent) > 97.0


@dataclass(frozen=True)
class Side:
    """A clip of a pair and its pictures, or what is wrong with it."""

    label: str
    problem: str = ""
    uri: str = ""
    waveform: str = ""
    spectrogram: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Pair:
    """What went into the model, what came out, and the axes that both have in common."""

    sides: tuple[Side, Side]
    span_s: float
    seconds: list[Tick]
    amplitudes: list[Tick]
    hertz: list[Tick]
    decibels: list[Tick]


def read_pairs(metadata: dict[str, Any]) -> tuple[list[Pair], int]:
    """Return the embedded pairs, at most three, and how many there are beyond."""
    given = metadata.get("sample_sound_files")
    given = given if isinstance(given, list) else []
    pairs = [_pair(pair if isinstance(pair, dict) else {}) for pair in given[:MAX_N_AUDIO_SAMPLES]]
    return pairs, max(0, len(given) - MAX_N_AUDIO_SAMPLES)


def _pair(values: dict[str, Any]) -> Pair:
    read = [_clip_or_problem(values.get(key)) for key in ("in", "out")]
    clips = [clip for clip in read if isinstance(clip, Clip)]
    span_s = max([clip.duration_s for clip in clips], default=0.0)
    scale = _amplitude_scale(max([clip.peak for clip in clips], default=1.0))
    levels = {id(clip): levels_db(clip.audio, clip.rate_hz, span_s) for clip in clips}
    loudest_db = max([float(each.max()) for each in levels.values()], default=0.0)
    highest_db = max(-RANGE_DB, math.ceil(loudest_db / 6.0) * 6.0)  # silence has no loudest moment
    sides = [
        Side(label, problem=clip)
        if isinstance(clip, str)
        else Side(
            label,
            uri=clip.uri,
            waveform=waveform(clip.audio, clip.rate_hz, span_s, scale),
            spectrogram=data_uri("image/png", picture(levels[id(clip)], highest_db)),
            summary=_summary(clip),
        )
        for label, clip in zip(("Before", "After"), read, strict=True)
    ]
    return Pair(
        (sides[0], sides[1]),
        span_s,
        _seconds(span_s),
        [Tick(f"{at}", number_text(value)) for at, value in ((0, scale), (50, 0.0), (100, -scale))],
        [Tick(f"{100 * row_position(hz):.2f}", _hertz(hz)) for hz in _FREQUENCIES_HZ if LOWEST_HZ <= hz <= HIGHEST_HZ],
        [
            Tick(f"{100 - 100 * below / RANGE_DB:.2f}", number_text(highest_db - below))
            for below in range(0, int(RANGE_DB) + 1, _DB_STEP)
        ],
    )


def _clip_or_problem(value: Any) -> Clip | str:
    try:
        return read_clip(value)
    except InvalidFileError as error:
        return str(error)


def waveform(audio: NDArray[np.float32], rate_hz: int, span_s: float, scale: float) -> str:
    """Return the path around the least and the greatest sample of each column, all channels together.

    Args:
        audio: ``(channels, n)``.
        rate_hz: Its rate.
        span_s: What 720 columns stand for.
        scale: The amplitude that reaches the edge.
    """
    least, greatest = audio.min(axis=0), audio.max(axis=0)
    n_columns = min(WAVE_COLUMNS, max(1, round(WAVE_COLUMNS * len(least) / (span_s * rate_hz))), len(least))
    starts = np.linspace(0, len(least), n_columns, endpoint=False).astype(int)
    bottom, top = np.minimum.reduceat(least, starts), np.maximum.reduceat(greatest, starts)
    width = WAVE_COLUMNS * len(least) / (span_s * rate_hz) / n_columns
    x = [f"{(column + 0.5) * width:.1f}" for column in range(n_columns)]
    there = [f"{at} {_height(value, scale)}" for at, value in zip(x, top, strict=True)]
    back = [f"{at} {_height(value, scale)}" for at, value in zip(x, bottom, strict=True)]
    return "M" + "L".join([*there, *reversed(back)]) + "Z"


def _height(value: float, scale: float) -> str:
    return f"{WAVE_HEIGHT * 0.5 * (1.0 - float(value) / scale):.1f}"


def _amplitude_scale(peak: float) -> float:
    """Return the least of 1, 0.5, 0.2, 0.1, ... and their like above that leaves room for the peak."""
    peak = max(peak, _MIN_SCALE)
    decade = 10.0 ** math.floor(math.log10(peak))
    return float(f"{next(step for step in (1, 2, 5, 10) if peak <= step * decade * 1.001) * decade:.6g}")


def _seconds(span_s: float) -> list[Tick]:
    if span_s <= 0.0:
        return []
    decades = [10.0**exponent for exponent in range(-6, 3)]
    steps = [step * decade for decade in decades for step in (1, 2, 5)]
    step = next(step for step in steps if span_s / step <= _MAX_TICKS)
    return [Tick(f"{100 * i * step / span_s:.2f}", number_text(i * step) + " s") for i in range(int(span_s / step) + 1)]


def _hertz(frequency_hz: int) -> str:
    return f"{frequency_hz // 1000} kHz" if frequency_hz >= 1000 else f"{frequency_hz} Hz"


def _summary(clip: Clip) -> str:
    length = f"{clip.duration_s:.1f} s" if clip.is_whole else f"first {MAX_DRAWN_S:g} s drawn"
    channels = "mono" if len(clip.audio) == 1 else "stereo"
    levels = f"peak {_decibels(clip.peak)}, RMS {_decibels(clip.rms)}"
    return f"{length}, {channels}, {number_text(clip.rate_hz / 1000)} kHz, {levels}"


def _decibels(amplitude: float) -> str:
    return number_text(round(20.0 * math.log10(amplitude), 1)) + " dBFS" if amplitude > 1e-6 else "silent"
