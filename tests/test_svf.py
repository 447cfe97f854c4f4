"""The state-variable filter as torch sees it: against loops in numpy, SciPy's bilinear transform, and cut streams."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from torch import Tensor

from .conftest import Noise
from .signals import Samples

ops = torch.ops.neutone
RATE_HZ = 48000.0
N_STATE = 7
OUTPUTS = {"band": [1.0, 0.0, 0.0], "low": [0.0, 1.0, 0.0], "high": [0.0, 0.0, 1.0], "all": [0.3, -0.5, 0.8]}


def fresh_state(n_channels: int) -> Tensor:
    return torch.zeros(n_channels, N_STATE, dtype=torch.float64)


def svf(audio: Tensor, controls: tuple[Tensor, Tensor, Tensor], state: Tensor | None = None) -> Tensor:
    return ops.svf(audio, *controls, RATE_HZ, fresh_state(audio.shape[0]) if state is None else state)


def knobs(cutoff_hz: float, resonance: float, mix: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    return torch.full((1, 1, 1), cutoff_hz), torch.full((1, 1, 1), resonance), torch.tensor([[mix]])


def curves(
    n_channels: int, n_frames: int, seed: int, sizes: tuple[bool, ...] = (True,) * 6
) -> tuple[Tensor, Tensor, Tensor]:
    """Controls that jump with every frame; ``sizes`` tells which have channels, then which have frames."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(n_channels if sizes[i] else 1, n_frames if sizes[i + 3] else 1, (1, 1, 3)[i]) for i in range(3)]
    cutoff_hz, resonance, mix = (torch.rand(shape, generator=generator) for shape in shapes)
    return 20.0 * 1000.0**cutoff_hz, 0.4 * 20.0**resonance, 2.0 * mix - 1.0


def reference(audio: Tensor, controls: tuple[Tensor, Tensor, Tensor]) -> Samples:
    """Zavalishin's equations, one frame after the other, all channels at once, in float64."""
    n_channels, n_frames = audio.shape
    cutoff_hz, resonance, mix = (control.expand(n_channels, n_frames, -1).double().numpy() for control in controls)
    g, damping = np.tan(np.pi * cutoff_hz[..., 0] / RATE_HZ), 1.0 / resonance[..., 0]
    x, out = audio.double().numpy(), np.empty((n_channels, n_frames))
    s1, s2 = np.zeros(n_channels), np.zeros(n_channels)
    for n in range(n_frames):
        high = (x[:, n] - (damping[:, n] + g[:, n]) * s1 - s2) / (1.0 + damping[:, n] * g[:, n] + g[:, n] ** 2)
        band = s1 + g[:, n] * high
        low = s2 + g[:, n] * band
        s1, s2 = band + g[:, n] * high, low + g[:, n] * band
        out[:, n] = (mix[:, n] * np.stack([damping[:, n] * band, low, high], axis=1)).sum(axis=1)
    return out


# The result is rounded to float32; what both sums in float64 differ by is far below.
FLOAT32_RTOL, FLOAT64_ATOL = 2.0**-23, 1e-12


@pytest.mark.parametrize("n_channels", [1, 2, 3])
@pytest.mark.parametrize("sizes", [(a, b, c, d, e, f) for a, b, c, d, e, f in np.ndindex(*(2,) * 6)], ids=str)
def test_curves_of_every_shape_give_what_a_loop_gives(noise: Noise, n_channels: int, sizes: tuple[bool, ...]) -> None:
    audio, controls = noise(n_channels, 150, seed=1), curves(n_channels, 150, 2, sizes)
    expected = reference(audio, controls)
    actual = svf(audio, controls).double().numpy()
    np.testing.assert_allclose(actual, expected, rtol=FLOAT32_RTOL, atol=FLOAT64_ATOL)


def analog(resonance: float, mix: list[float]) -> tuple[list[float], list[float]]:
    """Numerator and denominator in powers of s over the cutoff."""
    band, low, high = mix
    return [high, band / resonance, low], [1.0, 1.0 / resonance, 1.0]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("cutoff_hz", [5.0, 300.0, 12000.0, 23000.0])
