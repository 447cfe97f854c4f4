"""Knobs on their way to the model: smoothed if they ask for it, clamped, and never NaN."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.zipper import gain, ramp, strongest_line_db, wave
from neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    SampleQueueWrapper,
    WaveformToWaveformBase,
)
from neutone_sdk.errors import InvalidParameterError, InvalidTypeError

from .wrappers import card, player, queue

NAN = math.nan


class Recording(WaveformToWaveformBase):
    """Keeps what it hears of its knobs; in Python only."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.heard: list[dict[str, Tensor]] = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.heard.append({name: value.clone() for name, value in params.items()})
        return x


def recording(*parameters: object, block: int = 64, **facts: object) -> Recording:
    return Recording(nn.Identity(), card=card(native_buffer_sizes=[block], parameters=parameters, **facts))


def knob(name: str = "gain", **smoothing: Any) -> ContinuousNeutoneParameter:
    return ContinuousNeutoneParameter(name, "", 0.25, **smoothing)


@pytest.mark.parametrize("scripted", [False, True], ids=["python", "scripted"])
def test_only_parameters_that_ask_for_it_get_curves(scripted: bool) -> None:
    class Shapes(Recording):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            x[0, 0] = params["plain"].size(0)
            x[0, 1] = params["smooth"].size(0)
            x[0, 2] = params["menu"].size(0)
            return x

    menu = CategoricalNeutoneParameter("menu", "", 3, 1)
    parameters = [knob("plain"), knob("smooth", smoothing_ms=5.0), menu]
    model = Shapes(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=parameters))
    model.heard = []
    if scripted:
        del model.heard
    played = queue(model, scripted)(torch.zeros(2, 64), torch.full((4, 1), 0.5))
    assert played[0, :3].tolist() == [1.0, 64.0, 1.0]


def test_a_line_takes_its_time_at_any_rate() -> None:
    model = recording(knob(smoothing_ms=10.0, smoothing="linear"))
    for rate in (48_000, 96_000):
        host = SampleQueueWrapper(model, daw_sr=rate, daw_bs=64)
        model.heard.clear()
        for position in (0.0, *[1.0] * 20):
            host(torch.zeros(2, 64), torch.full((4, 1), position))
        curve = torch.cat([block["gain"] for block in model.heard])
        n_steps = rate // 100
        expected = ((torch.arange(len(curve)) - 63) / n_steps).clamp(0.0, 1.0)
        torch.testing.assert_close(curve, expected.float(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("host_block", [1, 64, 100, 512])
def test_how_the_host_cuts_its_blocks_does_not_change_the_curve(host_block: int) -> None:
    n_samples = 64 * 100
    knobs = torch.rand(4, n_samples, generator=torch.Generator().manual_seed(0))

    def curve(block: int) -> Tensor:
        model = recording(knob(smoothing_ms=3.0))
        host = SampleQueueWrapper(model, daw_sr=48_000, daw_bs=block)
        for part in knobs[:, : n_samples // block * block].split(block, dim=1):
            host(torch.zeros(2, block), part)
        return torch.cat([heard["gain"] for heard in model.heard])

    expected, actual = curve(64), curve(host_block)
    assert len(actual) >= 4000
    assert torch.equal(actual, expected[: len(actual)])


@pytest.mark.parametrize("scripted", [False, True], ids=["python", "scripted"])
def test_after_a_reset_the_first_value_is_there_at_once(scripted: bool) -> None:
    class Multiply(Recording):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return x * params["gain"]

    model = Multiply(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=[knob(smoothing_ms=50.0)]))
    del model.heard
    play = queue(model, scripted)
    ones = torch.ones(2, 64)
    play(ones, torch.zeros(4, 1))
    play.reset()
    assert torch.equal(play(ones, torch.ones(4, 1)), ones)


# The reach is what a smoothed knob leaves; the mean of each block is beside it to show that this can be heard.
@pytest.mark.parametrize("move", [ramp, wave])
def test_a_smoothed_knob_leaves_no_lines(move: object) -> None:
    assert strongest_line_db(gain(512, smoothing_ms=20.0), 512, move) <= -100.0  # type: ignore[arg-type]
    assert strongest_line_db(gain(512), 512, move) >= -70.0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("smoothing", "message"),
    [
        ({"smoothing_ms": 0.0}, "smoothing_ms must be above 0 and at most 60000, got 0.0; leave it out"),
        ({"smoothing_ms": -1.0}, "smoothing_ms must be above 0"),
        ({"smoothing_ms": 1e6}, "smoothing_ms must be above 0 and at most 60000"),
        ({"smoothing_ms": NAN}, "smoothing_ms must be finite"),
        ({"smoothing_ms": 5.0, "smoothing": "cubic"}, "smoothing must be one of linear, one_pole, got 'cubic'"),
    ],
)
def test_smoothing_that_makes_no_sense_is_refused(smoothing: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"parameter 'gain': {message}"):
        knob(**smoothing)


def test_a_time_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidTypeError, match="parameter 'gain': smoothing_ms must be a number, got '5 ms'"):
        knob(smoothing_ms="5 ms")


def test_metadata_says_how_a_knob_is_smoothed() -> None:
    metadata = knob(smoothing_ms=5.0).to_metadata()
    assert (metadata["smoothing_ms"], metadata["smoothing"]) == (5.0, "one_pole")
    assert "smoothing" not in knob().to_metadata()


