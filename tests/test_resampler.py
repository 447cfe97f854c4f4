"""The streaming resampler as torch sees it: rates, quality in dB, and what it refuses."""

import copy
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk import NeutoneError, Resampler, resample
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError

from .conftest import Noise
from .signals import sine, snr_db, tone_and_rest

RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
PAIRS = [*permutations(RATES_HZ, 2), (44100, 47999), (47999, 44100)]
QUALITIES = ("low_latency", "standard", "high")


def settled(audio: Tensor, from_hz: int, to_hz: int, quality: str = "standard") -> np.ndarray:
    """Resample and leave out both ends, where the signal begins and stops."""
    resampled = resample(audio, from_hz, to_hz, quality)[0].double().numpy()
    edge = 300 * max(1, to_hz // from_hz)
    return resampled[edge:-edge]


def measure(frequency_hz: float, from_hz: int, to_hz: int, quality: str = "standard") -> tuple[float, float]:
    """Return the gain in dB, and the SNR in dB: distortion, images and aliases are all in the noise."""
    n_samples = int(0.1 * from_hz) + 1200 * max(1, from_hz // to_hz)
    samples = settled(sine(frequency_hz, from_hz, n_samples), from_hz, to_hz, quality)
    amplitude, _ = tone_and_rest(samples, frequency_hz, to_hz)
    return 20.0 * np.log10(amplitude / 0.9), snr_db(samples, frequency_hz, to_hz)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (48000, 44100)])
def test_standard_quality_reaches_its_figures(from_hz: int, to_hz: int) -> None:
    assert measure(997.0, from_hz, to_hz)[1] >= 144.0
    assert measure(18_000.0, from_hz, to_hz)[1] >= 130.0
    gain_db, images_db = measure(20_000.0, from_hz, to_hz)
    assert abs(gain_db) <= 0.001
    assert images_db >= 125.0
    assert Resampler(from_hz, to_hz).delay_samples <= 54.0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (48000, 44100)])
def test_low_latency_reaches_its_figures(from_hz: int, to_hz: int) -> None:
    assert Resampler(from_hz, to_hz, quality="low_latency").delay_samples <= 18.0
    for frequency_hz in (997.0, 10_000.0, 15_500.0):
        assert measure(frequency_hz, from_hz, to_hz, "low_latency")[1] >= 85.0


# Input and output are rounded to float32, each -153.7 dB below a sine: -150.7 dB together, at best.
FLOAT32_SNR_DB = 149.0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (48000, 44100), (44100, 47999), (96000, 44100)])
@pytest.mark.parametrize("frequency_hz", [997.0, 10_000.0, 20_000.0, 21_000.0])
def test_high_quality_is_as_good_as_float32_allows(frequency_hz: float, from_hz: int, to_hz: int) -> None:
    gain_db, noise_db = measure(frequency_hz, from_hz, to_hz, "high")
    assert abs(gain_db) <= 1e-5
    assert noise_db >= FLOAT32_SNR_DB


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (48000, 44100), (96000, 44100)])
def test_high_quality_adds_no_more_than_the_rounding_of_its_output(from_hz: int, to_hz: int, noise: Noise) -> None:
    # Against the same filter applied in float64 to the same float32 input, by its definition.
    audio = noise(1, 3000, seed=1)
    table, _, state = torch.ops.neutone.new_resampler(from_hz, to_hz, "high", 1)
    up, down, half_taps = state[:3].tolist()
    resampled = resample(audio, from_hz, to_hz, "high")[0].double().numpy()
    expected = by_definition(audio[0].double().numpy(), table.numpy(), up, down, half_taps, len(resampled))
    error = resampled - expected
    assert 10.0 * np.log10(np.mean(expected**2) / np.mean(error**2)) >= 150.0


def by_definition(samples: np.ndarray, table: np.ndarray, up: int, down: int, half_taps: int, n_out: int) -> np.ndarray:
    # Row r is for the r-th output frame of a period, and begins with that of the first of each four.
    rows = {row * down % up: row for row in range(up)}
    padded = np.concatenate([np.zeros(2 * half_taps), samples, np.zeros(2 * half_taps)])
    out = np.empty(n_out)
    for m in range(n_out):
        last, phase = divmod(m * down + half_taps * up - 1, up)
        row = rows[phase]
        first = row * down // up - (row - row % 4) * down // up
        out[m] = table[row, first : first + 2 * half_taps] @ padded[last + 1 : last + 1 + 2 * half_taps]
    return out


