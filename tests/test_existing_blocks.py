"""A model of a 1.x wrapper sees only its native block sizes, is told rate and size, and may be late or look back."""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of
# What a wrapper calls self.model is any module.
# mypy: disable-error-code="assignment, operator, return-value"

import math
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor, nn

from .conftest import Noise
from .helpers_existing import ExistingWrapper, Halve, assert_plays, export, exported, late, play

HUNDREDS = [*range(256, 256 * 301, 256)]


class CountsSamples(ExistingWrapper):
    """Plays its input on the left, and on the right how many samples it got."""

    def __init__(self, model: nn.Module, sizes: List[int], rate_hz: int) -> None:
        super().__init__(model)
        self.sizes = sizes
        self.rate_hz = rate_hz

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:
        return [self.rate_hz]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return self.sizes

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return torch.stack([x[0], torch.full_like(x[0], x.size(1))])


@pytest.mark.parametrize(
    ("sizes", "rate_hz", "host_block", "model_block"),
    [
        pytest.param([960], 48000, 512, 960, id="960"),
        pytest.param([2048], 44100, 441, 2048, id="2048"),
        pytest.param([2048], 96000, 4096, 2048, id="two of 2048"),
        pytest.param([16000], 16000, 1024, 16000, id="a second at 16 kHz"),
        pytest.param(HUNDREDS, 48000, 1024, 1024, id="hundreds, one of them the host's"),
        pytest.param(HUNDREDS, 48000, 300, 19200, id="hundreds, one of them a multiple of the host's"),
        pytest.param(HUNDREDS, 48000, 441, 512, id="hundreds, none of them a multiple"),
        pytest.param([], 44100, 441, 441, id="any"),
    ],
)
def test_model_sees_exactly_a_native_size(
    sizes: List[int], rate_hz: int, host_block: int, model_block: int, tmp_path: Path, noise: Noise
) -> None:
    script = export(CountsSamples(Halve(), sizes, rate_hz), tmp_path).load()
    audio = noise(2, host_block * math.ceil(2.5 * model_block / host_block), seed=0)

    expected = torch.stack([audio[0], torch.full_like(audio[0], float(model_block))])
    assert_plays(script, audio, expected, block=host_block, rate_hz=rate_hz)