HOSTS = [(48_000, 64), (48_000, 100), (44_100, 64)]  # the model gets the host's block, a ring's, and a resampled one


@pytest.mark.parametrize(("rate", "host_block"), HOSTS)
@pytest.mark.parametrize("is_curve", [False, True], ids=["knob", "curve"])
def test_values_outside_the_range_are_clamped(rate: int, host_block: int, is_curve: bool) -> None:
    for sent, expected in ((7.0, 1.0), (-3.0, 0.0), (math.inf, 1.0), (-math.inf, 0.0)):
        model = recording(knob(), native_sample_rates=[48_000])
        host = SampleQueueWrapper(model, daw_sr=rate, daw_bs=host_block)
        for _ in range(10):
            host(torch.zeros(2, host_block), torch.full((4, host_block if is_curve else 1), sent))
        assert {float(heard["gain"]) for heard in model.heard} == {expected}


@pytest.mark.parametrize(("rate", "host_block"), HOSTS)
@pytest.mark.parametrize("is_curve", [False, True], ids=["knob", "curve"])
def test_what_is_not_a_number_is_the_value_before(rate: int, host_block: int, is_curve: bool) -> None:
    model = recording(knob(), native_sample_rates=[48_000])
    host = SampleQueueWrapper(model, daw_sr=rate, daw_bs=host_block)
    shape = (4, host_block if is_curve else 1)
    for _ in range(10):
        host(torch.zeros(2, host_block), torch.full(shape, NAN))
    assert {float(heard["gain"]) for heard in model.heard} == {0.25}  # the default
    for position in (0.75, NAN):
        model.heard.clear()
        for _ in range(20):
            host(torch.zeros(2, host_block), torch.full(shape, position))
        assert float(model.heard[-1]["gain"]) == 0.75


def test_a_gap_in_a_curve_is_filled_with_the_value_before_it() -> None:
    class Curves(Recording):
        def aggregate_params(self, params: Tensor) -> Tensor:
            return params

    model = Curves(nn.Identity(), card=card(native_buffer_sizes=[8], parameters=[knob()]))
    host = SampleQueueWrapper(model, daw_sr=48_000, daw_bs=8)
    curve = torch.tensor([NAN, 0.5, NAN, NAN, 2.0, NAN, 0.75, NAN]).expand(4, 8)
    host(torch.zeros(2, 8), curve)
    host(torch.zeros(2, 8), curve)
    assert model.heard[0]["gain"].tolist() == [0.25, 0.5, 0.5, 0.5, 1.0, 1.0, 0.75, 0.75]
    assert model.heard[1]["gain"].tolist() == [0.75, 0.5, 0.5, 0.5, 1.0, 1.0, 0.75, 0.75]


@pytest.mark.parametrize("how", ["mean", "last", "min", "max"])
def test_an_override_may_aggregate_otherwise(how: str) -> None:
    class Aggregating(Recording):
        def aggregate_params(self, params: Tensor) -> Tensor:
            return torch.ops.neutone.aggregate_params(params, how)

    model = Aggregating(nn.Identity(), card=card(native_buffer_sizes=[8], parameters=[knob()]))
    SampleQueueWrapper(model, daw_sr=48_000, daw_bs=8)(torch.zeros(2, 8), torch.linspace(0, 1, 8).expand(4, 8))
    expected = {"mean": 0.5, "last": 1.0, "min": 0.0, "max": 1.0}[how]
    assert float(model.heard[0]["gain"]) == pytest.approx(expected, abs=1e-7)


def test_a_queue_made_in_inference_mode_works_outside_it_and_after_float() -> None:
    model = recording(knob(smoothing_ms=5.0), block=128)
    with torch.inference_mode():
        host = SampleQueueWrapper(model, daw_sr=44_100, daw_bs=100)
        host.set_daw_sample_rate_and_buffer_size(48_000, 100)
    host.float()
    for _ in range(3):
        host(torch.zeros(2, 100), torch.full((4, 1), 0.5))
    host.reset()
    assert float(model.heard[-1]["gain"][-1]) == 0.5


def test_curves_of_an_override_are_not_smoothed_in_blocks_of_any_size() -> None:
    class Curves(Recording):
        def aggregate_params(self, params: Tensor) -> Tensor:
            return params

    for block in (1, 2, 64):
        facts = card(native_buffer_sizes=[block], parameters=[knob(smoothing_ms=20.0)])
        model = Curves(nn.Identity(), card=facts)
        host = SampleQueueWrapper(model, daw_sr=48_000, daw_bs=block)
        for position in (0.0, 1.0):
            host(torch.zeros(2, block), torch.full((4, 1), position))
        assert model.heard[-1]["gain"].tolist() == [1.0] * block


def test_a_player_scripts_smoothed_knobs() -> None:
    class Multiply(WaveformToWaveformBase):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return x * params["gain"]

    facts = card(native_buffer_sizes=[64], native_sample_rates=[48_000], parameters=[knob(smoothing_ms=5.0)])
    play = player(Multiply(nn.Identity(), card=facts))
    play.wrapper.set_daw_sample_rate_and_buffer_size(44_100, 100)
    played = play(torch.ones(2, 4000), [100], torch.full((4, 4000), 0.5))
    assert played[:, -500:].mean() == pytest.approx(0.5, abs=1e-4)
