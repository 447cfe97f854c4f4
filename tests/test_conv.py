"""Convolutions for clips are torch's; for streams they are those for clips, however the stream is cut."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import conv_windows
from neutone_sdk.conv import Conv1dGeneral, PaddingCached
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError, NeutoneError

from .blocks import BLOCK_SIZES, assert_close, assert_plays_exported, audio, scripts, streamed

LAYERS: list[dict[str, Any]] = [
    {"kernel_size": 5},
    {"kernel_size": 1},
    {"kernel_size": 4, "causal": False},
    {"kernel_size": 3, "dilation": 600, "causal": False},
    {"kernel_size": 5, "dilation": 2, "padding": "valid", "bias": False},
    {"kernel_size": 3, "dilation": 2, "groups": 2, "padding": 1, "causal": False},
    {"kernel_size": 5, "stride": 3},
    {"kernel_size": 4, "stride": 2, "causal": False, "padding": 1},
]


def made(**options: Any) -> Conv1dGeneral:
    torch.manual_seed(0)
    return Conv1dGeneral(4, 6, **options).eval()


def clip_behind_silence(layer: Conv1dGeneral, x: Tensor, n_outputs: int) -> Tensor:
    """Return the clip's outputs that a stream of ``x`` has to give: the delay before the last ones."""
    layer.set_cached(False)
    n_silent = layer.stride * (layer.padded_kernel_size + layer.padding_l + 8)
    whole = layer(F.pad(x, (n_silent, 0)))
    end = whole.size(2) - layer.get_delay_samples()
    return whole[:, :, end - n_outputs : end]


@given(
    sizes=BLOCK_SIZES,
    kernel_size=st.integers(1, 6),
    dilation=st.sampled_from([1, 2, 7, 300]),
    padding=st.sampled_from(["same", "valid", 0, 1, 5]),
    stride=st.sampled_from([1, 1, 2, 3, 4]),
    causal=st.booleans(),
    batch_size=st.integers(1, 3),
    has_gradients=st.booleans(),
)
@settings(deadline=None)
def test_a_stream_is_the_clip_delayed(
    sizes: list[int],
    kernel_size: int,
    dilation: int,
    padding: str | int,
    stride: int,
    causal: bool,
    batch_size: int,
    has_gradients: bool,
) -> None:
    if padding == "same" and stride > 1:
        causal = True
    layer = made(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride, causal=causal)
    x = audio(batch_size, 4, stride * max(1, sum(sizes)))
    with torch.set_grad_enabled(has_gradients):
        layer.set_cached(True)
        actual = streamed(layer, x, sizes)
        assert actual.size(2) == x.size(2) // stride
        assert_close(actual, clip_behind_silence(layer, x, actual.size(2)))


@given(sizes=BLOCK_SIZES, stride=st.integers(1, 7))
@settings(deadline=None, max_examples=30)
def test_an_output_comes_as_soon_as_its_input(sizes: list[int], stride: int) -> None:
    layer = made(kernel_size=3, stride=stride)
    layer.set_cached(True)
    n_heard = n_given = 0
    for size in sizes:
        n_heard += size
        n_given += layer(audio(1, 4, size)).size(2)
        assert n_given == -(-n_heard // stride)


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # torch's, of an even kernel
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    "options", [{"padding": 2}, {"padding": "same", "dilation": 3}, {"padding": (1,), "groups": 2}]
)
def test_a_clip_is_torchs_and_its_gradients_too(padding_mode: Any, options: dict[str, Any]) -> None:
    stock = nn.Conv1d(4, 6, 4, padding_mode=padding_mode, **options)
    layer = made(kernel_size=4, padding_mode=padding_mode, causal=False, **options).train()
    layer.load_state_dict(stock.state_dict())
    gradients = []
    for module, weight in ((stock, stock.weight), (layer, layer.conv1d.weight)):
        x = audio(2, 4, 30).requires_grad_()
        y = module(x)
        y.square().mean().backward()
        gradients.append((y, x.grad, weight.grad))
    for expected, actual in zip(*gradients, strict=True):
        assert_close(actual, expected)


def test_a_causal_clip_is_padded_on_the_left() -> None:
    layer, x = made(kernel_size=4, dilation=2), audio(1, 4, 30)
    assert_close(layer(x), F.conv1d(F.pad(x, (6, 0)), layer.conv1d.weight, layer.conv1d.bias, dilation=2))


