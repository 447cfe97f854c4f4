"""A trained stack of stock layers plays as a stream what it plays at once, late by what `delay_samples` says."""

import copy
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations, weight_norm

from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.delay import delay_samples, layers_of, timing_of
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError, NotStreamingError
from neutone_sdk.residual import Residual
from neutone_sdk.to_streaming import to_streaming

from .blocks import BLOCK_SIZES, assert_close, audio, streamed

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
ACTIVATIONS = [nn.Tanh, nn.Sigmoid, nn.PReLU, nn.Identity]  # a sigmoid makes 0.5 of silence


@dataclass(frozen=True)
class Stack:
    """A stack, and its output samples for how many input samples."""

    model: nn.Sequential
    up: int
    down: int


@st.composite
def convolutions(draw: st.DrawFn, n_in: int, n_out: int) -> tuple[nn.Module, int, int]:
    """Return a layer that keeps the length of a clip but for its rate, and its rate."""
    stride, n_taps, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 2])) if n_in % 2 == 0 and n_out % 2 == 0 else 1
    options: dict[str, Any] = {"dilation": dilation, "groups": groups, "bias": draw(st.booleans())}
    reach = (n_taps - 1) * dilation
    if draw(st.booleans()):
        paddings: list[int | str] = [n for n in range(reach + 1) if 0 <= reach - 2 * n < stride]
        if stride == 1:
            paddings.append("same")
        padding = draw(st.sampled_from(paddings))
        return nn.Conv1d(n_in, n_out, n_taps, stride=stride, padding=padding, **options), 1, stride
    cut = draw(st.integers(0, reach))
    options["output_padding"] = max(0, cut + stride - 1 - reach)  # else the clip ends before the stream
    return nn.ConvTranspose1d(n_in, n_out, n_taps, stride=stride, padding=cut, **options), stride, 1


@st.composite
def stacks(draw: st.DrawFn, depth: int = 4) -> Stack:
    torch.manual_seed(draw(st.integers(0, 1000)))
    layers: list[nn.Module] = []
    n_channels, up, down = 2, 1, 1
    for _ in range(draw(st.integers(1, depth))):
        n_out = draw(st.sampled_from([1, 2, 4]))
        layer, layer_up, layer_down = draw(convolutions(n_channels, n_out))
        inner: list[nn.Module] = [layer, draw(st.sampled_from(ACTIVATIONS))()]
        if draw(st.booleans()):
            inner.append(normalised(n_out))
        if draw(st.booleans()):
            branch = nn.Sequential(nn.Conv1d(n_out, n_out, 3, padding=1), nn.Sigmoid(), nn.Conv1d(n_out, n_out, 1))
            shortcut = nn.Conv1d(n_out, n_out, 5, padding=2) if draw(st.booleans()) else None
            inner.append(Residual(branch, shortcut))
        if draw(st.booleans()):
            n = draw(st.integers(2, 3))
            narrow = nn.Conv1d(n_out, 2, 5, stride=n, padding=2)
            inner.append(Residual(nn.Sequential(narrow, nn.ConvTranspose1d(2, n_out, n + 2, stride=n, padding=1))))
        layers += [nn.Sequential(*inner)] if draw(st.booleans()) else inner
        n_channels, up, down = n_out, up * layer_up, down * layer_down
    return Stack(nn.Sequential(*layers).eval(), up, down)


def normalised(n_channels: int) -> nn.Module:
    """Return batch normalisation that has learnt something."""
    layer = nn.BatchNorm1d(n_channels)
    with torch.no_grad():
        for statistics in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            assert statistics is not None
            statistics.copy_(0.5 + torch.rand(n_channels))
    return layer


@settings(deadline=None, max_examples=100)
@given(stack=stacks(), sizes=BLOCK_SIZES, n_strides=st.integers(1, 4), n_batch=st.integers(1, 2))
def test_stream_is_the_clip_late_by_the_derived_delay(
    stack: Stack, sizes: list[int], n_strides: int, n_batch: int
) -> None:
    x = audio(n_batch, 2, n_strides * stack.down * 24)

    with torch.no_grad():
        try:
            clip = stack.model(x)
        except InvalidAudioError:  # no whole number of the strides inside a residual block
            reject()
        stream = to_streaming(stack.model)
        actual = streamed(stream, x, sizes)

    timing = timing_of(layers_of(stream))
    late = timing.delay_samples
    assert timing.rate == Fraction(stack.up, stack.down)
    assert actual.size(2) == x.size(2) * timing.rate
    n_known = max(0, min(actual.size(2) - late, clip.size(2)))
    assert_close(actual[:, :, late : late + n_known], clip[:, :, :n_known])
    if (late / timing.rate).denominator == 1:
        assert delay_samples(stream) == late / timing.rate


