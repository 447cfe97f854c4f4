"""The DDSP example plays the pitch and the level that it hears, and nothing else."""

import importlib.util
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.audio import AudioSample, get_default_audio_samples
from neutone_sdk.rendering import knobs, render
from neutone_sdk.utils import load_neutone_model

from .conftest import RunOfExample
from .example_runs import EXAMPLES
from .signals import Samples, sine

(EXAMPLE,) = (path for path in EXAMPLES if path.stem == "example_ddsp")
RATE_HZ = 44_100
HOP = 256
N_SETTLED = 12  # hops until a frame is full of what began with the stream
AUDIBLE_CENTS = 5.0
# What the shipped string plays one after another (onset in s, MIDI note), while the notes before ring on.
MELODY = [(0.02, 50), (0.47, 57), (0.77, 64), (1.07, 66), (1.37, 69), (1.67, 66), (1.97, 64), (2.18, 0)]

Exported = tuple[Any, dict[str, Any]]


@pytest.fixture(scope="module")
def exported(run_of_example: RunOfExample) -> Exported:
    return load_neutone_model(run_of_example(EXAMPLE).model)


def saw(frequency_hz: float, n_samples: int) -> Tensor:
    ranks = range(1, int(20_000 / frequency_hz) + 1)
    return sum((sine(rank * frequency_hz, RATE_HZ, n_samples, 0.4 / rank) for rank in ranks), torch.zeros(1, n_samples))


def pluck(frequency_hz: float, n_samples: int) -> Tensor:
    """The loss of each partial grows with the square of its frequency, as that of a string's."""
    seconds, tone = torch.arange(n_samples) / RATE_HZ, torch.zeros(1, n_samples)
    for rank in range(1, int(15_000 / frequency_hz) + 1):
        decay = torch.exp(-seconds * (1.0 + 1e-6 * (rank * frequency_hz) ** 2))
        tone += sine(rank * frequency_hz, RATE_HZ, n_samples, 0.3 * abs(np.sin(0.13 * np.pi * rank)) / rank) * decay
    return tone