@pytest.mark.parametrize("resonance", [0.1, 0.70710678, 12.0])
def test_knobs_give_the_bilinear_transform(noise: Noise, output: str, cutoff_hz: float, resonance: float) -> None:
    # sosfilt's direct form loses digits at low cutoffs: 1e-16 of each sum, times up to (rate / cutoff)^2 / 40.
    direct_form = 1e-16 * (RATE_HZ / cutoff_hz) ** 2 + FLOAT64_ATOL
    audio, controls = noise(2, 3000, seed=3), knobs(cutoff_hz, resonance, OUTPUTS[output])
    numerator, denominator = analog(float(controls[1]), controls[2].flatten().double().tolist())
    warped = np.tan(np.pi * float(controls[0]) / RATE_HZ)  # the transform's s is (z - 1) / (z + 1)
    powers = warped ** np.arange(3)
    section = np.concatenate(scipy.signal.bilinear(numerator * powers, denominator * powers, fs=0.5))
    expected = scipy.signal.sosfilt(section[None], audio.double().numpy())
    actual = svf(audio, controls).double().numpy()
    np.testing.assert_allclose(actual, expected, rtol=FLOAT32_RTOL, atol=direct_form)


@settings(deadline=None, max_examples=60)
@given(
    blocks=st.lists(st.integers(0, 150), min_size=1, max_size=12),
    n_channels=st.integers(1, 3),
    sizes=st.tuples(*[st.booleans()] * 6),
    seed=st.integers(0, 2**32 - 1),
    bad=st.lists(st.sampled_from([torch.nan, torch.inf, -torch.inf]), max_size=3),
)
def test_how_the_stream_is_cut_does_not_change_the_output(
    noise: Noise, blocks: list[int], n_channels: int, sizes: tuple[bool, ...], seed: int, bad: list[float]
) -> None:
    audio, controls = noise(n_channels, sum(blocks), seed), curves(n_channels, sum(blocks), seed, sizes)
    for tensor in (audio, *controls):
        for i, value in enumerate(bad):
            if tensor.numel():
                tensor.view(-1)[(seed + 1) * (i + 1) * 7919 % tensor.numel()] = value
    whole = svf(audio, controls)

    state, cut, first = fresh_state(n_channels), list[Tensor](), 0
    for n in blocks:
        parts: Any = tuple(c[:, first : first + n] if c.shape[1] > 1 else c for c in controls)
        cut.append(svf(audio[:, first : first + n], parts, state))
        first += n

    torch.testing.assert_close(torch.cat(cut, dim=1), whole, rtol=0, atol=0, equal_nan=True)


def test_a_curve_for_all_is_that_curve_for_each(noise: Noise) -> None:
    audio, controls = noise(3, 200, seed=4), curves(1, 200, 5)
    repeated: Any = tuple(control.repeat(3, 1, 1) for control in controls)
    torch.testing.assert_close(svf(audio, controls), svf(audio, repeated), rtol=0, atol=0)


def test_strides_do_not_matter(noise: Noise) -> None:
    audio, controls = noise(2, 200, seed=6), curves(2, 200, 7)
    strided: Any = tuple(c.permute(2, 1, 0).contiguous().permute(2, 1, 0) for c in controls)
    torch.testing.assert_close(svf(audio.T.contiguous().T, strided), svf(audio, controls), rtol=0, atol=0)


def test_a_zeroed_state_is_a_reset_filter(noise: Noise) -> None:
    audio, controls, state = noise(2, 200, seed=8), curves(2, 200, 9), fresh_state(2)
    first = svf(audio, controls, state)
    assert not torch.equal(svf(audio, controls, state), first)
    state.zero_()
    torch.testing.assert_close(svf(audio, controls, state), first, rtol=0, atol=0)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf, 1e308, -1e308])
def test_a_state_that_is_no_filters_breaks_nothing(noise: Noise, bad: float) -> None:
    audio, controls = noise(2, 200, seed=10), curves(2, 200, 11)
    state = torch.full((2, N_STATE), bad, dtype=torch.float64)
    out = svf(audio, controls, state)
    assert state.isfinite().all()
    if not np.isfinite(bad):  # what is finite, if absurd, may have to fade
        torch.testing.assert_close(out, svf(audio, controls), rtol=0, atol=0)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_is_gone_with_the_next_frame(noise: Noise, bad: float) -> None:
    audio, controls = noise(2, 200, seed=12), knobs(1000.0, 2.0, OUTPUTS["all"])
    expected = torch.cat([svf(audio[:, :100], controls), svf(audio[:, 100:], controls)], dim=1)
    audio[0, 99] = bad
    out = svf(audio, controls)
    assert not out[0, 99].isfinite()
    torch.testing.assert_close(out[0, 100:], expected[0, 100:], rtol=0, atol=0)
    assert out[1].isfinite().all()


def test_no_frames_are_no_output() -> None:
    state = fresh_state(2)
    assert svf(torch.zeros(2, 0), curves(2, 0, 0), state).shape == (2, 0)
    assert svf(torch.zeros(2, 0), knobs(1000.0, 1.0, OUTPUTS["low"]), state).shape == (2, 0)
    assert not state.any()
