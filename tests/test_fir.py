"""The FIR operators as torch sees them, against scipy: streams, designs and changes of taps."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import neutone_sdk  # noqa: F401  (loads the operators)

from .conftest import Noise

ops = torch.ops.neutone
Design = tuple[str, list[float]]

RATE_HZ = 48000.0
DESIGNS: list[Design] = [
    ("lowpass", [3000.0]),
    ("highpass", [3000.0]),
    ("bandpass", [3000.0, 12000.0]),
    ("bandstop", [3000.0, 12000.0]),
]
# For audio of at most 1 and taps whose absolute sum is 1; sums are made in float32.
FLOAT32_SUMS = 1e-6


def random_taps(n_taps: int, seed: int) -> Tensor:
    """Return float64 taps whose absolute sum is 1."""
    taps = torch.randn(n_taps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return taps / taps.abs().sum()


def stream(taps: Tensor, n_channels: int) -> tuple[Tensor, Tensor, Tensor]:
    table, history, state = ops.new_fir(taps, n_channels)
    return table, history, state


def filtered(taps: Tensor, audio: Tensor) -> np.ndarray:
    return scipy.signal.fftconvolve(audio.double().numpy(), taps.numpy()[None], axes=1)[:, : audio.shape[1]]


def gains(taps: Tensor, frequencies_hz: np.ndarray) -> np.ndarray:
    return np.abs(scipy.signal.freqz(taps.numpy(), worN=frequencies_hz, fs=RATE_HZ)[1])


@pytest.mark.parametrize("n_taps", [1, 2, 31, 128, 129, 257, 1000])
def test_a_filter_is_scipys_lfilter(n_taps: int, noise: Noise) -> None:
    taps, audio = random_taps(n_taps, seed=1), noise(3, 5000, seed=2)
    expected = scipy.signal.lfilter(taps.numpy(), [1.0], audio.double().numpy(), axis=1)
    np.testing.assert_allclose(ops.fir(audio, *stream(taps, 3)).numpy(), expected, rtol=0, atol=FLOAT32_SUMS)


@pytest.mark.parametrize("n_taps", [4097, 65537, 100_000])
def test_a_long_filter_is_scipys_fftconvolve(n_taps: int, noise: Noise) -> None:
    taps, audio = random_taps(n_taps, seed=3), noise(2, n_taps + 9000, seed=4)
    actual = ops.fir(audio, *stream(taps, 2)).numpy()
    np.testing.assert_allclose(actual, filtered(taps, audio), rtol=0, atol=FLOAT32_SUMS)


@given(
    blocks=st.lists(st.integers(0, 700), min_size=1, max_size=20),
    n_taps=st.sampled_from([1, 31, 128, 129, 500, 2000]),
    n_channels=st.integers(1, 3),
    change=st.integers(0, 19),
    n_fade_frames=st.integers(0, 3000),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_how_the_stream_is_cut_changes_no_bit(
    noise: Noise, blocks: list[int], n_taps: int, n_channels: int, change: int, n_fade_frames: int, seed: int
) -> None:
    audio = noise(n_channels, sum(blocks), seed)
    before, behind = random_taps(n_taps, seed), random_taps(n_taps, seed + 1)
    whole, cut = stream(before, n_channels), stream(before, n_channels)
    n_before = sum(blocks[:change])

    expected = [ops.fir(audio[:, :n_before], *whole)]
    ops.fir_set_taps(behind, n_fade_frames, *whole)
    expected.append(ops.fir(audio[:, n_before:], *whole))

    actual = []
    for i, block in enumerate([*audio.split(blocks, dim=1), audio[:, :0]]):
        if i == min(change, len(blocks)):
            ops.fir_set_taps(behind, n_fade_frames, *cut)
        actual.append(ops.fir(block, *cut))
    assert torch.equal(torch.cat(actual, dim=1), torch.cat(expected, dim=1))


@pytest.mark.parametrize("n_taps", [31, 1000])
def test_new_taps_fade_in(n_taps: int, noise: Noise) -> None:
    before, behind, audio = random_taps(n_taps, seed=5), random_taps(n_taps, seed=6), noise(2, 4000, seed=7)
    filter_ = stream(before, 2)
    first = ops.fir(audio[:, :1500], *filter_)
    ops.fir_set_taps(behind, 1000, *filter_)
    actual = torch.cat([first, ops.fir(audio[:, 1500:], *filter_)], dim=1)
    part = np.clip((np.arange(4000) - 1499) / 1000, 0.0, 1.0)
    expected = (1.0 - part) * filtered(before, audio) + part * filtered(behind, audio)
    np.testing.assert_allclose(actual.numpy(), expected, rtol=0, atol=FLOAT32_SUMS)


@pytest.mark.parametrize("n_taps", [31, 1000])
def test_reset_is_a_fresh_start(n_taps: int, noise: Noise) -> None:
    taps, audio = random_taps(n_taps, seed=8), noise(2, 3000, seed=9)
    filter_ = stream(random_taps(n_taps, seed=10), 2)
    ops.fir(audio, *filter_)
    ops.fir_set_taps(taps, 10_000, *filter_)
    ops.fir(audio, *filter_)
    ops.fir_reset(*filter_)
    assert torch.equal(ops.fir(audio, *filter_), ops.fir(audio, *stream(taps, 2)))


@pytest.mark.parametrize("change", [Tensor.clone, lambda tensor: tensor.T.contiguous().T])
def test_audio_is_left_alone_and_may_have_any_strides(change: Callable[[Tensor], Tensor], noise: Noise) -> None:
    taps, audio = random_taps(1000, seed=11), noise(2, 2000, seed=12)
    given_audio = change(audio)
    assert torch.equal(ops.fir(given_audio, *stream(taps, 2)), ops.fir(audio, *stream(taps, 2)))
    assert torch.equal(given_audio, audio)


def test_a_saved_stream_goes_on_where_it_was(noise: Noise) -> None:
    taps, audio = random_taps(1000, seed=13), noise(2, 2000, seed=14)
    filter_ = stream(taps, 2)
    ops.fir(audio, *filter_)
    copies = [tensor.clone() for tensor in filter_]
    assert torch.equal(ops.fir(audio, *filter_), ops.fir(audio, *copies))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("n_taps", [301, 4097])
def test_designs_pass_and_stop(design: Design, n_taps: int) -> None:
    # Kaiser's formulas for beta 12: -117.6 dB, and a transition of 7.64 / n_taps of the rate.
    kind, cutoffs_hz = design
    frequencies_hz = np.linspace(0.0, RATE_HZ / 2, 5000)
    edges = np.abs(frequencies_hz[:, None] - np.array(cutoffs_hz)[None]).min(axis=1) > 4.0 / n_taps * RATE_HZ
    above = (frequencies_hz[:, None] > np.array(cutoffs_hz)[None]).sum(axis=1) % 2 == 1
    passes = above == (kind in {"highpass", "bandpass"})
    gain = gains(ops.fir_design(kind, cutoffs_hz, RATE_HZ, n_taps), frequencies_hz)
    assert np.abs(gain[edges & passes] - 1.0).max() <= 1e-5
    assert 20.0 * np.log10(gain[edges & ~passes].max()) <= -117.0


@pytest.mark.parametrize("design", DESIGNS)
def test_designs_are_scipys(design: Design) -> None:
    # Cutoffs at -6 dB, a Kaiser window, gain 1 in the same places.
    float64_sums = 1e-13
    kind, cutoffs_hz = design
    expected = scipy.signal.firwin(1001, cutoffs_hz, window=("kaiser", 12.0), pass_zero=kind, fs=RATE_HZ)
    np.testing.assert_allclose(
        ops.fir_design(kind, cutoffs_hz, RATE_HZ, 1001).numpy(), expected, rtol=0, atol=float64_sums
    )


@pytest.mark.parametrize("design", DESIGNS)
def test_a_designed_filter_delays_by_half_its_length(design: Design) -> None:
    impulse = torch.zeros(1, 2001)
    impulse[0, 0] = 1.0
    response = ops.fir(impulse, *stream(ops.fir_design(*design, RATE_HZ, 2001), 1))[0]
    assert response.abs().argmax() == 1000
    torch.testing.assert_close(response, response.flip(0), rtol=0, atol=FLOAT32_SUMS)
