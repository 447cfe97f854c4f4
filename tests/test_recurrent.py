"""Recurrent layers: torch's own for clips, and the same output in streams."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError
from neutone_sdk.recurrent import CachedGRU, CachedLSTM
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .wrappers import card

ROUNDING = 1e-6  # sums in another order, of numbers up to 1, in float32
LAYERS = {"lstm": (CachedLSTM, nn.LSTM), "gru": (CachedGRU, nn.GRU)}
KINDS = st.sampled_from(sorted(LAYERS))
# The files are checked by playing them here, not by the slower checks of every export.
QUICK: Any = {"max_n_samples": 0, "speed_benchmark": False, "test_offline_mode": False}
CUTS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


def pair(kind: str, n_layers: int = 2, *, bias: bool = True, **options: Any) -> tuple[Any, Any]:
    """Return a layer of ours with the weights of a stock layer, and that."""
    ours, stock = LAYERS[kind]
    layer, model = ours(3, 5, n_layers, bias, **options), stock(3, 5, n_layers, bias)
    layer.load_state_dict(model.state_dict())
    return layer, model


def stock_output(model: Any, x: Tensor) -> Tensor:
    steps: Tensor = model(x.permute(2, 0, 1))[0]
    return steps.permute(1, 2, 0)


def streamed(layer: Any, x: Tensor, sizes: list[int]) -> Tensor:
    return torch.cat([layer(block) for block in x.split(sizes, dim=2)], dim=2)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def assert_same(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=ROUNDING)


@settings(deadline=None, max_examples=40)
@given(
    kind=KINDS,
    n_layers=st.integers(1, 3),
    bias=st.booleans(),
    n_batch=st.integers(1, 3),
    sizes=CUTS,
    is_inference=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_any_split_of_a_stream_is_the_clip_of_the_stock_layer(
    kind: str, n_layers: int, bias: bool, n_batch: int, sizes: list[int], is_inference: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    layer, model = pair(kind, n_layers, bias=bias)
    x = torch.randn(n_batch, 3, sum(sizes) + 1)
    expected = stock_output(model, x)
    assert_same(layer(x), expected)
    layer.prepare_for_inference()
    assert layer.get_delay_samples() == 0
    with torch.inference_mode(is_inference):
        first = streamed(layer, x, [*sizes, 1])
        layer.reset()
        again = streamed(layer, x, [*sizes, 1])
    assert_same(first, expected)
    torch.testing.assert_close(again, first, rtol=0, atol=0)


@pytest.mark.parametrize("kind", LAYERS)
def test_scripted_frozen_and_copied_layers_play_the_same(kind: str) -> None:
    layer, model = pair(kind)
    x = torch.randn(1, 3, 50)
    expected = stock_output(model, x)
    layer.prepare_for_inference()
    layer(x)  # a copy takes no stream along that the original then shares
    copied = copy.deepcopy(layer)
    copied.reset()
    layer.reset()
    scripted = torch.jit.script(copied)
    assert (scripted.get_delay_samples(), scripted.is_cached()) == (0, True)
    for played in (layer, scripted, torch.jit.freeze(torch.jit.script(copy.deepcopy(layer)))):
        assert_same(streamed(played, x, [7, 0, 1, 42]), expected)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("is_cached", [False, True])
def test_gradients_are_those_of_the_stock_layer(kind: str, is_cached: bool) -> None:
    layer, model = pair(kind, cached=is_cached)
    x = torch.randn(2, 3, 20, requires_grad=True)
    y = torch.randn(2, 3, 20, requires_grad=True)
    with torch.no_grad():
        y.copy_(x)
    layer(x).square().sum().backward()
    stock_output(model, y).square().sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    torch.testing.assert_close(x.grad, y.grad)
    for ours, stock in zip(layer.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, stock.grad)


def test_a_stream_can_be_trained_on_block_by_block() -> None:
    layer, _ = pair("lstm", cached=True)
    blocks = torch.randn(1, 3, 30).split(10, dim=2)
    layer(blocks[0])
    (layer(blocks[1]).sum() + layer(blocks[2]).sum()).backward()
    assert layer.weight_ih_l0.grad.abs().sum() > 0
    assert not layer.state.requires_grad


@pytest.mark.parametrize("kind", LAYERS)
def test_channels_may_come_last(kind: str) -> None:
    layer, _ = pair(kind)
    last, _ = pair(kind, channels_last=True, cached=True)
    last.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 30)
    parts = [last(block.transpose(1, 2)) for block in x.split([11, 0, 19], dim=2)]
    assert_same(torch.cat(parts, dim=1).transpose(1, 2), layer(x))


def test_a_batch_of_another_size_starts_a_new_stream() -> None:
    layer, model = pair("lstm", cached=True)
    layer(torch.randn(1, 3, 10))
    x = torch.randn(2, 3, 10)
    assert_same(layer(x), stock_output(model, x))
    fixed, _ = pair("lstm", cached=True, use_dynamic_bs=False, batch_size=2)
    fixed(x)
    with pytest.raises(InvalidAudioError, match=r"batch of 2, .* got 1; call reset\(1\)"):
        fixed(x[:1])


def test_the_output_is_the_callers() -> None:
    layer, _ = pair("lstm", cached=True)
    x = torch.randn(1, 3, 10)
    given_x = x.clone()
    with torch.inference_mode():
        y = layer(x)
        kept = y.clone()
        y += 1.0
        second = layer(x)
    layer.reset()
    with torch.inference_mode():
        assert torch.equal(layer(x), kept)
        assert torch.equal(layer(x), second)
    assert torch.equal(x, given_x)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="bidirectional must be False, got True: the backward direction"):
        CachedLSTM(1, 2, bidirectional=True)
    with pytest.raises(InvalidArgumentError, match="hidden_size must be at least 1, got 0"):
        CachedGRU(1, 0)
    with pytest.raises(InvalidTypeError, match=r"num_layers must be an integer, got 1\.5"):
        CachedGRU(1, 2, 1.5)  # type: ignore[arg-type]
    layer = CachedLSTM(3, 2)
    with pytest.raises(InvalidAudioError, match=r"\(batch, 3, samples\), got \[1, 2, 9\]"):
        layer(torch.zeros(1, 2, 9))
    with pytest.raises(InvalidAudioError, match=r"got \[3, 9\]"):
        layer(torch.zeros(3, 9))
    with pytest.raises(InvalidTypeError, match=r"audio must be float32 .* got float64"):
        layer(torch.zeros(1, 3, 9, dtype=torch.float64))
    with pytest.raises(InvalidArgumentError, match="batch_size must be at least 0, got -1"):
        layer.reset(-1)


def test_a_layer_can_be_of_float64() -> None:
    layer, _ = pair("gru")
    x = torch.randn(1, 3, 20, dtype=torch.float64)
    expected = layer.double()(x)
    layer.set_cached(True)
    torch.testing.assert_close(streamed(layer, x, [1, 19]), expected)


class Recurrent(nn.Module):
    """A recurrent layer, and one channel out of it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.mix = nn.Conv1d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.layer(x))

    @torch.jit.export
    def reset(self) -> None:
        self.layer.reset()  # type: ignore[operator]


class Amp(WaveformToWaveformBase):
    """A recurrent amp."""

    def reset_model(self) -> bool:
        self.model.reset()  # type: ignore[operator]
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(1)).squeeze(1)


@pytest.mark.parametrize("flavour", ["native", "portable"])
@pytest.mark.parametrize("kind", LAYERS)
def test_an_exported_amp_plays_the_clip(kind: str, flavour: str, tmp_path: Path) -> None:
    amp = Recurrent(LAYERS[kind][0](1, 8))
    x = 2 * torch.rand(2, 400) - 1
    with torch.no_grad():
        expected = amp(x.unsqueeze(1)).squeeze(1)
    amp.layer.prepare_for_inference()  # type: ignore[operator]
    save_neutone_model(Amp(amp, card=card()), tmp_path, flavour=flavour, **QUICK)
    played, _ = load_neutone_model(tmp_path / "model.nm")
    played.set_daw_sample_rate_and_buffer_size(48000, 100)
    for _ in range(2):
        played.reset()
        with torch.no_grad():
            assert_same(torch.cat([played(block) for block in x.split(100, dim=1)], dim=1), expected)
