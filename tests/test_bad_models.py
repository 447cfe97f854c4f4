"""A model that fails, or returns what it must not, costs what it lost and no more, and its error says what it was."""

import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import NeutoneParameter
from neutone_sdk.errors import ModelOutputError

from .conftest import Noise
from .helpers_existing import SCRIPTED, ExistingWrapper, late, queue, raises

BLOCKS = pytest.mark.parametrize("block", [pytest.param(64, id="direct"), pytest.param(48, id="queued")])


def feed_until_full(stream: Any, block: Tensor) -> None:
    """Hand in a block, and another one, so that the model's is full."""
    stream(block)
    stream(block)


class RaisesOnBlock(nn.Module):
    """Fails once, at the n-th block it gets."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.fails_at = fails_at
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        if self.count == self.fails_at:
            msg = "the model gave up"
            raise RuntimeError(msg)
        return 0.5 * x


class Plain(ExistingWrapper):
    def get_native_buffer_sizes(self) -> list[int]:
        return [64]


class Blocks(Plain):
    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [NeutoneParameter("gain", "text", 0.5)]

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x) * params["gain"]


@SCRIPTED
@pytest.mark.parametrize("fails_at", [1, 2, 5])
@pytest.mark.parametrize("block", [64, 256, 48, 16, 100])
def test_after_a_failure_of_the_model_the_stream_starts_afresh_with_the_same_latency(
    block: int, fails_at: int, scripted: bool, noise: Noise
) -> None:
    stream = queue(Blocks(RaisesOnBlock(fails_at)), block, scripted)
    delay = stream.calc_buffering_delay_samples()
    failing = math.ceil(fails_at * 64 / block)  # the callback that brings the last sample of the model's n-th block
    n_samples = (failing + 12) * block
    audio, curves = noise(2, n_samples, seed=0), noise(4, n_samples, seed=1).abs()
    blocks = list(zip(audio.split(block, dim=1), curves.split(block, dim=1), strict=True))

    with torch.no_grad():
        before = [stream(x, params) for x, params in blocks[: failing - 1]]
        with raises(scripted, RuntimeError, "the model gave up"):
            stream(*blocks[failing - 1])
        after = torch.cat([stream(x, params) for x, params in blocks[failing:]], dim=1)

    played = 0.5 * audio * curves[:1]
    assert stream.calc_buffering_delay_samples() == delay
    assert torch.equal(torch.cat([*before, torch.zeros(2, 0)], dim=1), late(played, delay)[:, : (failing - 1) * block])
    assert torch.equal(after, late(played[:, failing * block :], delay))


@SCRIPTED
def test_after_a_failure_of_the_model_a_clip_is_rendered_whole(scripted: bool, noise: Noise) -> None:
    stream = queue(Blocks(RaisesOnBlock(3)), 48, scripted)
    audio = noise(2, 1000, seed=0)

    with torch.no_grad():
        with raises(scripted, RuntimeError, "the model gave up"):
            stream.forward_offline(audio)
        rendered = stream.forward_offline(audio)

    assert torch.equal(rendered, 0.25 * audio)


class RaisesAlways(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.is_well = False

    def forward(self, x: Tensor) -> Tensor:
        if not self.is_well:
            msg = "the model gave up"
            raise RuntimeError(msg)
        return x


@SCRIPTED
@pytest.mark.parametrize("block", [256, 100, 48])
def test_repeated_failures_do_not_fill_any_queue(block: int, scripted: bool, noise: Noise) -> None:
    """A host that collects what is ready sees the model's own error every time, and audio once the model is well."""
    stream = queue(Blocks(RaisesAlways()), block, scripted)
    ready = []

    with torch.no_grad():
        for _ in range(10):
            with raises(scripted, RuntimeError, "the model gave up"):
                feed_until_full(stream.forward_bt, torch.zeros(2, block))
        stream.w2w_base.model.is_well = True
        for x in noise(2, 10 * block, seed=0).split(block, dim=1):
            output = stream.forward_bt(x)
            if output is not None:
                ready.append(output)

    assert torch.cat(ready, dim=1).size(1) == 10 * block // 64 * 64


@SCRIPTED
def test_what_is_ready_after_a_failure_is_no_remains_of_it(scripted: bool, noise: Noise) -> None:
    stream = queue(Blocks(RaisesAlways()), 48, scripted)
    audio = noise(2, 96, seed=0)

    with torch.no_grad():
        with raises(scripted, RuntimeError, "the model gave up"):
            feed_until_full(stream, audio[:, :48])
        stream.w2w_base.model.is_well = True
        ready = [stream.forward_bt(block) for block in audio.split(48, dim=1)]

    assert ready[0] is None
    assert torch.equal(ready[1], 0.5 * audio[:, :64])


class WrongOutput(nn.Module):
    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong

    def forward(self, x: Tensor) -> Tensor:  # noqa: PLR0911 -- one a case, in TorchScript
        if self.wrong == "short":
            return x[:, 1:]
        if self.wrong == "long":
            return torch.cat([x, x], 1)
        if self.wrong == "mono":
            return x[:1]
        if self.wrong == "3 channels":
            return torch.cat([x, x[:1]])
        if self.wrong == "1-D":
            return x[0]
        if self.wrong == "3-D":
            return x.unsqueeze(0)
        if self.wrong == "float64":
            return x.double()
        if self.wrong == "int64":
            return x.long()
        return x.mean()


@SCRIPTED
@BLOCKS
@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        ("short", "float32 of shape [2, 63]"),
        ("long", "float32 of shape [2, 128]"),
        ("mono", "float32 of shape [1, 64]"),
        ("3 channels", "float32 of shape [3, 64]"),
        ("1-D", "float32 of shape [64]"),
        ("3-D", "float32 of shape [1, 2, 64]"),
        ("float64", "float64 of shape [2, 64]"),
        ("int64", "int64 of shape [2, 64]"),
        ("a number", "float32 of shape []"),
    ],
)
def test_wrong_output_of_a_model_is_named(wrong: str, got: str, block: int, scripted: bool, noise: Noise) -> None:
    stream = queue(Plain(WrongOutput(wrong)), block, scripted)
    message = re.escape(f"do_forward_pass must return float32 audio of shape (2, 64), got {got}")

    with torch.no_grad(), raises(scripted, ModelOutputError, message):
        feed_until_full(stream, noise(2, block, seed=0))
