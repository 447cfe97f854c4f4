"""A wrapper whose author states no delay reports the one of its layers, and its blocks play streams when exported."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ModelCard, WaveformToWaveformBase
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.residual import Residual
from neutone_sdk.tcn_1d import TCN1D
from neutone_sdk.to_streaming import to_streaming
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .blocks import assert_close, audio
from .wrappers import card, queue

QUICK: Any = {"speed_benchmark": False, "test_offline_mode": False}
MONO = card(is_input_mono=True, is_output_mono=True)


class Wrapped(WaveformToWaveformBase):
    card = MONO

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)


class Resets(Wrapped):
    def reset_model(self) -> bool:
        self.model.reset()  # type: ignore[operator]
        return True


def centred(n_taps: int = 5) -> Conv1dGeneral:
    torch.manual_seed(0)
    return Conv1dGeneral(1, 1, n_taps, causal=False)


@pytest.mark.parametrize("flavour", ["native", "portable"])
def test_trained_stack_is_exported_with_its_delay(flavour: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    inner = Residual(nn.Sequential(nn.Conv1d(4, 4, 3, padding=1), nn.Tanh()), combine="cat")
    model = nn.Sequential(nn.Conv1d(1, 4, 4, stride=2, padding=1), inner, nn.ConvTranspose1d(8, 1, 4, 2, 1)).eval()
    x = audio(1, 1, 2048)

    save_neutone_model(Resets(to_streaming(model)), tmp_path, flavour=flavour, max_n_samples=0, **QUICK)
    script, _ = load_neutone_model(tmp_path / "model.nm")
    script.set_daw_sample_rate_and_buffer_size(48000, 128)
    actual = torch.cat([script(part) for part in x[0].split(128, dim=1)], dim=1)

    late = script.calc_model_delay_samples()
    assert late == 2 + 2 + 1
    assert_close(actual[:, late:], model(x)[0, :, :-late].detach())


def delay_of(wrapper: WaveformToWaveformBase) -> tuple[int, int]:
    """Return the delay in memory, ready for inference, and in a file."""
    script = queue(wrapper, scripted=True)
    return wrapper.calc_model_delay_samples(), script.calc_model_delay_samples()


def test_blocks_of_an_exported_model_play_streams() -> None:
    wrapper = Wrapped(centred())
    assert wrapper.calc_model_delay_samples() == 0  # blocks are clips, so far
    x = audio(1, 256)

    assert delay_of(wrapper) == (2, 2)
    assert wrapper.model.is_cached()  # type: ignore[operator]
    script = queue(Wrapped(centred()), scripted=True)
    actual = torch.cat([script(part) for part in x.split(64, dim=1)], dim=1)
    assert_close(actual[:, 2:], centred()(x[None])[0, :, :-2].detach())


class Undecided(Wrapped):
    """Wants clips: says so where it is asked to prepare for playing."""

    def prepare_for_inference(self) -> None:
        super().prepare_for_inference()
        self.model.set_cached(False)  # type: ignore[operator]


class LooksBehind(Wrapped):
    def get_look_behind_samples(self) -> int:
        return 8

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)[:, 8:]


class KeepsItsPast(Wrapped):
    """Does by itself what a cache does."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.past: Tensor
        self.register_buffer("past", torch.zeros(1, 14))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        whole = torch.cat([self.past, x], dim=1)
        self.past.copy_(whole[:, x.size(1) :])
        return self.model(whole.unsqueeze(0)).squeeze(0)


@pytest.mark.parametrize(
    "wrapper",
    [
        pytest.param(Undecided(centred()), id="its author says so"),
        pytest.param(LooksBehind(centred()), id="a look-behind"),
        pytest.param(KeepsItsPast(TCN1D(n_blocks=2, kernel_size=8, dil_growth=1, padding=0)), id="no padding"),
    ],
)
def test_models_of_windows_stay_as_they_are(wrapper: WaveformToWaveformBase) -> None:
    assert delay_of(wrapper) == (0, 0)
    assert not any(module.is_cached() for module in wrapper.modules() if isinstance(module, Conv1dGeneral))


class States(Wrapped):
    def calc_model_delay_samples(self) -> int:
        return 7


class AddsToIt(Wrapped):
    def calc_model_delay_samples(self) -> int:
        return super().calc_model_delay_samples() + 7


class Own(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class OwnThatSays(Own):
    @torch.jit.export
    def get_delay_samples(self) -> int:
        return 31


def stated(delay_samples: int | None) -> ModelCard:
    return card(is_input_mono=True, is_output_mono=True, delay_samples=delay_samples)


@pytest.mark.parametrize(
    ("wrapper", "delay"),
    [
        pytest.param(Wrapped(nn.Sequential(centred(), nn.Tanh(), centred(3))), 3, id="derived"),
        pytest.param(States(centred()), 7, id="the wrapper's method wins"),
        pytest.param(AddsToIt(centred()), 9, id="the wrapper's method asks"),
        pytest.param(States(Own(centred())), 7, id="the wrapper's method, of an unknown model"),
        pytest.param(Wrapped(OwnThatSays(centred())), 31, id="the model's own"),
        pytest.param(Wrapped(torch.jit.script(OwnThatSays(nn.Tanh()))), 31, id="the model's own, scripted"),
        pytest.param(Wrapped(Own(nn.Conv1d(1, 1, 3, padding=1))), 0, id="unknown"),
        pytest.param(Wrapped(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1))), 0, id="stock"),
        pytest.param(Wrapped(Own(Conv1dGeneral(1, 1, 5))), 0, id="nothing late"),
    ],
)
def test_who_says_how_late_it_is(wrapper: WaveformToWaveformBase, delay: int) -> None:
    assert delay_of(wrapper) == (delay, delay)


@pytest.mark.parametrize(("delay_samples", "delay"), [(None, 2), (0, 0), (5, 5)])
def test_card_wins_if_it_states_a_delay(delay_samples: int | None, delay: int) -> None:
    class Carded(Wrapped):
        card = stated(delay_samples)

    assert delay_of(Carded(centred())) == (delay, delay)


def test_delay_that_cannot_be_derived_is_a_warning() -> None:
    wrapper: Any = Wrapped(Own(centred()))

    with pytest.warns(UserWarning, match=r"taken for 0 samples.*model: Own has a forward of its own.*delay_samples="):
        assert delay_of(wrapper) == (0, 0)
