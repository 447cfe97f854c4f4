"""What models of 1.x wrappers do with their parameters: shapes, ranges, names, and scribbling on them."""

# ruff: noqa: UP006, UP035, UP045 -- what 1.x wrappers import from typing is what they are a test of

from pathlib import Path
from typing import Dict, List, Optional

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    KnobNeutoneParameter,
    NeutoneParameter,
)

from .conftest import Noise
from .helpers_existing import ExistingWrapper, Halve, assert_plays, export, exported

# Many models of 1.x have no reset; export says so, and exports them all the same.
pytestmark = pytest.mark.filterwarnings(r"ignore:the exported file and the same file after reset\(\):UserWarning")

MODEL_BLOCK = 64
HOST_BLOCKS = [
    pytest.param(64, id="as long as the model's"),
    pytest.param(192, id="three of the model's"),
    pytest.param(48, id="across the model's"),
]
LENGTH = 3 * 576  # whole blocks of every host
ROUNDING = 1e-6  # of a mean, and of the products and sums that map it to its range, in float32
WIDE_ROUNDING = 16 * ROUNDING  # numbers up to 12 have four bits less behind the point


def curves(seed: int, noise: Noise) -> Tensor:
    """Four knobs that move all the time, ``(4, LENGTH)`` of 0..1."""
    return 0.5 + 0.5 * noise(4, LENGTH, seed)


def block_means(curve: Tensor) -> Tensor:
    """The mean of each of the model's blocks, for each of its samples."""
    return curve.view(-1, MODEL_BLOCK).double().mean(dim=1).float().repeat_interleave(MODEL_BLOCK)


class Blocks(ExistingWrapper):
    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return [64]


class UsesScalars(Blocks):
    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [
            ContinuousNeutoneParameter("Z edit index", "a name with spaces", 2.0, min_value=0.0, max_value=8.0),
            ContinuousNeutoneParameter("gain (dB)", "below zero too", -6.0, -12.0, 6.0),
            ContinuousNeutoneParameter(name="P1", description="first of a stack", default_value=0.25),
            ContinuousNeutoneParameter(name="P2", description="second of a stack", default_value=0.75, used=False),
        ]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        index = int(params["Z edit index"])
        gain = params["gain (dB)"].item()
        stacked = torch.stack([params["P1"], params["P2"]], dim=1)  # (1, 2)
        condition = torch.hstack([params["P1"], params["P2"]]).reshape((1, -1))
        if stacked.shape != condition.shape or stacked.size(0) != 1:
            raise ValueError("each parameter must be of shape (1,)")
        return x * gain + index * stacked[:, :1] + condition[:, 1:]


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_parameters_are_means_over_a_block_of_shape_one(block: int, noise: Noise) -> None:
    audio, knobs = noise(2, LENGTH, seed=0), curves(1, noise)
    index = (8.0 * block_means(knobs[0])).floor()
    gain = -12.0 + 18.0 * block_means(knobs[1])

    expected = audio * gain + index * block_means(knobs[2]) + block_means(knobs[3])
    assert_plays(exported(UsesScalars).load(), audio, expected, block=block, params=knobs, atol=WIDE_ROUNDING)


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_without_params_the_defaults_are_played(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)

    expected = audio * -6.0 + 2.0 * 0.25 + 0.75
    assert_plays(exported(UsesScalars).load(), audio, expected, block=block, atol=WIDE_ROUNDING)


class KeepsCurves(Blocks):
    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [
            ContinuousNeutoneParameter("depth", "text", 0.5),
            ContinuousNeutoneParameter("pan", "text", 0.0, -1.0, 1.0),
        ]

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params  # sample granularity

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if params["depth"].shape != x.shape[1:]:
            raise ValueError("each parameter must be of shape (n,)")
        return x * params["depth"] + params["pan"]


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_aggregate_params_that_returns_its_input_keeps_every_sample(block: int, noise: Noise) -> None:
    audio, knobs = noise(2, LENGTH, seed=0), curves(1, noise)

    expected = audio * knobs[0] + (2.0 * knobs[1] - 1.0)
    assert_plays(exported(KeepsCurves).load(), audio, expected, block=block, params=knobs, atol=ROUNDING)


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_defaults_have_sample_granularity_too(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)

    assert_plays(exported(KeepsCurves).load(), audio, 0.5 * audio, block=block, atol=ROUNDING)


class KeepsNoCurves(Blocks):
    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if len(params) > 0:
            raise ValueError("there is no parameter")
        return self.model(x)


@pytest.mark.parametrize("with_params", [False, True])
@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_aggregate_params_returns_its_input_though_there_are_no_parameters(
    block: int, with_params: bool, noise: Noise
) -> None:
    audio = noise(2, LENGTH, seed=0)
    knobs = curves(1, noise) if with_params else None

    assert_plays(exported(KeepsNoCurves).load(), audio, 0.5 * audio, block=block, params=knobs)


