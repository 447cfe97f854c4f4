"""Settings that change while audio runs: without a click, and with the rate of the host."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.filters import FIRFilter, IIRFilter

from .conftest import Noise
from .filter_examples import BANDPASS, HIGHPASS, LOWPASS, RATE, gain_db
from .wrappers import card, queue

CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "fir": (FIRFilter(LOWPASS, [800.0]), {"cutoffs": [6000.0]}),
    "fir kind": (FIRFilter(LOWPASS, [800.0]), {"filt_type": HIGHPASS}),
    "fir rate": (FIRFilter(LOWPASS, [800.0]), {"sample_rate": 96_000}),
    "iir": (IIRFilter(LOWPASS, 800.0, 0.7), {"cutoff": 8000.0}),
    "iir kind": (IIRFilter(LOWPASS, 800.0, 0.7), {"filt_type": HIGHPASS}),
    "iir resonance": (IIRFilter(BANDPASS, 200.0, 0.7), {"resonance": 9.0}),
    "iir rate": (IIRFilter(LOWPASS, 800.0, 0.7), {"sample_rate": 96_000}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_parameters_change_without_a_click(name: str) -> None:
    module, change = CHANGES[name]
    module.reset()
    tone = torch.sin(2.0 * math.pi * 200.0 / RATE * torch.arange(6 * 4800, dtype=torch.float64)).float()[None]
    blocks = list(tone.split(480, dim=1))
    played = [module(block) for block in blocks[:30]]
    module.set_parameters(**change)
    played += [module(block) for block in blocks[30:]]
    samples = torch.cat(played, dim=1)[0, 2000:].double()
    # A click is all frequencies; what is left above 2 kHz of a tone of 200 Hz is rounding, and the fade's own edge.
    clicks = scipy.signal.sosfilt(scipy.signal.butter(8, 2000.0, "highpass", fs=RATE, output="sos"), samples.numpy())
    assert 20.0 * np.log10(np.abs(clicks[1000:]).max()) < -70.0


@pytest.mark.parametrize("name", CHANGES)
def test_how_a_change_is_cut_changes_no_bit(noise: Noise, name: str) -> None:
    module, change = CHANGES[name]
    audio = noise(2, 3000, 15)
    kept = {key: getattr(module, key) for key in change}

    def played(block: int) -> Tensor:
        module.set_parameters(**kept)
        module.reset()
        parts = [module(audio[:, :100])]
        module.set_parameters(**change)
        parts += [module(part) for part in audio[:, 100:].split(block, dim=1)]
        return torch.cat(parts, dim=1)

    expected = played(2900)
    for block in (1, 7, 960, 1000):
        assert torch.equal(played(block), expected)
    module.set_parameters(**kept)


def test_settings_in_whole_numbers_script_too() -> None:
    fir, iir = FIRFilter(LOWPASS, [1000]), IIRFilter(LOWPASS, 1000, 1)
    fir.set_parameters(cutoffs=[2000])
    iir.set_parameters(cutoff=2000, resonance=2)
    for module in (fir, iir):
        torch.jit.script(module)(torch.zeros(2, 8))


def test_settings_of_another_type_are_refused() -> None:
    wrong: Any
    for module, wrong, message in (
        (FIRFilter(LOWPASS, [1000.0]), {"filt_type": "lowpass"}, "filt_type must be a FilterType"),
        (FIRFilter(LOWPASS, [1000.0]), {"cutoffs": 1000.0}, "cutoffs must be a list of numbers"),
        (FIRFilter(LOWPASS, [1000.0]), {"filt_size": 257.0}, "filt_size must be an integer"),
        (IIRFilter(LOWPASS, 1000.0, 1.0), {"sample_rate": 44_100.0}, "sample_rate must be an integer"),
    ):
        with pytest.raises(InvalidTypeError, match=message):
            module.set_parameters(**wrong)


def test_a_change_that_is_refused_changes_nothing(noise: Noise) -> None:
    audio = noise(2, 500, 8)
    for module, change in (
        (FIRFilter(LOWPASS, [800.0]), {"cutoffs": [30_000.0]}),
        (IIRFilter(LOWPASS, 15_000.0, 0.7), {"sample_rate": 22_050}),
    ):
        kept = module(audio)
        module.reset()
        with pytest.raises(InvalidArgumentError, match="below"):
            module.set_parameters(**change)
        assert torch.equal(module(audio), kept)


class Prefiltered(WaveformToWaveformBase):
    """Tunes its filter to the rate that it is told."""

    def __init__(self, model: nn.Module, **facts: object) -> None:
        super().__init__(model, card=card(**facts))
        self.prefilter = IIRFilter(LOWPASS, 15_000.0, 0.7071)

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.prefilter.set_parameters(sample_rate=sample_rate)
        return True

    def reset_model(self) -> bool:
        self.prefilter.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.prefilter(x)


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_a_wrapper_tunes_its_filter_to_the_hosts_rate(rate: int) -> None:
    model = queue(Prefiltered(nn.Identity()), scripted=True)
    model.set_daw_sample_rate_and_buffer_size(rate, rate // 10)

    class Played(nn.Module):
        def forward(self, audio: Tensor) -> Tensor:
            return torch.cat([model(block) for block in audio.expand(2, -1).split(rate // 10, dim=1)], dim=1)[:1]

    assert gain_db(Played(), 15_000.0, rate) == pytest.approx(-3.01, abs=0.01)


def test_a_rate_that_the_cutoff_does_not_fit_is_an_error_of_the_host_call() -> None:
    model = SampleQueueWrapper(Prefiltered(nn.Identity()))
    message = r"cutoff must be above 0 and below 11025.0 Hz, half the rate of 22050 Hz, got 15000.0"
    with pytest.raises(InvalidArgumentError, match=message):
        model.set_daw_sample_rate_and_buffer_size(22_050, 512)
    assert model.daw_sr == RATE  # the old settings stay
