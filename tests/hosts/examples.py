"""Models of the examples, what they are played, and what ``neutone render`` makes of it."""

from pathlib import Path

import numpy as np
import soundfile
from example_overdrive_random import RandomOverdrive, RandomOverdriveWrapper
from example_spectral_filter import SpectralFilterWrapper

from neutone_sdk import WaveformToWaveformBase
from neutone_sdk.archive import read_metadata
from neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_sdk.rendering import knobs
from tests.conftest import Neutone

# Of the loudest sample. The same operations on the same blocks, but torch may add up in another order.
MOST_DIFFERENCE_DB = -90.0


def tcn() -> WaveformToWaveformBase:
    return RandomOverdriveWrapper(RandomOverdrive(42))


def stft() -> WaveformToWaveformBase:
    return SpectralFilterWrapper(RealtimeSTFT(n_fft=2048, hop_len=512, logarithmize=False))


def guitar(n_frames: int, rate_hz: int) -> np.ndarray:
    """Return a plucked string in stereo, ``(2, n_frames)``, float32."""
    times = np.arange(n_frames) / rate_hz
    pluck = sum(np.sin(2 * np.pi * 110 * k * times) * np.exp(-3 * k * times) / k for k in range(1, 12))
    return np.stack([0.3 * pluck, 0.2 * np.roll(pluck, 300)]).astype(np.float32)


def knob_positions(model: Path) -> dict[str, float]:
    """Return the defaults of a model as a host sends them."""
    positions = knobs(read_metadata(model), {}).flatten().tolist()
    return {f"knob{i + 1}": position for i, position in enumerate(positions)}


def rendered(neutone: Neutone, model: Path, audio: np.ndarray, rate_hz: int, folder: Path) -> np.ndarray:
    """Return what ``neutone render`` makes of audio ``(channels, frames)``."""
    soundfile.write(folder / "source.wav", audio.T, rate_hz, subtype="FLOAT")
    result = neutone("render", model, "source.wav", "rendered.wav")
    assert result.returncode == 0, result.stderr
    return soundfile.read(folder / "rendered.wav", dtype="float32", always_2d=True)[0].T


def decibels(ratio: float) -> float:
    return float(20.0 * np.log10(ratio + 1e-12))
