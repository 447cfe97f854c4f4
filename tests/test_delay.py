"""What layers say of their delays adds up; what cannot be judged is named."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.alignment import Delay
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.conv_transpose import ConvTranspose1dGeneral
from neutone_sdk.delay import delay_samples, layers_of, receptive_field_samples, timing_of
from neutone_sdk.errors import NotStreamingError
from neutone_sdk.residual import Residual
from neutone_sdk.tcn_1d import TCN1D

from .blocks import audio


def centred(n_taps: int, **options: Any) -> Conv1dGeneral:
    return Conv1dGeneral(1, 1, n_taps, causal=False, **options)


DOWN = {"stride": 2, "padding": 1}  # four taps, late by one sample of its output


@pytest.mark.parametrize(
    ("make", "delay"),
    [
        pytest.param(nn.Sequential, 0, id="nothing"),
        pytest.param(lambda: centred(5), 2, id="a layer"),
        pytest.param(lambda: Conv1dGeneral(1, 1, 5), 0, id="a causal one"),
        pytest.param(lambda: nn.Sequential(centred(5), nn.PReLU(), nn.BatchNorm1d(1), centred(3)), 3, id="a chain"),
        pytest.param(lambda: nn.Sequential(nn.Sequential(centred(5)), nn.Conv1d(1, 1, 1)), 2, id="nested"),
        pytest.param(lambda: nn.Sequential(centred(5), centred(4, **DOWN)), 2 + 2, id="a stride"),
        pytest.param(
            lambda: nn.Sequential(centred(4, **DOWN), centred(3), ConvTranspose1dGeneral(1, 1, 4, 2, 1, causal=False)),
            2 + 2 + 1,
            id="down and up",
        ),
        pytest.param(lambda: nn.Sequential(Delay(7), TCN1D(n_blocks=2, dil_growth=2)), 7 + 6 + 12, id="a network"),
        pytest.param(lambda: Residual(centred(5), centred(9)), 4, id="branches"),
        pytest.param(lambda: nn.Sequential(nn.Linear(1, 1), nn.LayerNorm(1), nn.GLU(1)), 0, id="frames"),
        pytest.param(lambda: Own(nn.Sequential(nn.Linear(1, 1), Conv1dGeneral(1, 1, 5))), 0, id="nothing late in it"),
        pytest.param(lambda: nn.utils.parametrizations.weight_norm(nn.Conv1d(1, 1, 1)), 0, id="weight norm"),
    ],
)
def test_delays_add_up(make: Callable[[], nn.Module], delay: int) -> None:
    assert delay_samples(make()) == delay


class Own(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


class Says(Own):
    def __init__(self, answer: object) -> None:
        super().__init__(centred(3))
        self.answer = answer

    def get_delay_samples(self) -> Any:
        return self.answer


def test_module_that_says_it_is_trusted() -> None:
    assert delay_samples(nn.Sequential(Says(11), centred(3))) == 12


def test_script_says_the_same() -> None:
    chain = nn.Sequential(centred(5), nn.Tanh(), nn.Sequential(centred(3)), nn.Conv1d(1, 1, 1))

    script = torch.jit.script(chain)

    assert delay_samples(script) == delay_samples(chain) == 3


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            nn.Sequential(nn.Tanh(), nn.Sequential(nn.Conv1d(1, 1, 3))),
            r"^1\.0: Conv1d keeps nothing from block to block; neutone_sdk\.to_streaming",
        ),
        (nn.Conv1d(1, 1, 1, stride=2), r"^model: Conv1d keeps nothing"),
        (nn.Conv1d(1, 1, 1, padding=1), r"^model: Conv1d keeps nothing"),
        (nn.Sequential(nn.InstanceNorm1d(1)), r"^0: InstanceNorm1d looks at the whole clip"),
        (
            nn.Sequential(Own(nn.Sequential(nn.Tanh(), centred(3)))),
            r"^0: Own has a forward of its own, so what is late in it \(inner\.1: Conv1dGeneral\) .* define get_d",
        ),
        (Own(nn.Conv1d(1, 1, 3)), r"^model: Own has a forward of its own, so what is late in it \(inner: Conv1d\)"),
        (
            nn.Sequential(centred(3), centred(4, **DOWN)),
            r"^1 takes 2 samples at a time, but what comes to it is late by 1: .*Delay\(1\)",
        ),
        (
            nn.Sequential(ConvTranspose1dGeneral(1, 1, 4, 2, 1, causal=False)),
            r"^the model is late by 1/2 samples of its input, 1 of its output at 2 times the rate",
        ),
        (Says(1.5), r"^Says\.get_delay_samples\(\) must return an integer, got 1\.5"),
        (Says(-1), r"^Says must be late by at least 0 samples .* got -1"),
        (nn.Sequential(nn.Conv2d(1, 1, 3)), r"^0: Conv2d keeps nothing"),
        (nn.ModuleList([centred(3)]), r"^model: ModuleList has a forward of its own"),
    ],
)
def test_what_cannot_be_judged_is_named(model: nn.Module, message: str) -> None:
    with pytest.raises(NotStreamingError, match=message):
        delay_samples(model)


def test_method_of_a_stranger() -> None:
    class Asks(Own):
        def get_delay_samples(self, rate_hz: int) -> int:
            return rate_hz

    with pytest.raises(NotStreamingError, match=r"^Asks cannot say how late it is: .*rate_hz"):
        delay_samples(Asks(nn.Tanh()))


@settings(deadline=None, max_examples=40)
@given(
    layers=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3), st.booleans()), min_size=1, max_size=4),
    position=st.integers(100, 130),
)
def test_no_sample_outside_the_receptive_field_matters(layers: list[tuple[int, int, bool]], position: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        *(ConvTranspose1dGeneral(1, 1, n, stride) if up else Conv1dGeneral(1, 1, n, stride) for n, stride, up in layers)
    ).double()
    rate = timing_of(layers_of(model)).rate
    x = audio(1, 1, 400).double().requires_grad_()

    y = model(x)
    (gradient,) = torch.autograd.grad(y[0, 0, int(position * rate)], x)

    touched = gradient[0, 0].nonzero()[:, 0]
    n_touched = 0 if len(touched) == 0 else int(touched[-1] - touched[0]) + 1
    assert n_touched <= receptive_field_samples(model)


def test_receptive_field_is_exact_in_a_chain() -> None:
    assert receptive_field_samples(nn.Sequential(centred(5), nn.Tanh(), centred(4, **DOWN), centred(3))) == 12
    assert receptive_field_samples(Residual(centred(5))) == 5


def test_receptive_field_that_nobody_knows() -> None:
    with pytest.raises(NotStreamingError, match=r"^Says does not say how far it looks back"):
        receptive_field_samples(Says(3))