@pytest.mark.parametrize("padding_mode", ["reflect", "replicate", "circular"])
def test_a_stream_starts_from_silence_with_every_padding_mode(padding_mode: str) -> None:
    layer, plain = made(kernel_size=4, padding_mode=padding_mode, cached=True), made(kernel_size=4, cached=True)
    assert torch.equal(layer(audio(1, 4, 30)), plain(audio(1, 4, 30)))


@pytest.mark.parametrize("options", LAYERS)
def test_scripts_play_the_same(options: dict[str, Any]) -> None:
    layer, x = made(**options), audio(2, 4, 3600)
    with torch.no_grad():
        layer.set_cached(True)
        expected = streamed(layer, x, [0, 1, 700, 2099])
        for script in scripts(layer):
            script.reset(None)
            assert_close(streamed(script, x, [0, 1, 700, 2099]), expected)


def test_a_script_changes_its_mode() -> None:
    layer, x = made(kernel_size=5), audio(1, 4, 30)
    expected = layer(x)
    script = torch.jit.script(layer)
    assert not script.is_cached()
    script.set_cached(True)
    assert script.is_cached()
    assert_close(streamed(script, x, [7]), expected)
    script.set_cached(False)
    assert_close(script(x), expected)


@pytest.mark.parametrize("options", LAYERS)
def test_a_reset_stream_is_a_fresh_one(options: dict[str, Any]) -> None:
    layer, x = made(**options), audio(1, 4, 100)
    layer.set_cached(True)
    expected = layer(x)
    layer.reset()
    assert torch.equal(layer(x), expected)
    layer.set_cached(True)
    assert torch.equal(layer(x), expected)
    layer.reset(3)
    assert torch.equal(layer(x), expected)
    layer(audio(2, 4, 17))  # another batch is another stream, and so is the next one
    assert torch.equal(layer(x), expected)


@pytest.mark.parametrize("options", LAYERS)
def test_the_declared_delay_is_measured(options: dict[str, Any]) -> None:
    # Of all ones, the kernel answers an impulse with ones; where they begin in the clip and in the stream is compared.
    layer = made(**{**options, "bias": False})
    nn.init.ones_(layer.conv1d.weight)
    at = 5 * layer.padded_kernel_size + 20
    at -= at % layer.stride
    impulse = torch.zeros(1, 4, 2 * at)
    impulse[:, :, at] = 1.0
    clip = layer(impulse)[0, 0]
    layer.set_cached(True)
    stream = layer(impulse)[0, 0]
    first_of_clip = int(clip.nonzero()[0]) + stream.numel() - clip.numel()  # a shortened clip counts from its end
    assert int(stream.nonzero()[0]) - first_of_clip == layer.get_delay_samples()


@pytest.mark.parametrize(
    ("options", "delay", "receptive_field"),
    [
        ({"kernel_size": 5}, 0, 5),
        ({"kernel_size": 5, "dilation": 3, "padding": "valid", "causal": False}, 0, 13),
        ({"kernel_size": 5, "dilation": 3, "causal": False}, 6, 13),
        ({"kernel_size": 4, "causal": False}, 2, 4),
        ({"kernel_size": 4, "causal": False, "padding": 1}, 1, 4),
        ({"kernel_size": 8, "stride": 4}, 0, 8),
        ({"kernel_size": 8, "stride": 4, "padding": 2, "causal": False}, 2, 8),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "causal": False}, 1, 3),
    ],
)
def test_delay_and_receptive_field(options: dict[str, Any], delay: int, receptive_field: int) -> None:
    layer = torch.jit.script(made(**options))
    assert layer.get_delay_samples() == delay
    assert layer.get_receptive_field_samples() == receptive_field
    assert layer.get_stride() == (1, options.get("stride", 1))


