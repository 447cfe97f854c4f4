"""Knobs on their way to a model at another rate: with their audio, averaged, never between two choices."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import CategoricalNeutoneParameter, ContinuousNeutoneParameter, SampleQueueWrapper

from .wrappers import Choosing, PassThrough, PerSample, delay_of, player, resampling_card


@pytest.mark.parametrize("host_block", [64, 441, 512])
@pytest.mark.parametrize(("host_hz", "model_hz"), [(44100, 48000), (96000, 44100)])
def test_curves_arrive_with_their_audio(host_hz: int, model_hz: int, host_block: int) -> None:
    # Audio and knob are the same ramp: at every sample the model multiplies values of the same moment.
    facts = resampling_card(model_hz, mono=False, parameters=[ContinuousNeutoneParameter("gain", "", 0.0)])
    play = player(PerSample(nn.Identity(), card=facts))
    play.wrapper.set_daw_sample_rate_and_buffer_size(host_hz, host_block)
    n_samples = 60 * host_block
    ramp = torch.sin(torch.arange(n_samples) * (6.0 / n_samples)).square().expand(2, -1).contiguous()
    knobs = torch.zeros(4, n_samples)
    knobs[0] = ramp[0]
    played = play(ramp, [host_block], knobs)[0, delay_of(play.wrapper) :]
    n_common = played.numel() - 500
    # Half a sample of misalignment would be off by 0.5 * 6 / n_samples.
    torch.testing.assert_close(
        played[500:n_common], ramp[0, 500:n_common].square(), rtol=0, atol=0.05 * 6.0 / n_samples
    )


def test_a_choice_is_never_between_two_choices() -> None:
    chosen: list[float] = []

    class Recording(Choosing):
        def aggregate_params(self, params: Tensor) -> Tensor:
            return params

        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            chosen.extend(params["mode"].tolist())
            return x

    facts = resampling_card(48000, parameters=[CategoricalNeutoneParameter("mode", "", 4, 0)])
    model = SampleQueueWrapper(Recording(nn.Identity(), card=facts), daw_sr=44100, daw_bs=128)
    knobs = torch.zeros(4, 128)
    knobs[0, 64:] = 1.0
    for _ in range(20):
        model(torch.zeros(1, 128), knobs)
    assert set(chosen) == {0.0, 3.0}


def means_of(host_hz: int, knobs: Tensor, host_block: int = 100) -> list[float]:
    """Return what a model at 48 kHz with blocks of 240 samples hears of its knob."""
    heard: list[float] = []

    class Recording(PassThrough):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            heard.append(float(params["gain"]))
            return x

    facts = resampling_card(48000, block=240, parameters=[ContinuousNeutoneParameter("gain", "", 0.0)])
    model = SampleQueueWrapper(Recording(nn.Identity(), card=facts), daw_sr=host_hz, daw_bs=host_block)
    for part in knobs.split(host_block, dim=1):
        model(torch.zeros(1, host_block), part)
    return heard


def test_knobs_are_averaged_over_the_models_block() -> None:
    knobs = torch.linspace(0.0, 1.0, 20_000).expand(4, -1)
    heard = np.array(means_of(96000, knobs))
    # Frame i of the model stands for the host's sample 2 (i + 1) - 84, see docs/latency.md; the mean of 480 of them.
    expected = (480 * np.arange(len(heard)) + 2 + 239.5 - 84) / 19_999
    np.testing.assert_allclose(heard[1:], expected[1:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("host_hz", [48000, 44100, 96000])
def test_a_knob_that_nobody_moves_is_the_same_from_the_first_sample(host_hz: int) -> None:
    heard = means_of(host_hz, torch.full((4, 5000), 0.7))
    assert len(heard) > 8
    assert set(heard) == {heard[0]}
    assert heard[0] == pytest.approx(0.7, abs=1e-7)