@settings(deadline=None, max_examples=6)
@given(stack=stacks(depth=3), sizes=BLOCK_SIZES)
def test_script_plays_the_same(stack: Stack, sizes: list[int]) -> None:
    x = audio(1, 2, 60)
    stream = to_streaming(stack.model)
    with torch.no_grad():
        expected = streamed(stream, x, sizes)
        stream.reset()

        script = torch.jit.script(stream)
        actual = streamed(script, x, sizes)
        script.reset()
        again = streamed(script, x, [60])

    assert_close(actual, expected)
    assert_close(again, expected)


def example() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(1, 4, 5, padding=2), nn.Tanh(), nn.Conv1d(4, 1, 4, padding="same")).eval()


def test_delay_is_the_sum_of_what_pads_the_right() -> None:
    assert delay_samples(to_streaming(example())) == 2 + 2


def test_pulse_is_late_by_the_delay() -> None:
    model = nn.Sequential(nn.Conv1d(1, 1, 5, padding=2, bias=False), nn.Conv1d(1, 1, 9, padding="same", bias=False))
    for weight in model.parameters():
        weight.data.zero_()[:, :, weight.size(2) // 2] = 1.0
    pulse = torch.zeros(1, 1, 32)
    pulse[0, 0, 3] = 1.0

    stream = to_streaming(model)

    assert int(stream(pulse).argmax()) - 3 == delay_samples(stream) == 6


def test_delays_are_added_only_where_a_stride_needs_them() -> None:
    aligned = nn.Sequential(nn.Conv1d(1, 2, 5, padding=2), nn.Conv1d(2, 1, 4, stride=2, padding=1))
    late_by_one = nn.Sequential(nn.Conv1d(1, 2, 3, padding=1), nn.Conv1d(2, 1, 4, stride=2, padding=1))

    assert [name for name, _ in to_streaming(aligned).named_children()] == ["0", "1_start", "1"]
    assert [name for name, _ in to_streaming(late_by_one).named_children()] == ["0", "1_delay", "1_start", "1"]


def test_clip_that_comes_out_shorter_lacks_its_first_samples() -> None:
    model = nn.Sequential(nn.Conv1d(1, 2, 4), nn.Tanh(), nn.Conv1d(2, 1, 3, padding="valid")).eval()
    x = audio(1, 1, 40)

    stream = to_streaming(model)

    assert delay_samples(stream) == 0
    assert_close(stream(x)[:, :, 5:], model(x))


def test_residual_with_strides_inside_begins_them_where_the_clip_does() -> None:
    torch.manual_seed(1)
    inner = nn.Sequential(nn.Conv1d(2, 2, 4, stride=2, padding=1), nn.ConvTranspose1d(2, 2, 4, stride=2, padding=1))
    model = nn.Sequential(nn.Conv1d(1, 2, 3, padding=1), Residual(inner), nn.Conv1d(2, 1, 3, padding=1)).eval()
    x = audio(1, 1, 60)

    stream = to_streaming(model)

    late = delay_samples(stream)
    assert_close(streamed(stream, x, [7])[:, :, late:], model(x)[:, :, :-late])


def test_branches_that_shorten_a_clip_differently() -> None:
    torch.manual_seed(1)
    branch = nn.Sequential(nn.Conv1d(1, 2, 4), nn.Conv1d(2, 1, 3))
    model = nn.Sequential(Residual(branch, nn.Conv1d(1, 1, 3), combine="cat"), nn.Conv1d(2, 1, 3, padding=1)).eval()
    x = audio(1, 1, 60)

    stream = to_streaming(model)

    assert delay_samples(stream) == 1
    assert_close(streamed(stream, x, [9])[:, :, 5 + 1 :], model(x)[:, :, :-1])


def test_model_stays_as_it_is() -> None:
    model = example().train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    state = torch.get_rng_state()

    stream = to_streaming(model)
    with torch.no_grad():
        next(stream.parameters()).zero_()

    assert model.training
    assert not stream.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_state_of_the_model_loads() -> None:
    model, other, x = example(), example(), audio(1, 1, 40)
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(0.1)

    stream = to_streaming(model)
    stream.load_state_dict(other.state_dict())

    assert_close(stream(x), to_streaming(other)(x))


@pytest.mark.parametrize("normed", [weight_norm, parametrizations.weight_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_weight_norm_is_worked_in(normed: Any) -> None:
    model = nn.Sequential(normed(nn.Conv1d(1, 3, 5, padding=2)), normed(nn.ConvTranspose1d(3, 1, 4, 2, 1)))
    model(audio(1, 1, 8))
    with torch.no_grad():  # a step of training, which the weights of the last pass have not seen
        for weight in model.parameters():
            weight.mul_(1.5)
    x = audio(1, 1, 30)

    stream = to_streaming(model)

    assert_close(torch.jit.script(stream)(x)[:, :, 5:], model(x)[:, :, :-5])


def test_double_precision() -> None:
    model, x = example().double(), audio(1, 1, 40).double()
    torch.testing.assert_close(to_streaming(model)(x)[:, :, 4:], model(x)[:, :, :-4], rtol=0, atol=1e-14)


def test_layers_that_stream_stay() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(Conv1dGeneral(1, 2, 3, causal=False), nn.Conv1d(2, 1, 3, padding=1)).eval()
    x = audio(1, 1, 40)

    stream = to_streaming(model)

    assert_close(streamed(stream, x, [7])[:, :, 2:], model(x)[:, :, :-2])
    assert not any(layer.is_cached() for layer in model if isinstance(layer, Conv1dGeneral))


class Own(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1.0


class OwnConv(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1.0


def hooked() -> nn.Module:
    layer = nn.Conv1d(1, 1, 3)
    layer.register_forward_hook(lambda _module, _inputs, output: output + 1.0)
    return layer


def nested(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv1d(1, 1, 3), nn.Sequential(nn.Tanh(), layer))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.InstanceNorm1d(1), r"^1\.1: InstanceNorm1d looks at the whole clip for its statistics; nn\.BatchNorm1d"),
        (nn.GroupNorm(1, 1), r"^1\.1: GroupNorm looks at the whole clip"),
        (nn.BatchNorm1d(1, track_running_stats=False), r"^1\.1: BatchNorm1d looks at the whole clip"),
        (nn.AdaptiveAvgPool1d(1), r"^1\.1: AdaptiveAvgPool1d looks at the whole clip"),
        (nn.MultiheadAttention(1, 1), r"^1\.1: MultiheadAttention looks at the whole clip"),
        (nn.MaxPool1d(2), r"^1\.1: MaxPool1d keeps nothing from block to block; use an nn\.Conv1d with a stride"),
        (nn.Upsample(scale_factor=2), r"^1\.1: Upsample interpolates .* use nn\.ConvTranspose1d"),
        (nn.LSTM(1, 1, bidirectional=True), r"^1\.1: LSTM takes .* keeps its state"),
        (nn.GRU(1, 1), r"^1\.1: GRU takes .* keeps its state"),
        (nn.ReflectionPad1d(1), r"^1\.1: ReflectionPad1d pads the edges of a clip"),
        (nn.GLU(), r"^1\.1: GLU works along time; its dim has to be 1"),
        (nn.Softmax(dim=2), r"^1\.1: Softmax works along time"),
        (nn.Linear(1, 1), r"^1\.1: Linear mixes all samples of a clip"),
        (nn.LayerNorm(8), r"^1\.1: LayerNorm mixes all samples"),
        (nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"), r"^1\.1: Conv1d pads with padding_mode='reflect'"),
        (nn.Conv1d(1, 1, 3, padding=3), r"^1\.1: Conv1d has more padding, 3, than its kernel reaches over, 2"),
        (
            nn.Conv1d(1, 1, 3, stride=3),
            r"^1\.1: Conv1d takes 3 samples at a time, and the layers before it leave out 2",
        ),
        (OwnConv(1, 1, 3), r"^1\.1: OwnConv has a forward of its own"),
        (Own(), r"^1\.1: Own has a forward of its own"),
        (hooked(), r"^1\.1: Conv1d has a hook"),
        (Residual(nn.GRU(1, 1)), r"^1\.1\.branch: GRU takes"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_stops_it_is_named(layer: nn.Module, message: str) -> None:
    with pytest.raises(NotStreamingError, match=message):
        to_streaming(nested(layer))


def test_branches_of_two_rates_are_refused() -> None:
    model = nn.Sequential(Residual(nn.Conv1d(1, 1, 4, stride=2, padding=1)))

    with pytest.raises(InvalidArgumentError, match=r"equally many samples, got 1/2 .* and 1 from shortcut"):
        to_streaming(model)


def test_no_module() -> None:
    with pytest.raises(InvalidTypeError, match=r"^model must be .*Module, got"):
        to_streaming(lambda x: x)  # type: ignore[arg-type]


def test_single_layer_and_copies_of_the_result() -> None:
    torch.manual_seed(0)
    model, x = nn.Conv1d(1, 1, 3, padding=1), audio(1, 1, 20)

    stream = to_streaming(model)
    stream(x)
    twin = copy.deepcopy(stream)

    assert_close(twin(x), stream(x))
    twin.reset()
    assert_close(twin(x)[:, :, 1:], model(x)[:, :, :-1])


def test_other_batch_starts_anew() -> None:
    stream, x = to_streaming(example()), audio(1, 1, 20)
    first = stream(x)

    both = stream(torch.cat([x, -x]))

    assert_close(both[:1], first)