class Told(nn.Module):
    """Plays the rate on the left and the size on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.rate_hz = 0
        self.n_samples = 0

    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor([[float(self.rate_hz)], [float(self.n_samples)]]).expand(2, x.size(1))


class IsTold(ExistingWrapper):
    def get_native_sample_rates(self) -> List[int]:
        return [32000, 44100, 48000]

    def get_native_buffer_sizes(self) -> List[int]:
        return [128, 512]

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.model.rate_hz = sample_rate
        self.model.n_samples = n_samples
        return True

    def calc_model_delay_samples(self) -> int:
        return self.model.n_samples // 4


@pytest.mark.parametrize(
    ("settings", "rate_hz", "model_block"),
    [
        pytest.param((48000, 256), 48000, 512, id="a multiple"),
        pytest.param((44100, 128), 44100, 128, id="the host's"),
        pytest.param((32000, 128, None, 512), 32000, 512, id="size chosen by the host"),
        pytest.param((44100, 100, 44100, 128), 44100, 128, id="rate and size chosen by the host"),
    ],
)
def test_model_is_told_its_rate_and_size_and_delays_accordingly(
    settings: tuple[int, ...], rate_hz: int, model_block: int
) -> None:
    script = exported(IsTold, Told).load()
    host_block = settings[1]

    script.set_daw_sample_rate_and_buffer_size(*settings)

    outputs = [script(torch.zeros(2, host_block)) for _ in range(-(-model_block // host_block) + 1)]
    assert torch.equal(outputs[-1][:, -1], torch.tensor([float(rate_hz), float(model_block)]))
    assert script.calc_model_delay_samples() == model_block // 4


def test_what_the_model_was_told_at_export_is_not_what_it_plays(noise: Noise) -> None:
    script = exported(IsTold, Told).load()

    first = play(script, noise(2, 512, seed=0), 512, rate_hz=48000)
    second = play(script, noise(2, 512, seed=0), 128, rate_hz=44100)

    assert torch.equal(first[:, 0], torch.tensor([48000.0, 512.0]))
    assert torch.equal(second[:, 0], torch.tensor([44100.0, 128.0]))


class Comb(nn.Module):
    """Subtracts what came a millisecond before, whatever the rate."""

    past: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(2, 1))

    def tune(self, rate_hz: int) -> None:
        self.past = torch.zeros(2, rate_hz // 1000)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([self.past, x], dim=1)
        self.past = both[:, x.size(1) :]
        return x - both[:, : x.size(1)]


class Retunes(ExistingWrapper):
    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return [96]

    @torch.jit.export
    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.model.tune(sample_rate)
        return True

    @torch.jit.export
    def reset_model(self) -> bool:
        self.model.past.zero_()
        return True


@pytest.mark.parametrize(("rate_hz", "period_samples"), [(16000, 16), (44100, 44), (48000, 48), (192_000, 192)])
def test_model_retunes_its_filter_to_the_rate(rate_hz: int, period_samples: int, noise: Noise) -> None:
    audio = noise(2, 768, seed=0)

    script = exported(Retunes, Comb).load()

    assert_plays(script, audio, audio - late(audio, period_samples), block=64, rate_hz=rate_hz)


class LooksBack(ExistingWrapper):
    """The mean of this sample and the 99 before it, from the past that is handed in."""

    def is_output_mono(self) -> bool:
        return True

    def get_look_behind_samples(self) -> int:
        return 99

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return nn.functional.avg_pool1d(x.mean(dim=0, keepdim=True), 100, stride=1)


class LooksBackFrom64(LooksBack):
    def get_native_buffer_sizes(self) -> List[int]:
        return [64]


@pytest.mark.parametrize(
    ("wrapper", "host_block"),
    [
        pytest.param(LooksBack, 32, id="shorter than the look-behind"),
        pytest.param(LooksBack, 441, id="longer than the look-behind"),
        pytest.param(LooksBackFrom64, 48, id="across the model's blocks"),
        pytest.param(LooksBackFrom64, 192, id="several of the model's blocks"),
    ],
)
def test_look_behind_is_the_latest_past_and_silence_before_the_start(
    wrapper: type[ExistingWrapper], host_block: int, noise: Noise
) -> None:
    audio = noise(1, 5 * 441 if host_block == 441 else 960, seed=0)
    sums = nn.functional.pad(audio.double().cumsum(dim=1), (100, 0))
    expected = ((sums[:, 100:] - sums[:, :-100]) / 100.0).float()

    rounding = 1e-6  # of the mean of 100 numbers in float32
    assert_plays(exported(wrapper).load(), audio, expected, block=host_block, atol=rounding)


class PlaysLate(ExistingWrapper):
    """Looks 20 samples ahead by playing 20 samples late."""

    def get_native_buffer_sizes(self) -> List[int]:
        return [64]

    def get_look_behind_samples(self) -> int:
        return 20

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return 20

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x[:, :-20]


@pytest.mark.parametrize("host_block", [16, 48, 64, 100, 128])
def test_reported_delays_add_up_to_what_is_heard(host_block: int) -> None:
    script: Any = exported(PlaysLate).load()
    click = torch.zeros(2, 16 * host_block)
    click[:, 5] = 1.0

    heard = play(script, click, host_block)

    delay = script.calc_buffering_delay_samples() + script.calc_model_delay_samples()
    assert script.calc_model_delay_samples() == 20
    assert torch.equal(heard, late(click, delay))


def test_delay_is_compensated_offline(noise: Noise) -> None:
    audio = noise(2, 1001, seed=0)
    script = exported(PlaysLate).load()

    assert torch.equal(script.forward_offline(audio), audio)
