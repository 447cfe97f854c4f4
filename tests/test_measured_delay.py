"""The delay that is measured is the delay that is there; and where there is none to measure, nobody is alarmed."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.checks.delay import MIN_LIKENESS, MIN_PEAK, measure_delay
from neutone_sdk.checks.subject import noise

N_SAMPLES = 1 << 14
RATE_HZ = 48_000


def delayed(audio: Tensor, n_samples: int) -> Tensor:
    return torch.nn.functional.pad(audio, [n_samples, 0])[:, : audio.size(1)]


@settings(deadline=None, max_examples=20)
@given(delay=st.integers(0, N_SAMPLES // 4), gain=st.floats(1e-4, 10.0), sign=st.sampled_from([-1.0, 1.0]))
def test_a_pure_delay_is_exact_whatever_gain_and_sign(delay: int, gain: float, sign: float) -> None:
    audio = noise(2, N_SAMPLES)
    measured = measure_delay(audio, sign * gain * delayed(audio, delay))
    assert measured is not None
    assert measured.delay_samples == delay
    assert measured.likeness > MIN_LIKENESS
    assert measured.peak > 0.7  # the end of the input is not in the output


@pytest.mark.parametrize("swap", [False, True])
def test_channels_may_be_swapped_and_of_different_count(swap: bool) -> None:
    audio = noise(2, N_SAMPLES)
    output = delayed(audio.flip(0) if swap else audio.mean(0, keepdim=True), 100)
    measured = measure_delay(audio, output)
    assert measured is not None
    assert measured.delay_samples == 100
    assert measured.peak > MIN_PEAK


@pytest.mark.parametrize("distort", [lambda x: torch.tanh(20.0 * x), lambda x: x.clip(-0.01, 0.5), lambda x: x.sign()])
def test_distortion_hides_no_delay(distort: object) -> None:
    audio = noise(1, N_SAMPLES)
    measured = measure_delay(audio, distort(delayed(audio, 64)))  # type: ignore[operator]
    assert measured is not None
    assert measured.delay_samples == 64
    assert measured.peak > MIN_PEAK


FILTERS = {
    f"{kind} of order {order} at {cutoff} Hz": scipy.signal.butter(order, cutoff, kind, fs=RATE_HZ, output="sos")
    for kind in ("lowpass", "highpass")
    for order in (1, 2, 4, 8)
    for cutoff in (30, 300, 1_000, 3_000, 6_000, 12_000)
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_no_delay(name: str) -> None:
    """They have one, of their phase; it is far below the tolerance, also where their response lasts much longer."""
    audio = noise(1, 1 << 16)
    output = torch.from_numpy(scipy.signal.sosfilt(FILTERS[name], audio.double().numpy())).float()
    measured = measure_delay(audio, output)
    assert measured is not None
    assert measured.agrees_with(0, RATE_HZ) or not measured.is_clear


def test_a_filter_that_looks_ahead_is_a_delay() -> None:
    audio = noise(1, 1 << 16)
    taps = scipy.signal.firwin(257, 8_000, fs=RATE_HZ)
    output = torch.from_numpy(scipy.signal.lfilter(taps, 1.0, audio.double().numpy())).float()
    measured = measure_delay(audio, output)
    assert measured is not None
    assert measured.is_clear
    assert measured.delay_samples == 128
    assert measured.agrees_with(128, RATE_HZ)
    assert not measured.agrees_with(0, RATE_HZ)


def reverb(audio: Tensor) -> Tensor:
    generator = np.random.default_rng(0)
    response = generator.standard_normal(24_000) * np.exp(-np.arange(24_000) / 6_000)
    wet = scipy.signal.fftconvolve(audio.double().numpy(), response[None], axes=1)[:, : audio.size(1)]
    return torch.from_numpy(wet).float()


UNRELATED: dict[str, Callable[[Tensor], Tensor]] = {
    "a synthesizer": lambda audio: torch.sin(0.05 * torch.arange(audio.size(1)))[None].repeat(audio.size(0), 1),
    "other noise": lambda audio: noise(audio.size(0), audio.size(1), seed=1),
    "a reverb": reverb,
    "played backwards": lambda audio: audio.flip(1),
    "ring modulation": lambda audio: audio * torch.sin(0.05 * torch.arange(audio.size(1))),
    "an octave down": lambda audio: audio[:, : audio.size(1) // 2].repeat_interleave(2, dim=1),
}


@pytest.mark.parametrize("name", UNRELATED)
def test_what_has_no_relation_to_the_input_has_no_delay(name: str) -> None:
    audio = noise(2, 1 << 16)
    measured = measure_delay(audio, UNRELATED[name](audio))
    assert measured is not None
    assert not measured.is_clear


def test_silence_has_no_delay() -> None:
    audio = noise(2, N_SAMPLES)
    assert measure_delay(audio, torch.zeros_like(audio)) is None
