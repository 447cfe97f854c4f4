"""The default audio samples are what their synthesis script makes, and are fit to audition a model with."""

import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import soundfile  # type: ignore[import-untyped, unused-ignore]

Audio = npt.NDArray[np.float32]

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPT_PATH = REPOSITORY / "tools" / "synthesise_samples.py"
SAMPLES_FOLDER = REPOSITORY / "neutone_sdk" / "assets" / "samples"
NAMES = ("plucked_string", "drum_loop", "pad")

SIXTEEN_BIT_STEP = 1.0 / 32768.0
# sin, exp and the FFT differ in their last bits between processors, which can tip a sample over a rounding threshold.
REGENERATION_TOLERANCE = SIXTEEN_BIT_STEP
# Rounding moves the peak by half a step and the dither by up to one, 0.0006 dB at -3 dBFS: this leaves a margin.
PEAK_TOLERANCE_DB = 0.005
# At -70 dBFS an offset is far below what a click detector or a meter reacts to; the DC blocker does better than that.
LARGEST_DC_DB = -70.0
# A faded end is silent but for the dither, which is up to one step, and half a step of rounding.
LARGEST_EDGE = 1.5 * SIXTEEN_BIT_STEP
# The samples are installed with every copy of the package.
LARGEST_TOTAL_BYTES = 1_600_000
# Below the 5 or so at which a listener hears mistuning; the body and the room shift the estimate by less than a tenth.
PHRASE_TOLERANCE_CENTS = 2.0
# The loop's tuning is exact, so that only the estimate errs, by less than a thousandth: this leaves a wide margin.
NOTE_TOLERANCE_CENTS = 0.1

NOTE_RATE_HZ = 44100
NOTE_LENGTH_S = 1.0
FIRST_NOTE_HZ = 440.0 * 2.0 ** (-19 / 12)  # D3
# After the attack has settled, and before the second note comes at 0.47 s.
FIRST_NOTE_START_S = 0.05
FIRST_NOTE_END_S = 0.46


def load_script() -> ModuleType:
    """By path: the script belongs to no package."""
    spec = importlib.util.spec_from_file_location("synthesise_samples", SCRIPT_PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()
# Cached, because the pad takes seconds and several tests look at it.
SYNTHESISERS: dict[str, Callable[[], tuple[Audio, int]]] = {
    name: functools.cache(getattr(SCRIPT, name)) for name in NAMES
}


def read_flac(path: Path) -> tuple[Audio, int]:
    frames, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(frames.T), int(rate_hz)


def shipped(name: str) -> tuple[Audio, int]:
    return read_flac(SAMPLES_FOLDER / f"{name}.flac")


def total_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def to_decibels(amplitude: float) -> float:
    return float(20.0 * np.log10(max(amplitude, np.finfo(np.float64).tiny)))


def cents_off(signal: npt.NDArray[np.floating], rate_hz: int, expected_hz: float) -> float:
    """How far the partial nearest to ``expected_hz`` is from it.

    The peak of the zero-padded spectrum within a semitone, refined by a parabola through the logarithms of three bins.
    """
    size = 16 * signal.size
    magnitudes = np.abs(np.fft.rfft(signal * np.hanning(signal.size), size))
    low, high = (round(expected_hz * 2.0**octaves * size / rate_hz) for octaves in (-1 / 12, 1 / 12))
    peak = low + int(np.argmax(magnitudes[low : high + 1]))
    before, at, after = np.log(magnitudes[peak - 1 : peak + 2])
    measured_hz = (peak + 0.5 * (before - after) / (before - 2.0 * at + after)) * rate_hz / size
    return float(1200.0 * np.log2(measured_hz / expected_hz))


@pytest.fixture
def script_with_cached_synthesis(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, synthesise in SYNTHESISERS.items():
        monkeypatch.setattr(SCRIPT, name, synthesise)
    return SCRIPT


@pytest.mark.parametrize("name", NAMES)
def test_script_regenerates_the_shipped_sample(name: str) -> None:
    shipped_audio, shipped_rate_hz = shipped(name)
    audio, rate_hz = SYNTHESISERS[name]()

    assert rate_hz == shipped_rate_hz
    assert audio.dtype == np.float32
    assert audio.shape == shipped_audio.shape
    assert np.max(np.abs(audio - shipped_audio)) <= REGENERATION_TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_main_writes_exactly_what_is_synthesised(
    name: str, script_with_cached_synthesis: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "not" / "yet" / "there"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT_PATH), str(folder)])

    script_with_cached_synthesis.main()

    written_audio, written_rate_hz = read_flac(folder / f"{name}.flac")
    audio, rate_hz = SYNTHESISERS[name]()
    assert written_rate_hz == rate_hz
    assert np.array_equal(written_audio, audio)


@pytest.mark.parametrize(
    ("name", "channels", "rate_hz", "frames"),
    [
        pytest.param("plucked_string", 1, 44100, 176_400, id="plucked_string: 4 s"),
        pytest.param("drum_loop", 2, 48000, 192_000, id="drum_loop: two bars at 120 beats a minute"),
        pytest.param("pad", 2, 44100, 220_500, id="pad: 5 s"),
    ],
)
def test_format_of_the_shipped_sample(name: str, channels: int, rate_hz: int, frames: int) -> None:
    info = soundfile.info(SAMPLES_FOLDER / f"{name}.flac")

    assert (info.channels, info.samplerate, info.frames) == (channels, rate_hz, frames)
    assert (info.format, info.subtype) == ("FLAC", "PCM_16")


@pytest.mark.parametrize("name", NAMES)
def test_peak_is_at_minus_three_decibels(name: str) -> None:
    audio, _ = shipped(name)

    assert to_decibels(float(np.max(np.abs(audio)))) == pytest.approx(SCRIPT.PEAK_DB, abs=PEAK_TOLERANCE_DB)


@pytest.mark.parametrize("name", NAMES)
def test_no_channel_has_an_offset(name: str) -> None:
    audio, _ = shipped(name)

    offsets = np.mean(audio, axis=-1, dtype=np.float64)
    assert to_decibels(float(np.max(np.abs(offsets)))) < LARGEST_DC_DB


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("edge", [pytest.param(0, id="start"), pytest.param(-1, id="end")])
def test_sample_begins_and_ends_in_silence(name: str, edge: int) -> None:
    audio, _ = shipped(name)

    assert np.max(np.abs(audio[:, edge])) <= LARGEST_EDGE


def test_samples_are_small_enough_to_ship() -> None:
    assert total_bytes(SAMPLES_FOLDER) < LARGEST_TOTAL_BYTES


def test_first_note_of_the_shipped_phrase_is_in_tune() -> None:
    audio, rate_hz = shipped("plucked_string")
    first_note = audio[0, round(FIRST_NOTE_START_S * rate_hz) : round(FIRST_NOTE_END_S * rate_hz)]

    assert abs(cents_off(first_note, rate_hz, FIRST_NOTE_HZ)) < PHRASE_TOLERANCE_CENTS


@pytest.mark.parametrize("midi_note", sorted({midi_note for _, midi_note, _ in SCRIPT.STRING_PHRASE}))
def test_string_is_in_tune_at_every_pitch_of_the_phrase(midi_note: int) -> None:
    expected_hz = 440.0 * 2.0 ** ((midi_note - 69) / 12.0)
    generator = np.random.Generator(np.random.PCG64(midi_note))

    note = SCRIPT.pluck_note(expected_hz, NOTE_LENGTH_S, NOTE_RATE_HZ, generator)

    assert abs(cents_off(note, NOTE_RATE_HZ, expected_hz)) < NOTE_TOLERANCE_CENTS
