"""Models that hear the future of each block: the output is late by as much, and says so."""

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError

from .conftest import Noise
from .wrappers import card, delay_of, player, queue

KERNEL = torch.tensor([0.1, -0.3, 0.5, 0.7, 0.2])  # two samples of the past, the present, two of the future


class Centred(WaveformToWaveformBase):
    """A convolution that looks two samples back and two ahead."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x[:, None])[:, 0]


def centred(block: int, **facts: object) -> Centred:
    convolution = nn.Conv1d(1, 1, 5, bias=False)
    convolution.weight.data = KERNEL[None, None]
    sizes = {"native_buffer_sizes": [block], "look_behind_samples": 2, "look_ahead_samples": 2}
    return Centred(convolution, card=card(**(sizes | facts)))


def convolved(audio: Tensor) -> Tensor:
    padded = nn.functional.pad(audio, (2, 2))
    return nn.functional.conv1d(padded[:, None], KERNEL[None, None])[:, 0]


@pytest.mark.parametrize("scripted", [False, True], ids=["python", "scripted"])
@pytest.mark.parametrize("host_block", [1, 64, 100, 512])
@pytest.mark.parametrize("block", [1, 64])
def test_the_model_hears_both_sides_and_its_delay_is_reported(
    noise: Noise, scripted: bool, host_block: int, block: int
) -> None:
    model = queue(centred(block), scripted)
    model.set_daw_sample_rate_and_buffer_size(48_000, host_block)
    n_blocks = 1024 // host_block
    audio = noise(2, n_blocks * host_block, 3)
    played = torch.cat([model(part) for part in audio.split(host_block, dim=1)], dim=1)
    delay = model.calc_model_delay_samples() + model.calc_buffering_delay_samples()
    assert model.calc_model_delay_samples() == 2
    # What comes before is the end of the silence before the stream.
    expected = convolved(audio)[:, : played.size(1) - delay]
    torch.testing.assert_close(played[:, delay:], expected, rtol=0, atol=1e-6)


def test_offline_it_is_in_time(noise: Noise) -> None:
    audio = noise(2, 1000, 4)
    model = SampleQueueWrapper(centred(64), daw_sr=48_000, daw_bs=128)
    torch.testing.assert_close(model.forward_offline(audio), convolved(audio), rtol=0, atol=1e-6)


def test_at_another_rate_the_delay_is_the_hosts(noise: Noise) -> None:
    play = player(centred(64, native_sample_rates=[48_000], look_ahead_samples=480, look_behind_samples=4))
    play.wrapper.set_daw_sample_rate_and_buffer_size(44_100, 128)
    assert play.wrapper.calc_model_delay_samples() == 441
    assert delay_of(play.wrapper) >= 441


class Aligned(WaveformToWaveformBase):
    """Multiplies each sample by its knob, where both arrive with a look-ahead."""

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return (x * params["gain"])[:, 3:-7]


def test_curves_are_aligned_with_the_audio() -> None:
    knob = ContinuousNeutoneParameter("gain", "", 0.0)
    facts = card(native_buffer_sizes=[16], look_behind_samples=3, look_ahead_samples=7, parameters=[knob])
    model = SampleQueueWrapper(Aligned(nn.Identity(), card=facts), daw_sr=48_000, daw_bs=16)
    ramp = torch.linspace(0.0, 1.0, 320)
    played = torch.cat([model(part, part[:1].expand(4, -1)) for part in ramp.expand(2, -1).split(16, dim=1)], dim=1)
    torch.testing.assert_close(played[0, 7:], ramp[:-7].square(), rtol=0, atol=1e-6)


def test_means_are_those_of_the_samples_that_come_out() -> None:
    class Scaled(WaveformToWaveformBase):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return torch.ones(2, 16) * params["gain"]

    knob = ContinuousNeutoneParameter("gain", "", 0.0)
    facts = card(native_buffer_sizes=[16], look_ahead_samples=16, parameters=[knob])
    model = SampleQueueWrapper(Scaled(nn.Identity(), card=facts), daw_sr=48_000, daw_bs=16)
    positions = torch.rand(10, generator=torch.Generator().manual_seed(0))
    played = [float(model(torch.zeros(2, 16), position.expand(4, 1))[0, 0]) for position in positions]
    assert played == pytest.approx([0.0, *positions[:-1].tolist()], abs=1e-7)


def test_a_getter_wins_over_the_card() -> None:
    class Longer(Centred):
        def get_look_ahead_samples(self) -> int:
            return 9

    model = SampleQueueWrapper(Longer(nn.Identity(), card=card(look_ahead_samples=2)), daw_bs=64)
    assert (model.get_look_ahead_samples(), model.calc_model_delay_samples()) == (9, 9)


def test_a_negative_look_ahead_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="ModelCard: look_ahead_samples must be at least 0, got -1"):
        card(look_ahead_samples=-1)