def tracked(exported: Exported, audio: Tensor) -> Samples:
    """Return fundamental in Hz, voicing and RMS at each hop, ``(n, 3)``."""
    model = exported[0]
    model.reset()
    with torch.no_grad():
        return np.asarray(model.w2w_base.model.track(audio[:, : audio.size(1) // HOP * HOP]))


def played(exported: Exported, audio: Tensor, **values: object) -> Samples:
    model, metadata = exported
    names = {name: str(value) for name, value in values.items()}
    return np.asarray(render(model, audio, knobs(metadata, names), sample_rate_hz=RATE_HZ)[0].double())


def cents(hz: Any, reference_hz: Any) -> Any:
    return np.abs(1200.0 * np.log2(hz / reference_hz))


def spectrum_db(samples: Samples) -> Samples:
    """Return the level below the strongest line at each Hz of the second behind the start, sidelobes below -130 dB."""
    magnitudes = np.abs(np.fft.rfft(samples[RATE_HZ // 2 :][:RATE_HZ] * np.kaiser(RATE_HZ, 18.0)))
    return np.asarray(20.0 * np.log10(magnitudes / magnitudes.max() + 1e-12))


@pytest.mark.parametrize("tone", [lambda hz, n: sine(hz, RATE_HZ, n), saw, pluck], ids=["sine", "saw", "pluck"])
@pytest.mark.parametrize("frequency_hz", [81.0, 110.0, 220.0, 447.0, 699.0, 996.0])
def test_the_tracker_is_in_tune(exported: Exported, tone: Any, frequency_hz: float) -> None:
    controls = tracked(exported, tone(frequency_hz, RATE_HZ // 2))[N_SETTLED:]
    assert (controls[:, 1] == 1.0).all()
    assert cents(controls[:, 0], frequency_hz).max() < AUDIBLE_CENTS


def test_the_tracker_follows_the_melody_of_the_shipped_string(exported: Exported) -> None:
    controls = tracked(exported, get_default_audio_samples()[0].audio)
    seconds = (HOP * np.arange(1, len(controls) + 1) - 1024) / RATE_HZ
    errors = []
    for (onset_s, note), (end_s, _) in itertools.pairwise(MELODY):
        hops = (seconds > onset_s + 0.03) & (seconds < end_s)  # the frame holds two notes at first
        errors.append(cents(controls[hops, 0], 440.0 * 2.0 ** ((note - 69) / 12)))
        assert np.mean(errors[-1] < 50.0) > 0.9
    assert np.median(np.concatenate(errors)) < AUDIBLE_CENTS


def test_noise_has_no_pitch(exported: Exported) -> None:
    noise = 0.3 * torch.randn(1, 2 * RATE_HZ, generator=torch.Generator().manual_seed(0))
    assert (tracked(exported, noise)[N_SETTLED:, 1] == 0.0).all()

    output = played(exported, noise)

    assert np.std(output) == pytest.approx(0.3, rel=0.05)
    bands = 10.0 ** (spectrum_db(output)[:22_000].reshape(220, 100) / 10.0)
    assert (bands.max(axis=1) / bands.mean(axis=1)).max() < 20.0  # 100, where all of a band is one line


@pytest.mark.parametrize("frequency_hz", [110.0, 220.0, 440.0])
@pytest.mark.parametrize("semitones", [0, 7])
def test_a_saw_comes_out_in_tune_and_as_loud(exported: Exported, frequency_hz: float, semitones: int) -> None:
    audio = saw(frequency_hz, 2 * RATE_HZ)
    output = played(exported, audio, pitch=semitones)[RATE_HZ // 2 :]

    expected_hz = frequency_hz * 2.0 ** (semitones / 12)
    fine = np.abs(np.fft.rfft(output * np.hanning(len(output)), 16 * RATE_HZ))
    near = slice(int(16 * 0.9 * expected_hz), int(16 * 1.1 * expected_hz))
    assert cents((near.start + fine[near].argmax()) / 16, expected_hz) < AUDIBLE_CENTS
    assert np.std(output) == pytest.approx(float(audio.std()), rel=0.03)


def test_nothing_aliases(exported: Exported) -> None:
    output = played(exported, sine(1000.0, RATE_HZ, 2 * RATE_HZ), pitch=12, brightness=6, noise=-60)
    levels_db = spectrum_db(output)
    places_hz = np.arange(len(levels_db))
    away_hz = np.abs((places_hz + 1000) % 2000 - 1000)
    assert levels_db[2000:19_000:2000].min() > -60.0  # there is much that could fold back
    assert levels_db[away_hz > 20].max() < -80.0
    assert levels_db[20_020:].max() < -110.0


def test_silence_stays_silence(exported: Exported) -> None:
    quiet = torch.zeros(1, 3 * RATE_HZ)
    assert np.abs(played(exported, quiet)).max() == 0.0
    quiet[:, :RATE_HZ] = saw(220.0, RATE_HZ)
    assert np.abs(played(exported, quiet)[RATE_HZ + 2048 :]).max() == 0.0


@settings(deadline=None, max_examples=8)
@given(st.lists(st.sampled_from([1, 2, 4, 8]), min_size=1, max_size=6))
def test_the_cuts_of_a_stream_change_no_bit(exported: Exported, n_hops: list[int]) -> None:
    model = exported[0].w2w_base
    audio = get_default_audio_samples()[0].audio[:, : 48 * HOP]
    neutral = [torch.tensor([value]) for value in (0.5, 1.0, 0.2, 1.0)]
    with torch.no_grad():
        model.reset()
        expected = torch.cat([model.model(hop, *neutral) for hop in audio.split(HOP, dim=1)])
        model.reset()
        actual, at = [], 0
        while at < audio.size(1):
            actual.append(model.model(audio[:, at : at + n_hops[0] * HOP], *neutral))
            at += n_hops[0] * HOP
            n_hops = [*n_hops[1:], n_hops[0]]
    torch.testing.assert_close(torch.cat(actual), expected, rtol=0, atol=0)


@pytest.mark.parametrize("host_block", [100, 441, 512, 3000])
def test_every_host_block_sounds_the_same(exported: Exported, host_block: int) -> None:
    audio = get_default_audio_samples()[0].audio[:, :20_000]
    expected = render(exported[0], audio, sample_rate_hz=RATE_HZ, buffer_size=256)
    actual = render(exported[0], audio, sample_rate_hz=RATE_HZ, buffer_size=host_block)
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_level_and_pitch_are_as_late_as_reported(exported: Exported) -> None:
    """A tone that swells, and turns upwards where it is loudest, is played in the same place, delay taken out."""
    seconds = np.arange(2 * RATE_HZ) / RATE_HZ
    swell = np.exp(-(((seconds - 1.0) / 0.1) ** 2))
    tone = torch.from_numpy(0.5 * swell * np.sin(2.0 * np.pi * (300.0 * seconds + 50.0 * (seconds - 1.0) ** 2)))
    assert exported[0].w2w_base.calc_model_delay_samples() == 1024

    power = played(exported, tone.float()[None], noise=-60) ** 2
    controls = tracked(exported, tone.float()[None])

    assert abs(np.sum(power * seconds) / np.sum(power) - 1.0) * RATE_HZ < 16
    centers_s = (HOP * np.arange(1, len(controls) + 1) - 1024) / RATE_HZ
    heard = np.abs(centers_s - 1.0) < 0.1
    assert cents(controls[heard, 0], 300.0 + 100.0 * (centers_s[heard] - 1.0)).max() < 2.0


def test_oscillators_keep_their_phase(exported: Exported) -> None:
    """Within 1e-10 cycles in 15 s: in hours nothing is heard but the rounding of one product of float32."""
    harmonics = exported[0].w2w_base.model.harmonics
    exported[0].reset()
    n_hops, n_calls, frequency_hz = 64, 40, 441.0 / 3.0 + 1e-3
    hz = torch.full((n_hops,), frequency_hz, dtype=torch.float64)
    amplitudes = torch.zeros(n_hops, 100)
    amplitudes[:, 99] = 1.0
    with torch.no_grad():
        for _ in range(n_calls):
            output = harmonics(hz, amplitudes)
    n_samples = n_calls * n_hops * HOP
    counts = n_samples - len(output) + 1 + np.arange(len(output))
    expected = np.sin(2.0 * np.pi * ((frequency_hz * 100) * counts / RATE_HZ % 1.0))
    assert n_samples > 14 * RATE_HZ
    assert np.abs(np.asarray(output) - expected).max() < 1e-4
    whole = frequency_hz * n_samples / RATE_HZ
    assert abs((float(harmonics.last_cycles) - whole + 0.5) % 1.0 - 0.5) < 1e-10


def test_it_learns_from_a_short_recording_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location(EXAMPLE.stem, EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    recording = AudioSample(saw(300.0, 5000), RATE_HZ)

    distances = []
    for n_steps in (1, 30):
        example.trained(recording, n_steps)
        distances.append(float(capsys.readouterr().out.split()[-1]))

    assert distances[1] < 0.7 * distances[0]
