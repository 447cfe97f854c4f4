"""The mel spectrogram of a stream is that of the whole clip, and the bands are those of other libraries."""

import copy
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.cached_mel_spec import CachedMelSpec
from neutone_sdk.mel_scale import mel_filters
from neutone_sdk.scripting import SCRIPT_ERRORS

from .conftest import Noise

FLOAT32 = 1e-5  # relative: a transform, a square, and a sum of bins


def cut(mel_spec: Any, audio: Tensor, blocks: list[int]) -> Tensor:
    return torch.cat([mel_spec(block) for block in audio.split(blocks, dim=1)], dim=2)


@st.composite
def spectrograms(draw: st.DrawFn) -> dict[str, Any]:
    n_fft = draw(st.sampled_from([16, 31, 64]))
    return {
        "sr": 16_000,
        "n_ch": draw(st.integers(1, 3)),
        "n_fft": n_fft,
        "hop_len": draw(st.integers(1, n_fft)),
        "n_mels": 2,
        "window_fn": draw(st.sampled_from([torch.hann_window, torch.hamming_window, torch.ones])),
        "power": draw(st.sampled_from([1.0, 2.0])),
        "normalized": draw(st.booleans()),
        "center": draw(st.booleans()),
    }


@settings(deadline=None, max_examples=150)
@given(
    arguments=spectrograms(),
    blocks=st.lists(st.integers(0, 100), min_size=1, max_size=20),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_cut_gives_the_frames_of_the_whole_as_late_as_declared(
    arguments: dict[str, Any], blocks: list[int], seed: int, noise: Noise
) -> None:
    mel_spec = CachedMelSpec(**arguments)
    audio = noise(mel_spec.n_ch, sum(blocks), seed)

    frames = cut(mel_spec, audio, blocks)[:, :, mel_spec.get_delay_frames() :]

    whole = mel_spec.forward_offline(audio)[:, :, : frames.size(2)]
    torch.testing.assert_close(frames, whole, rtol=FLOAT32, atol=FLOAT32)


@settings(deadline=None, max_examples=50)
@given(arguments=spectrograms(), n_hops=st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_whole_hops_bring_as_many_frames(arguments: dict[str, Any], n_hops: list[int]) -> None:
    mel_spec = CachedMelSpec(**arguments)

    n_frames = [mel_spec(torch.zeros(mel_spec.n_ch, n * mel_spec.hop_len)).size(2) for n in n_hops]

    assert n_frames == n_hops


@pytest.mark.parametrize("n_samples", [1, 511, 512, 5000])
@pytest.mark.parametrize(("n_fft", "hop_len"), [(2048, 512), (1024, 300), (512, 512)])
def test_a_frame_comes_as_soon_as_its_window_ends(n_fft: int, hop_len: int, n_samples: int) -> None:
    mel_spec = CachedMelSpec(16_000, 1, n_fft, hop_len, n_mels=20)

    n_frames = mel_spec(torch.zeros(1, n_samples)).size(2)

    n_centred = (n_samples - n_fft // 2) // hop_len + 1  # that the clip holds all of the right half of
    assert n_frames == n_centred + mel_spec.get_delay_frames()


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_offline_is_made_of_the_transform_of_torch(power: float, normalized: bool, noise: Noise) -> None:
    audio = noise(2, 16_000, 0)
    mel_spec = CachedMelSpec(16_000, 2, 1024, 256, 50.0, 7000.0, 40, torch.hamming_window, power, normalized)
    window = torch.hamming_window(1024)
    spectra = torch.stft(audio, 1024, 256, window=window, pad_mode="constant", return_complex=True).abs()
    if normalized:
        spectra /= window.square().sum().sqrt()

    expected = slow_filters(513, 16_000, 50.0, 7000.0, 40).T @ spectra.pow(power)

    torch.testing.assert_close(mel_spec.forward_offline(audio), expected, rtol=FLOAT32, atol=FLOAT32)


def slow_filters(n_bins: int, rate_hz: int, f_min_hz: float, f_max_hz: float, n_mels: int) -> Tensor:
    """Return the triangles, bin by bin, as HTK's book has them."""
    lowest, highest = (2595.0 * math.log10(1.0 + f / 700.0) for f in (f_min_hz, f_max_hz))
    mels = [lowest + (highest - lowest) * i / (n_mels + 1) for i in range(n_mels + 2)]
    corners_hz = [700.0 * (10.0 ** (mel / 2595.0) - 1.0) for mel in mels]
    filters = torch.zeros(n_bins, n_mels)
    for i in range(n_bins):
        f_hz = i * (rate_hz / 2) / (n_bins - 1)
        for band, (left, middle, right) in enumerate(zip(corners_hz, corners_hz[1:], corners_hz[2:], strict=False)):
            if left < f_hz <= middle:
                filters[i, band] = (f_hz - left) / (middle - left)
            elif middle < f_hz < right:
                filters[i, band] = (right - f_hz) / (right - middle)
    return filters


def test_bands_are_those_of_librosa() -> None:
    """Of librosa 0.11: filters.mel(sr=16000, n_fft=400, n_mels=8, fmin=20, fmax=7600, htk=True, norm=None)."""
    filters = mel_filters(201, 16_000, 20.0, 7600.0, 8).T
    expected = {
        0: (1, 13, [0.088999, 0.266996, 0.444993, 0.622991, 0.800988, 0.978985], 6.517671),
        3: (24, 52, [0.066038, 0.144833, 0.223628, 0.302423, 0.381218, 0.460012], 14.675869),
        7: (104, 189, [0.025937, 0.052521, 0.079104, 0.105688, 0.132271, 0.158855], 43.482780),
    }

    for band, (first, last, start, total) in expected.items():
        bins = filters[band].nonzero()
        assert (int(bins[0]), int(bins[-1])) == (first, last)
        torch.testing.assert_close(filters[band, first : first + 6], torch.tensor(start), rtol=0, atol=1e-6)
        torch.testing.assert_close(filters[band].sum(), torch.tensor(total), rtol=1e-6, atol=0)


def test_delay_is_that_of_older_code_where_hops_divide_the_window() -> None:
    mel_spec = CachedMelSpec(44_100, 1, 2048, 128, n_mels=16)

    assert (mel_spec.get_delay_samples(), mel_spec.get_delay_frames()) == (2048 // 2 - 128, 7)
    assert CachedMelSpec(44_100, 1, 2048, 128, n_mels=16, center=False).get_delay_samples() == 0
    assert mel_spec.get_receptive_field_samples() == 2048


def test_script_and_frozen_script_are_as_python_and_reset_is_fresh(noise: Noise) -> None:
    audio, blocks = noise(2, 20_000, 0), [5000, 0, 1, 4999, 10_000]
    eager = CachedMelSpec(44_100, 2).eval()
    expected = cut(eager, audio, blocks)
    script = torch.jit.script(copy.deepcopy(eager))
    frozen = torch.jit.freeze(torch.jit.script(CachedMelSpec(44_100, 2).eval()), preserved_attrs=["reset"])

    for mel_spec in (eager, script, frozen):
        mel_spec.reset()
        first = cut(mel_spec, audio, blocks)
        mel_spec.reset()
        torch.testing.assert_close(first, expected, rtol=FLOAT32, atol=FLOAT32)
        assert torch.equal(cut(mel_spec, audio, blocks), first)


def test_preparing_forgets_and_ends_training(noise: Noise) -> None:
    mel_spec = CachedMelSpec(44_100, 1)
    fresh = mel_spec(noise(1, 4096, 0))

    mel_spec.prepare_for_inference()

    assert not mel_spec.training
    assert torch.equal(mel_spec(noise(1, 4096, 0)), fresh)


def test_frames_and_input_are_not_shared(noise: Noise) -> None:
    audio = noise(1, 8192, 0)
    mel_spec = CachedMelSpec(44_100, 1)
    block = audio[:, :4096].clone()
    first = mel_spec(block)
    kept = first.clone()
    assert torch.equal(block, audio[:, :4096])
    block.fill_(torch.nan)

    second = mel_spec(audio[:, 4096:])

    assert torch.equal(first, kept)
    torch.testing.assert_close(second[:, :, -1], cut(CachedMelSpec(44_100, 1), audio, [8192])[:, :, -1])


def test_gradients_flow(noise: Noise) -> None:
    mel_spec = CachedMelSpec(44_100, 1)
    for run in (mel_spec, mel_spec, mel_spec.forward_offline):
        audio = noise(1, 4096, 0).requires_grad_()
        run(audio).sum().backward()
        assert audio.grad is not None
        assert audio.grad.abs().sum() > 0


def test_checkpoints_of_older_code_load() -> None:
    mel_spec = CachedMelSpec(16_000, 1, 512, 128, n_mels=8)
    older = {
        "padding": torch.zeros(1, 384),
        "mel_spec.spectrogram.window": torch.hann_window(512),
        "mel_spec.mel_scale.fb": torch.zeros(257, 8),
    }

    torch.nn.Sequential(mel_spec).load_state_dict({f"0.{name}": value for name, value in older.items()})

    assert list(mel_spec.state_dict()) == []
    assert mel_spec.filters.abs().sum() > 0


def test_bands_without_a_bin_are_a_warning() -> None:
    with pytest.warns(UserWarning, match="of 128 mel bands hold no bin"):
        CachedMelSpec(44_100, 1, n_fft=256, hop_len=64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_ch": 0}, "n_ch must be at least 1"),
        ({"hop_len": 2049}, "hop_len must be at most n_fft, 2048"),
        ({"f_min": 5.0, "f_max": 5.0}, "f_min < f_max"),
        ({"f_max": 30_000.0}, "f_max <= 22050.0"),
        ({"f_min": -1.0}, "0 <= f_min"),
        ({"power": 0.0}, "power must be above 0"),
        ({"window_fn": lambda n: torch.ones(n + 1)}, r"window must have shape \(2048,\)"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CachedMelSpec(**{"sr": 44_100, "n_ch": 1, **arguments})


def test_arguments_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match="sr must be an integer"):
        CachedMelSpec(44_100.0, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"window must be a tensor of floats, got torch\.int64"):
        CachedMelSpec(44_100, 1, window_fn=torch.arange)


def test_another_number_of_channels_is_refused() -> None:
    mel_spec = CachedMelSpec(44_100, 2)
    for run in (mel_spec, mel_spec.forward_offline, torch.jit.script(mel_spec)):
        with pytest.raises((ValueError, *SCRIPT_ERRORS), match=r"audio must have shape \(2, samples\), got \[1, 512\]"):
            run(torch.zeros(1, 512))