# Everything that is not the tone: float32 sums leave less than -140 dB, images of the upper end of the band -125.
@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_every_pair_of_rates_is_clean(from_hz: int, to_hz: int) -> None:
    lower = min(from_hz, to_hz)
    gain_db, noise_db = measure(0.0226 * lower, from_hz, to_hz)  # 997 Hz of 44100
    assert abs(gain_db) <= 1e-5
    assert noise_db >= 140.0
    assert measure(0.42 * lower, from_hz, to_hz)[1] >= 125.0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(96000, 44100), (96000, 48000), (192000, 8000), (48000, 16000)])
def test_what_would_alias_into_the_band_is_gone(from_hz: int, to_hz: int) -> None:
    mirrored_hz = to_hz * (1.0 - 20.0 / 44.1)  # would come out at the edge of the band
    samples = settled(sine(mirrored_hz, from_hz, from_hz // 4), from_hz, to_hz)
    assert 20.0 * np.log10(np.sqrt(2.0) * np.std(samples) / 0.9) <= -125.0


@given(
    pair=st.sampled_from([(44100, 48000), (48000, 44100), (44100, 47999), (96000, 8000), (8000, 48000)]),
    blocks=st.lists(st.integers(0, 700), min_size=1, max_size=20),
    quality=st.sampled_from(QUALITIES),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_how_the_stream_is_cut_changes_no_bit(
    noise: Noise, pair: tuple[int, int], blocks: list[int], quality: str, seed: int
) -> None:
    audio = noise(2, sum(blocks), seed)
    whole = Resampler(*pair, quality=quality)(audio)

    stream = Resampler(*pair, quality=quality)
    cut = torch.cat([stream(block) for block in audio.split(blocks, dim=1)], dim=1)

    assert torch.equal(cut, whole)
    assert whole.shape[1] == audio.shape[1] * pair[1] // pair[0]


@given(
    channels=st.integers(1, 5),
    n_samples=st.integers(0, 2000),
    pair=st.sampled_from([(44100, 48000), (48000, 44100), (96000, 8000)]),
)
@settings(deadline=None)
def test_a_whole_signal_has_the_length_of_its_duration(
    noise: Noise, channels: int, n_samples: int, pair: tuple[int, int]
) -> None:
    resampled = resample(noise(channels, n_samples, seed=0), *pair)
    assert resampled.shape == (channels, -(-n_samples * pair[1] // pair[0]))
    assert resampled.is_contiguous()


def test_a_whole_signal_is_in_time_with_the_input() -> None:
    times_s = np.arange(48000) / 48000
    resampled = settled(sine(997.0, 44100, 44100), 44100, 48000)
    expected = 0.9 * np.sin(2.0 * np.pi * 997.0 * times_s)[300:-300]
    assert np.abs(resampled - expected).max() <= 2e-7 * np.sqrt(2)


def test_stream_and_whole_signal_are_the_same_samples(noise: Noise) -> None:
    # Where the delay is a whole number of output samples, the one is the other, late.
    audio = noise(2, 5000, seed=3)
    stream = Resampler(96000, 48000)
    delay = Fraction(stream.delay_samples)
    assert delay.denominator == 1
    late = stream(audio)
    whole = resample(audio, 96000, 48000)
    n_common = late.shape[1] - int(delay)
    torch.testing.assert_close(late[:, int(delay) :], whole[:, :n_common], rtol=0, atol=0)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("scripted", [False, True])
def test_reset_is_a_fresh_start(quality: str, scripted: bool, noise: Noise) -> None:
    audio = noise(2, 3000, seed=5)
    module = Resampler(44100, 48000, quality=quality)
    stream = torch.jit.script(module) if scripted else module
    first = stream(audio)
    assert not torch.equal(stream(audio), first)
    stream.reset()
    assert torch.equal(stream(audio), first)


def test_a_copy_goes_its_own_way(noise: Noise) -> None:
    audio = noise(2, 3000, seed=6)
    stream = Resampler(44100, 48000)
    stream(audio)
    twin = copy.deepcopy(stream)
    expected = stream(audio)
    stream(audio)
    assert torch.equal(twin(audio), expected)


def test_a_saved_stream_goes_on_where_it_was(noise: Noise) -> None:
    audio = noise(2, 3000, seed=7)
    stream = Resampler(44100, 48000)
    stream(audio)
    other = Resampler(44100, 48000)
    other.load_state_dict(stream.state_dict())
    assert torch.equal(other(audio), stream(audio))


def test_the_stream_of_another_filter_is_not_taken_over() -> None:
    stream = Resampler(44100, 48000)
    with pytest.raises(RuntimeError, match="state is that of a resampler with other rates or another quality"):
        stream.load_state_dict(Resampler(47700, 48000).state_dict())
    assert stream(torch.zeros(2, 44100)).shape == (2, 48000)


def test_resampled_audio_has_no_gradient() -> None:
    audio = torch.zeros(1, 100, requires_grad=True)
    assert not resample(audio, 44100, 48000).requires_grad
    assert not resample(audio, 48000, 48000).requires_grad


@pytest.mark.parametrize(
    ("from_hz", "to_hz", "quality"),
    [(384_000, 22_050, "high"), (768_000, 12_001, "high"), (768_000, 3_009, "standard"), (44_100, 47_999, "high")],
)
def test_tables_stay_small_and_good(from_hz: int, to_hz: int, quality: str) -> None:
    table, _, _ = torch.ops.neutone.new_resampler(from_hz, to_hz, quality, 1)
    assert table.numel() * table.element_size() <= 5_000_000
    assert measure(0.1 * to_hz, from_hz, to_hz, quality)[1] >= 135.0


@pytest.mark.parametrize("quality", QUALITIES)
def test_equal_rates_are_a_wire(quality: str, noise: Noise) -> None:
    audio = noise(2, 500, seed=8)
    audio[0, 3], audio[1, 4], audio[0, 5] = torch.inf, torch.nan, 1e-40
    wire = Resampler(48000, 48000, quality=quality)
    assert torch.equal(wire(audio).nan_to_num(9.0), audio.nan_to_num(9.0))
    copied = resample(audio, 48000, 48000, quality)
    assert torch.equal(copied.nan_to_num(9.0), audio.nan_to_num(9.0))
    assert copied.data_ptr() != audio.data_ptr()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_passes_and_is_gone_after_the_filters_length(bad: float, noise: Noise) -> None:
    audio = noise(1, 3000, seed=9)
    expected = resample(audio, 44100, 48000)
    audio[0, 1000] = bad
    resampled = resample(audio, 44100, 48000)
    touched = (~(resampled == expected)).nonzero()[:, 1]
    assert not resampled.isfinite().all()
    assert 1000 * 48 / 44.1 - touched.min() <= 49
    assert touched.max() - 1000 * 48 / 44.1 <= 49


def test_strided_audio_works(noise: Noise) -> None:
    audio = noise(2, 2000, seed=10)
    interleaved = audio.T.contiguous().T
    assert torch.equal(resample(interleaved, 44100, 48000), resample(audio, 44100, 48000))


@pytest.mark.parametrize("make", [Resampler, lambda f, t, q="standard": resample(torch.zeros(2, 9), f, t, q)])
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ((0, 48000), InvalidArgumentError, r"rates must be in 1\.\.768000 Hz, got 0 and 48000"),
        ((48000, -5), InvalidArgumentError, r"rates must be in 1\.\.768000 Hz, got 48000 and -5"),
        ((48000, 768001), InvalidArgumentError, "768001"),
        ((48000, 44100.0), InvalidTypeError, "to_hz must be an integer, got 44100.0"),
        ((True, 44100), InvalidTypeError, "from_hz must be an integer, got True"),
        ((768000, 100), InvalidArgumentError, "at most 256 times the other"),
    ],
)
def test_rates_that_make_no_sense_are_refused(
    make: object, settings: tuple[int, int], error: type[NeutoneError], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(*settings)  # type: ignore[operator]


def test_other_bad_arguments_are_refused(noise: Noise) -> None:
    with pytest.raises(InvalidArgumentError, match="quality must be one of low_latency, standard, high, got 'best'"):
        Resampler(44100, 48000, quality="best")
    with pytest.raises(InvalidArgumentError, match="n_channels must be at least 1, got 0"):
        Resampler(44100, 48000, n_channels=0)
    with pytest.raises(InvalidAudioError, match="audio must be float32 of shape"):
        resample(torch.zeros(5), 44100, 48000)
    with pytest.raises(InvalidAudioError, match=r"dense tensor on the CPU, got .* on meta"):
        resample(torch.zeros(1, 5, device="meta"), 44100, 48000)
    with pytest.raises(InvalidAudioError, match="float64"):
        resample(torch.zeros(1, 5, dtype=torch.float64), 44100, 48000)
    stream = Resampler(44100, 48000)
    before = stream.state.clone()
    with pytest.raises(RuntimeError, match="audio must have the resampler's 2 channels, got 1"):
        stream(noise(1, 50, seed=0))
    assert torch.equal(stream.state, before)