@pytest.mark.parametrize("options", LAYERS)
def test_a_stream_can_be_trained_on(options: dict[str, Any]) -> None:
    layer, x = made(**options).train(), audio(1, 4, 90)
    layer.set_cached(True)
    streamed(layer, x, [30]).square().mean().backward()
    assert layer.conv1d.weight.grad is not None
    by_blocks = layer.conv1d.weight.grad.clone()
    layer.zero_grad()
    clip_behind_silence(layer, x, x.size(2) // layer.stride).square().mean().backward()
    assert_close(by_blocks, layer.conv1d.weight.grad)


def test_past_blocks_have_no_gradients() -> None:
    layer = made(kernel_size=3, cached=True)
    first = audio(1, 4, 10).requires_grad_()
    layer(first)
    layer(audio(1, 4, 10)).sum().backward()
    assert first.grad is None


@pytest.mark.parametrize("n_past", [0, 12, 1500])
def test_padding_is_the_past(n_past: int) -> None:
    padding, x = PaddingCached(4, n_past // 3, n_past - n_past // 3), audio(2, 4, 9000)
    silence_and_x, at, kept = F.pad(x, (n_past, 0)), 0, []
    with torch.no_grad():
        for size in [10, 0, 2500, 400, 1, 3000, 2048, 1041]:
            expected = silence_and_x[:, :, at : at + n_past + size]
            kept.append((padding(x[:, :, at : at + size]), expected))
            at += size
    for actual, expected in kept:  # what was returned does not change
        assert torch.equal(actual, expected)


@pytest.mark.parametrize("options", LAYERS)
def test_input_and_output_are_the_callers(options: dict[str, Any]) -> None:
    layer, x = made(**options, cached=True), audio(1, 4, 200)
    given_x = x.clone()
    with torch.no_grad():
        y = layer(given_x)
        expected = y.clone()
        layer(audio(1, 4, 200, seed=1))
    assert torch.equal(given_x, x)
    assert torch.equal(y, expected)


def test_a_stream_may_begin_in_inference_mode() -> None:
    layer, x = made(kernel_size=3, dilation=600, cached=True), audio(1, 4, 2000)
    with torch.inference_mode():
        first = layer(x[:, :, :900]).clone()
    second = layer(x[:, :, 900:])
    layer.set_cached(False)
    assert_close(torch.cat([first, second], dim=2), layer(x))


def test_a_copy_is_a_stream_of_its_own() -> None:
    layer, x = made(kernel_size=4, cached=True), audio(1, 4, 30)
    layer(x)
    twin = copy.deepcopy(layer)
    expected = layer(x)
    layer(audio(1, 4, 30, seed=1))
    assert torch.equal(twin(x), expected)


def test_a_layer_in_float64_streams_float64() -> None:
    layer, x = made(kernel_size=4, stride=2).double(), audio(1, 4, 30).double()
    expected = layer(x)
    layer.set_cached(True)
    assert_close(streamed(layer, x, [7]), expected)


def test_hooks_are_heard_in_a_stream() -> None:
    layer, x = made(kernel_size=4, dilation=2, cached=True), audio(1, 4, 30)
    with torch.no_grad():
        expected = 2.0 * layer(x)
        layer.reset()
        layer.conv1d.register_forward_hook(lambda _module, _inputs, output: 2.0 * output)
        assert_close(layer(x), expected)


def test_checkpoints_of_1x_load_and_ours_hold_no_audio() -> None:
    layer = made(kernel_size=4)
    weights = {name: torch.rand_like(tensor) for name, tensor in layer.state_dict().items()}
    assert sorted(weights) == ["conv1d.bias", "conv1d.weight"]
    caches = {"padding_cached.pad_l_buf": torch.ones(2, 4, 9), "padding_cached.pad_r_buf": torch.ones(2, 4, 1)}
    layer.load_state_dict({**weights, **caches})
    assert torch.equal(layer.conv1d.weight, weights["conv1d.weight"])
    with pytest.raises(RuntimeError, match="Unexpected key"):
        layer.load_state_dict({**weights, "another": torch.ones(1)})


def test_a_stack_loads_the_state_of_stock_layers() -> None:
    stock = nn.Sequential(nn.Conv1d(4, 4, 3), nn.Conv1d(4, 4, 3, bias=False))
    ours = nn.Sequential(Conv1dGeneral(4, 4, 3), Conv1dGeneral(4, 4, 3, bias=False))
    state = stock.state_dict()
    ours.load_state_dict(state)
    assert torch.equal(ours.state_dict()["1.conv1d.weight"], state["1.weight"])
    assert sorted(state) == ["0.bias", "0.weight", "1.weight"]


def test_inference_starts_afresh_without_audio_in_the_file() -> None:
    layer = made(kernel_size=3, dilation=600).train()
    layer.prepare_for_inference()
    expected = layer(audio(1, 4, 30))
    layer.prepare_for_inference()
    assert layer.is_cached()
    assert not layer.training
    assert sum(buffer.numel() for buffer in layer.buffers()) == 2  # two counters
    assert torch.equal(layer(audio(1, 4, 30)), expected)


@pytest.mark.parametrize("causal", [True, False])
def test_an_exported_layer_plays_the_same(causal: bool, tmp_path: Path) -> None:
    layer = Conv1dGeneral(1, 1, 5, dilation=300, causal=causal)
    layer.prepare_for_inference()
    assert_plays_exported(layer, tmp_path)


@given(
    n_batch=st.integers(1, 3),
    n_taps=st.integers(1, 5),
    n_outputs=st.integers(1, 50),
    first=st.integers(0, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 9),
    has_bias=st.booleans(),
    is_transposed=st.booleans(),
)
@settings(deadline=None)
def test_windows_give_what_torch_gives(
    n_batch: int,
    n_taps: int,
    n_outputs: int,
    first: int,
    stride: int,
    dilation: int,
    has_bias: bool,
    is_transposed: bool,
) -> None:
    n_needed = (n_outputs - 1) * stride + (n_taps - 1) * dilation + 1
    padded = audio(n_batch, 4, first + n_needed + 2)
    if is_transposed:
        padded = padded.transpose(1, 2).contiguous().transpose(1, 2)
    weight, bias = audio(6, 4, n_taps, seed=1) / 5.0, audio(6, seed=2) if has_bias else None
    actual = conv_windows.convolve(padded, first, n_outputs, weight, bias, stride, dilation)
    assert_close(actual, F.conv1d(padded[:, :, first : first + n_needed], weight, bias, stride, dilation=dilation))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"kernel_size": 0}, "kernel_size must be at least 1"),
        ({"kernel_size": 2.5}, "kernel_size must be an integer, got 2.5"),
        ({"stride": 0}, "stride must be at least 1"),
        ({"dilation": -1}, "dilation must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"padding": -1}, "padding must be at least 0"),
        ({"padding": "full"}, "'same', 'valid' or a number, got 'full'"),
        ({"padding": (1, 2)}, "padding must be an integer"),
        ({"padding": "same", "stride": 2, "causal": False}, "got 'same' with stride 2; 1 is half the kernel"),
        ({"padding_mode": "mirror"}, "zeros, reflect, replicate, circular; got 'mirror'"),
        ({"groups": 3}, "groups must divide in_channels, 4, and out_channels, 6; got 3"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidArgumentError, InvalidTypeError), match=message):
        Conv1dGeneral(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(4, 30), r"shape \(batch, 4, samples\), got \[4, 30\]"),
        (torch.zeros(1, 3, 30), r"got \[1, 3, 30\]"),
        (torch.zeros(1, 4, 30, dtype=torch.float64), "must be float32 on cpu as the block is, got float64 on cpu"),
    ],
)
@pytest.mark.parametrize("cached", [True, False])
def test_bad_input_is_refused(x: Tensor, message: str, cached: bool) -> None:
    layer = made(kernel_size=3, cached=cached)
    with pytest.raises(NeutoneError, match=message):
        layer(x)
    with pytest.raises(torch.jit.Error, match=message):
        torch.jit.script(layer)(x)


def test_a_clip_shorter_than_the_kernel_is_refused() -> None:
    with pytest.raises(InvalidAudioError, match="at least 5 samples, got 4"):
        made(kernel_size=5, padding="valid")(audio(1, 4, 4))


def test_a_fixed_batch_stays() -> None:
    layer = made(kernel_size=3, cached=True, use_dynamic_bs=False, batch_size=2)
    with pytest.raises(InvalidAudioError, match=r"a batch of 2, as the block was made for, got 1; call reset\(1\)"):
        layer(audio(1, 4, 30))
    assert layer(audio(2, 4, 30)).size(0) == 2
    layer.reset(1)
    assert layer(audio(1, 4, 30)).size(0) == 1
    with pytest.raises(InvalidArgumentError, match="batch_size must be at least 0, got -1"):
        layer.reset(-1)
