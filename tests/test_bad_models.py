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
from .helpers_existing import RATE_HZ, SCRIPTED, ExistingWrapper, Halve, coarse, late, raises
from .wrappers import queue

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
    stream = queue(Blocks(RaisesOnBlock(fails_at)), scripted, block)
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
    stream = queue(Blocks(RaisesOnBlock(3)), scripted, 48)
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
    stream = queue(Blocks(RaisesAlways()), scripted, block)
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
    stream = queue(Blocks(RaisesAlways()), scripted, 48)
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

    def forward(self, x: Tensor) -> Tensor:  # noqa: C901, PLR0911 -- one a case, in TorchScript
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
        if self.wrong == "channels last":
            return x.t().unsqueeze(0)
        if self.wrong == "channels as a batch":
            return x.unsqueeze(1)
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
        ("short", "float32 of shape [2, 63]; return as many samples as come in"),
        ("long", "float32 of shape [2, 128]; return as many samples as come in"),
        ("mono", "float32 of shape [1, 64]; return 2 of them, or let is_output_mono() say otherwise"),
        ("3 channels", "float32 of shape [3, 64]; return 2 of them, or let is_output_mono() say otherwise"),
        ("1-D", "float32 of shape [64]; return both axes, (channels, samples)"),
        ("3-D", "float32 of shape [1, 2, 64]; take the batch axis off, for instance by y.squeeze(0)"),
        ("channels last", "float32 of shape [1, 64, 2]; take the batch axis off, and put the channels first: y.sq"),
        ("channels as a batch", "float32 of shape [2, 1, 64]; take the middle axis off: y.squeeze(1)"),
        ("float64", "float64 of shape [2, 64]; call .float()"),
        ("int64", "int64 of shape [2, 64]; call .float()"),
        ("a number", "float32 of shape []"),
    ],
)
def test_wrong_output_of_a_model_is_named(wrong: str, got: str, block: int, scripted: bool, noise: Noise) -> None:
    stream = queue(Plain(WrongOutput(wrong)), scripted, block)
    message = re.escape(f"do_forward_pass must return float32 audio of shape (2, 64), got {got}")

    with torch.no_grad(), raises(scripted, ModelOutputError, message):
        feed_until_full(stream, noise(2, block, seed=0))


class FailsInHooks(ExistingWrapper):
    """A running sum; ``fails_in`` says which of its hooks raises."""

    total: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.register_buffer("total", torch.zeros(2, 1))
        self.fails_in = ""

    def get_native_buffer_sizes(self) -> list[int]:
        return [64, 96]

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        if self.fails_in == "set":
            msg = "cannot tune"
            raise RuntimeError(msg)
        return True

    def reset_model(self) -> bool:
        if self.fails_in == "reset":
            msg = "cannot reset"
            raise RuntimeError(msg)
        self.total.zero_()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.total + self.model(x).cumsum(dim=1)
        self.total.copy_(y[:, -1:])
        return y


def assert_plays_afresh(stream: Any, audio: Tensor, block: int, *, undelayed: bool) -> None:
    """Assert that the stream plays the running sum from silence."""
    expected = late(0.5 * audio.cumsum(dim=1), 0 if undelayed else stream.calc_buffering_delay_samples())
    play = stream.forward_bt if undelayed else stream
    with torch.no_grad():
        outputs = [play(x) for x in audio.split(block, dim=1)]
    played = torch.cat([y for y in outputs if y is not None], dim=1)
    assert torch.equal(played, expected[:, : played.size(1)])
    assert played.size(1) > audio.size(1) - 64


UNDELAYED = pytest.mark.parametrize("undelayed", [False, True], ids=["forward", "forward_bt"])


@SCRIPTED
@UNDELAYED
@pytest.mark.parametrize("before", [64, 48, 100])
@pytest.mark.parametrize("block", [64, 48, 100])
def test_after_a_failure_to_reset_the_new_setting_plays(
    block: int, before: int, undelayed: bool, scripted: bool, noise: Noise
) -> None:
    stream = queue(FailsInHooks(Halve()), scripted, before)
    with torch.no_grad():
        stream(torch.zeros(2, before))  # nothing that the model could have kept

    stream.w2w_base.fails_in = "reset"
    with raises(scripted, RuntimeError, "cannot reset"):
        stream.set_daw_sample_rate_and_buffer_size(RATE_HZ, block)

    assert_plays_afresh(stream, coarse(noise(2, 12 * block, seed=0)), block, undelayed=undelayed)


@SCRIPTED
@UNDELAYED
@BLOCKS
def test_after_a_failure_to_tune_the_old_setting_plays_afresh(
    block: int, undelayed: bool, scripted: bool, noise: Noise
) -> None:
    stream = queue(FailsInHooks(Halve()), scripted, block)
    audio = coarse(noise(2, 12 * block, seed=0))
    delay = stream.calc_buffering_delay_samples()
    with torch.no_grad():
        feed_until_full(stream, audio[:, :block])

    stream.w2w_base.fails_in = "set"
    with raises(scripted, RuntimeError, "cannot tune"):
        stream.set_daw_sample_rate_and_buffer_size(RATE_HZ, 100)

    assert stream.calc_buffering_delay_samples() == delay
    assert_plays_afresh(stream, audio, block, undelayed=undelayed)


@SCRIPTED
@UNDELAYED
@BLOCKS
def test_after_a_failure_offline_the_stream_starts_afresh(
    block: int, undelayed: bool, scripted: bool, noise: Noise
) -> None:
    stream = queue(FailsInHooks(RaisesOnBlock(5)), scripted, block)
    audio = coarse(noise(2, 12 * block, seed=0))

    with torch.no_grad(), raises(scripted, RuntimeError, "the model gave up"):
        stream.forward_offline(audio)

    assert_plays_afresh(stream, audio, block, undelayed=undelayed)


@BLOCKS
@pytest.mark.parametrize("method", ["do_forward_pass", "aggregate_params"])
@pytest.mark.parametrize(("answer", "got"), [((torch.zeros(2, 64), 1), "tuple"), (None, "NoneType"), ([0.0], "list")])
def test_what_is_no_tensor_is_named_in_python(answer: Any, got: str, method: str, block: int, noise: Noise) -> None:
    """In TorchScript it does not even compile."""
    wrapper = type("Returns", (Plain,), {method: lambda self, *arguments: answer})
    stream = queue(wrapper(Halve()), False, block)

    with pytest.raises(ModelOutputError, match=rf"{method} must return a tensor, got {got}"):
        feed_until_full(stream, noise(2, block, seed=0))
