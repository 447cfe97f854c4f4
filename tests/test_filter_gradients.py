"""Filters under autograd."""

import pytest
import torch
from torch import Tensor

from neutone_sdk.filters import IIRSVF

from .conftest import Noise
from .filter_examples import FILTERS, FLOAT32_OUTPUT, RATE


@pytest.mark.parametrize("name", FILTERS)
def test_gradients_are_those_of_the_same_filter(noise: Noise, name: str) -> None:
    n_samples = 120
    audio = noise(2, n_samples, 9).requires_grad_()
    filtered = FILTERS[name]()(audio)
    with torch.no_grad():
        torch.testing.assert_close(filtered.detach(), FILTERS[name]()(audio.detach()), rtol=0, atol=FLOAT32_OUTPUT)
        impulse = torch.zeros(1, n_samples)
        impulse[0, 0] = 1.0
        response = FILTERS[name]()(impulse)[0]
    # The last output depends on input n - k by the impulse response at k.
    filtered[0, -1].backward()
    assert audio.grad is not None
    torch.testing.assert_close(audio.grad[0].flip(0), response, rtol=1e-4, atol=FLOAT32_OUTPUT)
    assert not audio.grad[1].any()


def test_controls_of_the_svf_have_gradients(noise: Noise) -> None:
    cutoff = torch.full((1, 1, 1), 500.0, requires_grad=True)
    resonance = torch.full((1, 1, 1), 2.0, requires_grad=True)
    mix = torch.tensor([[[0.2, 1.0, 0.3]]], requires_grad=True)

    def energy() -> Tensor:
        return IIRSVF()(noise(1, 200, 10), cutoff, resonance, mix, RATE).square().sum()

    energy().backward()
    for control, step in ((cutoff, 0.5), (resonance, 2e-3), (mix, 1e-3)):
        assert control.grad is not None
        kept = control.data.clone()
        sides = []
        for sign in (1.0, -1.0):
            control.data = kept.clone()
            control.data.view(-1)[0] += sign * step
            with torch.no_grad():
                sides.append(float(energy()))
        control.data = kept
        slope = (sides[0] - sides[1]) / (2.0 * step)
        assert float(control.grad.view(-1)[0]) == pytest.approx(slope, rel=2e-2, abs=1e-4)


def test_a_call_with_gradients_leaves_the_stream_where_it_is(noise: Noise) -> None:
    for make in FILTERS.values():
        first, second = noise(2, 300, 11), noise(2, 300, 12)
        expected = make()(torch.cat([first, second], dim=1))[:, 300:]
        module = make()
        module(first)
        module(noise(2, 50, 13).requires_grad_())
        assert torch.equal(module(second), expected)
