"""Spectrograms: levels of a clip over time and frequency."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from neutone_sdk.card import png

N_COLUMNS: Final = 640
N_ROWS: Final = 192
LOWEST_HZ: Final = 50.0
HIGHEST_HZ: Final = 20_000.0
RANGE_DB: Final = 90.0
FLOOR_DB: Final = -200.0

_WINDOW_S: Final = 0.045  # sharp enough in time for drums and in frequency for chords
_MIN_HOP: Final = 32
_PADDING: Final = 4  # transforms are as many times longer than the window, so that low rows are smooth


def levels_db(audio: NDArray[np.float32], rate_hz: int, span_s: float) -> NDArray[np.float64]:
    """Return the level of each frequency in each moment.

    Args:
        audio: ``(channels, n)``; the louder channel counts.
        rate_hz: Its rate.
        span_s: Time that the columns cover; behind the clip is silence.

    Returns:
        ``(192, up to 640)`` in dB of a full-scale sine, at least -200: rows from 50 Hz up, evenly spaced in octaves to
        20 kHz; columns from the start on.
    """
    n_window = 1 << round(np.log2(_WINDOW_S * rate_hz))
    hop = min(n_window // 2, max(_MIN_HOP, int(span_s * rate_hz) // N_COLUMNS))
    n_frames = max(1, round(span_s * rate_hz) // hop)
    padded = np.zeros((len(audio), n_window + n_frames * hop), dtype=np.float32)
    n_samples = min(audio.shape[1], padded.shape[1] - n_window // 2)
    padded[:, n_window // 2 : n_window // 2 + n_samples] = audio[:, :n_samples]  # a column shows its own moment
    window = np.hanning(n_window + 1)[:-1].astype(np.float32)
    rows = [
        _rows(np.lib.stride_tricks.sliding_window_view(channel, n_window)[::hop][:n_frames] * window, rate_hz)
        for channel in padded
    ]
    amplitudes = np.maximum.reduce(rows) * (2.0 / window.sum())
    columns = np.unique(np.linspace(0, n_frames, min(n_frames, N_COLUMNS), endpoint=False).astype(int))
    return np.maximum(20.0 * np.log10(np.maximum.reduceat(amplitudes, columns, axis=1) + 1e-30), FLOOR_DB)


def _rows(frames: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Each row shows the highest of the bins that it covers, or the one that it lies in."""
    n_fft = _PADDING * frames.shape[1]
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, N_ROWS + 1)
    bins = np.round(edges_hz * n_fft / rate_hz).astype(int)
    n_audible = int(np.searchsorted(bins, n_fft // 2))  # above is nothing that this rate can hold
    rows = np.zeros((N_ROWS, len(frames)))
    at = bins[: min(n_audible, N_ROWS) + 1].clip(max=n_fft // 2)
    for start in range(0, len(frames), 64):  # a few frames at a time: less memory, and faster
        spectrum = np.abs(np.fft.rfft(frames[start : start + 64], n_fft, axis=1)).T
        rows[: len(at) - 1, start : start + 64] = np.maximum.reduceat(spectrum, at, axis=0)[:-1]
    return rows


def picture(levels: NDArray[np.float64], highest_db: float) -> bytes:
    """Return a PNG file of levels, high frequencies on top; its colours go from ``highest_db`` 90 dB down."""
    positions = 1.0 + (levels - highest_db) / RANGE_DB
    indices = (positions.clip(0.0, 1.0) * (png.N_COLOURS - 1)).round().astype(np.uint8)
    return png.encode(indices[::-1])


def row_position(frequency_hz: float) -> float:
    """Return where a frequency lies in the picture: 0 is on top, 1 at the bottom."""
    return float(np.log(HIGHEST_HZ / frequency_hz) / np.log(HIGHEST_HZ / LOWEST_HZ))
