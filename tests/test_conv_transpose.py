"""Transposed convolutions for clips are torch's; for streams they are those for clips, however the stream is cut."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.conv_transpose import ConvTranspose1dGeneral
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError, NeutoneError

from .blocks import BLOCK_SIZES, assert_close, assert_plays_exported, audio, scripts, streamed

LAYERS: list[dict[str, Any]] = [
    {"kernel_size": 8, "stride": 4},
    {"kernel_size": 8, "stride": 4, "causal": False, "padding": 2},
    {"kernel_size": 3, "stride": 2, "causal": False, "bias": False},
    {"kernel_size": 2, "stride": 5},
    {"kernel_size": 3, "dilation": 4, "groups": 2, "causal": False, "padding": 1},
]


def made(**options: Any) -> ConvTranspose1dGeneral:
    torch.manual_seed(0)
    return ConvTranspose1dGeneral(4, 6, **options).eval()


@given(
    sizes=BLOCK_SIZES,
    kernel_size=st.integers(1, 8),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.sampled_from(["same", 0, 1, 3]),
    output_padding=st.integers(0, 1),
    causal=st.booleans(),
    bias=st.booleans(),
    batch_size=st.integers(1, 3),
    has_gradients=st.booleans(),
)
@settings(deadline=None)
def test_a_stream_is_the_clip_delayed(
    sizes: list[int],
    kernel_size: int,
    stride: int,
    dilation: int,
    padding: str | int,
    output_padding: int,
    causal: bool,
    bias: bool,
    batch_size: int,
    has_gradients: bool,
) -> None:
    if causal or padding == "same" or max(stride, dilation) == 1:
        output_padding = 0
    layer = made(
        kernel_size=kernel_size,
        stride=stride,
        padding="same" if causal else padding,
        output_padding=output_padding,
        dilation=dilation,
        bias=bias,
        causal=causal,
    )
    x = audio(batch_size, 4, max(30, sum(sizes)))  # longer than the delay, at most 14 samples
    with torch.set_grad_enabled(has_gradients):
        whole = layer(x)
        layer.set_cached(True)
        actual = streamed(layer, x, sizes)
    assert actual.size(2) == stride * x.size(2)
    delay = layer.get_delay_samples()
    n_both = min(whole.size(2), actual.size(2) - delay)
    assert n_both > 0
    assert_close(actual[:, :, delay : delay + n_both], whole[:, :, :n_both])
    if causal or padding == "same":
        assert whole.size(2) == stride * x.size(2)


@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("output_padding", [0, 2])
@pytest.mark.parametrize("options", [{}, {"dilation": 3, "groups": 2}, {"bias": False}])
def test_a_clip_is_torchs_and_its_gradients_too(padding: int, output_padding: int, options: dict[str, Any]) -> None:
    stock = nn.ConvTranspose1d(4, 6, 5, 3, padding, output_padding, **options)
    layer = made(
        kernel_size=5, stride=3, padding=padding, output_padding=output_padding, causal=False, **options
    ).train()
    layer.load_state_dict(stock.state_dict())
    gradients = []
    for module, weight in ((stock, stock.weight), (layer, layer.conv_transpose1d.weight)):
        x = audio(2, 4, 30).requires_grad_()
        y = module(x)
        y.square().mean().backward()
        gradients.append((y, x.grad, weight.grad))
    for expected, actual in zip(*gradients, strict=True):
        assert_close(actual, expected)


@pytest.mark.parametrize("kernel_size", [2, 4, 9])
def test_a_causal_clip_is_torchs_cut_on_the_right(kernel_size: int) -> None:
    layer, x = made(kernel_size=kernel_size, stride=4), audio(1, 4, 30)
    weight, bias = layer.conv_transpose1d.weight, layer.conv_transpose1d.bias
    whole = F.conv_transpose1d(x, weight, None, 4)
    assert bias is not None
    expected = F.pad(whole, (0, max(0, 120 - whole.size(2))))[:, :, :120] + bias[:, None]
    assert_close(layer(x), expected)


@pytest.mark.parametrize("options", LAYERS)
def test_scripts_play_the_same(options: dict[str, Any]) -> None:
    layer, x = made(**options), audio(2, 4, 100)
    with torch.no_grad():
        layer.set_cached(True)
        expected = streamed(layer, x, [0, 1, 17])
        for script in scripts(layer):
            script.reset(None)
            assert_close(streamed(script, x, [0, 1, 17]), expected)


@pytest.mark.parametrize("options", LAYERS)
def test_a_reset_stream_is_a_fresh_one(options: dict[str, Any]) -> None:
    layer, x = made(**options), audio(1, 4, 20)
    layer.set_cached(True)
    expected = layer(x)
    layer.reset()
    assert torch.equal(layer(x), expected)
    layer(audio(2, 4, 17))  # another batch is another stream, and so is the next one
    assert torch.equal(layer(x), expected)
    layer.prepare_for_inference()
    assert sum(buffer.numel() for buffer in layer.buffers()) == 0
    assert torch.equal(layer(x), expected)


@pytest.mark.parametrize("options", LAYERS)
def test_the_declared_delay_is_measured(options: dict[str, Any]) -> None:
    layer = made(**{**options, "bias": False})
    nn.init.ones_(layer.conv_transpose1d.weight)
    impulse = torch.zeros(1, 4, 40)
    impulse[:, :, 20] = 1.0
    clip = layer(impulse)[0, 0]
    script = torch.jit.script(layer)
    script.set_cached(True)
    stream = script(impulse)[0, 0]
    assert int(stream.nonzero()[0]) - int(clip.nonzero()[0]) == script.get_delay_samples()
    assert script.get_stride() == (options.get("stride", 1), 1)


@pytest.mark.parametrize("options", LAYERS)
def test_the_receptive_field_is_measured(options: dict[str, Any]) -> None:
    layer = made(**options)
    nn.init.ones_(layer.conv_transpose1d.weight)
    x = audio(1, 4, 60).requires_grad_()
    reached = 0
    for position in range(30 * layer.stride, 31 * layer.stride):
        (gradient,) = torch.autograd.grad(layer(x)[0, :, position].sum(), x)
        inputs = gradient[0].abs().sum(dim=0).nonzero()
        reached = max(reached, int(inputs[-1] - inputs[0]) + 1 if len(inputs) else 0)
    assert reached == layer.get_receptive_field_samples()


def test_past_blocks_have_no_gradients() -> None:
    layer = made(kernel_size=8, stride=2, cached=True)
    first = audio(1, 4, 10).requires_grad_()
    layer(first)
    layer(audio(1, 4, 10)).sum().backward()
    assert first.grad is None
    assert layer.conv_transpose1d.weight.grad is not None


def test_input_output_and_copies_are_their_own() -> None:
    layer, x = made(kernel_size=8, stride=4, cached=True), audio(1, 4, 20)
    given_x = x.clone()
    y = layer(given_x)
    expected, twin = y.clone(), copy.deepcopy(layer)
    second = layer(x)
    assert torch.equal(given_x, x)
    assert torch.equal(y, expected)
    assert torch.equal(twin(x), second)


def test_down_and_up_again_in_a_stream(tmp_path: Path) -> None:
    class Autoencoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = ConvTranspose1dGeneral(1, 3, 4, 2, causal=False)
            self.mix = nn.Conv1d(3, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(self.up(x))[:, :, ::2]

        @torch.jit.export
        def reset(self) -> None:
            self.up.reset(None)

        @torch.jit.export
        def get_delay_samples(self) -> int:
            return self.up.get_delay_samples()

        def prepare_for_inference(self) -> None:
            self.up.prepare_for_inference()

    model = Autoencoder()
    model.prepare_for_inference()
    assert_plays_exported(model, tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out_channels": 0}, "out_channels must be at least 1, got 0"),
        ({"padding": 1}, "padding must be 'same' for a causal layer, got 1"),
        ({"padding": "valid", "causal": False}, "padding must be 'same' or a number, got 'valid'"),
        ({"padding": -1, "causal": False}, "padding must be at least 0"),
        ({"padding": 1.5, "causal": False}, "padding must be an integer, got 1.5"),
        ({"padding": 1, "causal": False, "output_padding": 2}, "below the stride or the dilation, 2, got 2"),
        ({"output_padding": 1}, "output_padding goes with a number as padding, got 1 with padding 'same'"),
        ({"groups": 4}, "groups must divide in_channels, 4, and out_channels, 6; got 4"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidArgumentError, InvalidTypeError), match=message):
        ConvTranspose1dGeneral(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2, **options})


@pytest.mark.parametrize("cached", [True, False])
def test_bad_input_is_refused(cached: bool) -> None:
    layer = made(kernel_size=3, cached=cached, use_dynamic_bs=False)
    for x in (torch.zeros(4, 30), torch.zeros(1, 3, 30), torch.zeros(1, 4, 30).double()):
        with pytest.raises(NeutoneError, match="audio must"):
            layer(x)
        with pytest.raises(torch.jit.Error, match="audio must"):
            torch.jit.script(layer)(x)
    if cached:
        with pytest.raises(InvalidAudioError, match="a batch of 1, as the block was made for, got 2"):
            layer(audio(2, 4, 30))


def test_a_clip_that_gives_nothing_is_refused() -> None:
    with pytest.raises(InvalidAudioError, match="a clip of 2 samples gives -2 output samples"):
        made(kernel_size=3, padding=3, causal=False)(audio(1, 4, 2))
    with pytest.raises(InvalidAudioError, match="a clip of 0 samples"):
        made(kernel_size=3)(audio(1, 4, 0))