class AggregatesInPlace(Blocks):
    """As the default of 1.x did, and as overrides copied from it do."""

    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [ContinuousNeutoneParameter("peak", "text", 0.5)]

    def aggregate_params(self, params: Tensor) -> Tensor:
        peak = params[:, 0:1]
        torch.amax(params, dim=1, keepdim=True, out=peak)
        params[:, 1:] = -100.0
        return peak

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x * params["peak"]


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_aggregate_params_writes_into_its_input(block: int, noise: Noise) -> None:
    audio, knobs = noise(2, LENGTH, seed=0), curves(1, noise)
    before = knobs.clone()
    peak = knobs[0].view(-1, MODEL_BLOCK).amax(dim=1).repeat_interleave(MODEL_BLOCK)

    script = exported(AggregatesInPlace).load()

    assert_plays(script, audio, audio * peak, block=block, params=knobs)
    assert torch.equal(knobs, before)
    assert_plays(script, audio, audio * 0.5, block=block)  # nor were the defaults hurt


class ClipsWithItsParameters(Blocks):
    """The clipper of the 1.x examples: negates its threshold in place."""

    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [
            NeutoneParameter("min", "min clip threshold", default_value=0.5),
            NeutoneParameter("max", "max clip threshold", default_value=1.0),
            NeutoneParameter("gain", "scale clip threshold", default_value=1.0),
        ]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        min_val, max_val, gain = params["min"], params["max"], params["gain"]
        torch.neg(min_val, out=min_val)
        min_val.mul_(gain)
        max_val *= gain
        torch.clip(x, min=min_val, max=max_val, out=x)
        return x


@pytest.mark.parametrize("with_params", [False, True])
@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_model_writes_into_its_parameters(block: int, with_params: bool, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)
    knobs = torch.tensor([[0.5], [1.0], [1.0], [0.0]]).repeat(1, LENGTH)
    if with_params:
        knobs[2] = 0.25
    gain = knobs[2, 0]

    expected = audio.clamp(-0.5 * gain, 1.0 * gain)
    params = knobs if with_params else None
    assert_plays(exported(ClipsWithItsParameters).load(), audio, expected, block=block, params=params)


class RemembersParameters(Blocks):
    """Plays each block with the gain of the block before: it keeps the tensor, not a copy of it."""

    gain: Optional[Tensor]

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.gain = None

    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [ContinuousNeutoneParameter("gain", "text", 0.5)]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        last = self.gain
        self.gain = params["gain"]
        return x if last is None else x * last


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_parameters_are_fresh_every_block(block: int, noise: Noise) -> None:
    audio, knobs = noise(2, LENGTH, seed=0), curves(1, noise)
    gain = nn.functional.pad(block_means(knobs[0]), (MODEL_BLOCK, 0), value=1.0)[:LENGTH]

    script = exported(RemembersParameters).load()

    assert_plays(script, audio, audio * gain, block=block, params=knobs, atol=ROUNDING)


@pytest.mark.parametrize("kind", [NeutoneParameter, ContinuousNeutoneParameter, KnobNeutoneParameter])
def test_parameters_are_made_by_position(kind: type[NeutoneParameter], tmp_path: Path, noise: Noise) -> None:
    class Positional(Blocks):
        def get_neutone_parameters(self) -> List[NeutoneParameter]:
            return [kind("depth", "text", 0.5), kind("on", "text", 1)]

        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return x * params["depth"] * params["on"]

    positional = export(Positional(Halve()), tmp_path)

    parameters = positional.metadata()["neutone_parameters"]
    assert parameters["p1"] == {
        "name": "depth",
        "description": "text",
        "default_value": 0.5,
        "used": True,
        "type": "continuous",
        "min_value": 0.0,
        "max_value": 1.0,
    }
    audio = noise(2, 512, seed=0)
    assert_plays(positional.load(), audio, 0.5 * audio, block=64, atol=ROUNDING)


class Switches(Blocks):
    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [CategoricalNeutoneParameter("mode", "text", 4, 2, ["dry", "half", "double", "flip"])]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        gains = [1.0, 0.5, 2.0, -1.0]
        return x * gains[int(params["mode"])]


@pytest.mark.parametrize(("knob", "gain"), [(None, 2.0), (0.0, 1.0), (1 / 3, 0.5), (2 / 3, 2.0), (1.0, -1.0)], ids=str)
def test_category_arrives_as_its_index(knob: Optional[float], gain: float, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)
    params = None if knob is None else torch.full((4, LENGTH), knob)

    assert_plays(exported(Switches).load(), audio, gain * audio, block=64, params=params)
