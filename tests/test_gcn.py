"""The gated network: the numbers of 1.x for clips, and the same ones, later, in streams."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError
from neutone_sdk.gcn_1d import GCN1D, Conv1dCausal, GatedAF, GCN1DBlock, TFiLM
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .wrappers import card

ROUNDING = 1e-6  # sums in another order, of numbers up to 1, in float32
GOLDEN = np.load(Path(__file__).parent / "data" / "gcn_1x.npz")  # made by tools/make_block_references.py
CASES = sorted({name.split("/")[0] for name in GOLDEN.files})
KINDS = {"GCN1D": GCN1D, "GCN1DBlock": GCN1DBlock, "TFiLM": TFiLM}
SIZE = 8  # of a modulation block
# The files are checked by playing them here, not by the slower checks of every export.
QUICK: Any = {"max_n_samples": 0, "speed_benchmark": False, "test_offline_mode": False}
SMALL = {"n_blocks": 3, "n_channels": 4, "dil_growth": 3, "kernel_size": 5, "tfilm_block_size": SIZE}


# Any: to mypy every attribute of a module may be a tensor.
def gcn(**options: Any) -> Any:
    return GCN1D(**{**SMALL, "cond_dim": 2, **options})


def film(**options: Any) -> Any:
    return TFiLM(**{"n_channels": 1, "cond_dim": 2, "tfilm_block_size": SIZE, **options})


def block(**options: Any) -> Any:
    return GCN1DBlock(**{"in_ch": 1, "out_ch": 3, "dilation": 2, "cond_dim": 2, "tfilm_block_size": SIZE, **options})


MAKERS = {"gcn": gcn, "block": block, "film": film}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def assert_same(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=ROUNDING)


def streamed(model: Any, x: Tensor, cond: Tensor | None, sizes: list[int]) -> Tensor:
    return torch.cat([model(part, cond) for part in x.split(sizes, dim=2)], dim=2)


def delayed(clip: Tensor, n_samples: int) -> Tensor:
    """Return the clip behind silence, as long as it was."""
    return torch.cat([torch.zeros_like(clip[:, :, :n_samples]), clip[:, :, : clip.size(2) - n_samples]], dim=2)


@pytest.mark.parametrize("case", CASES)
def test_clips_and_checkpoints_are_those_of_1x(case: str) -> None:
    model = KINDS[case.split(maxsplit=1)[0]](**json.loads(str(GOLDEN[f"{case}/arguments"])))
    prefix = f"{case}/state/"
    model.load_state_dict({n[len(prefix) :]: torch.from_numpy(GOLDEN[n]) for n in GOLDEN.files if n.startswith(prefix)})
    cond = torch.from_numpy(GOLDEN[f"{case}/cond"]) if f"{case}/cond" in GOLDEN.files else None
    x, expected = (torch.from_numpy(GOLDEN[f"{case}/{name}"]) for name in ("x", "y"))
    assert_same(model(x, cond), expected)
    model.prepare_for_inference()
    delay = model.get_delay_samples()
    assert_same(streamed(model, x, cond, [3, 1, 0, 20, 37])[:, :, delay:], expected[:, :, : x.size(2) - delay])


@settings(deadline=None, max_examples=60)
@given(
    maker=st.sampled_from(sorted(MAKERS)),
    rnn_type=st.sampled_from(["lstm", "GRU"]),
    recurrent_in_time=st.booleans(),
    cond_dim=st.sampled_from([0, 2]),
    size=st.sampled_from([1, 2, 8]),
    n_batch=st.integers(1, 3),
    sizes=st.lists(st.one_of(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=8),
    seed=st.integers(0, 2**16),
)
def test_any_split_of_a_stream_is_the_clip_delayed(
    maker: str,
    rnn_type: str,
    recurrent_in_time: bool,
    cond_dim: int,
    size: int,
    n_batch: int,
    sizes: list[int],
    seed: int,
) -> None:
    torch.manual_seed(seed)
    model = MAKERS[maker](
        rnn_type=rnn_type, recurrent_in_time=recurrent_in_time, cond_dim=cond_dim, tfilm_block_size=size
    )
    x, cond = torch.randn(n_batch, 1, sum(sizes) + 1), torch.randn(n_batch, cond_dim) if cond_dim else None
    with torch.no_grad():
        clip = model(x, cond)
        model.prepare_for_inference()
        delay = size - 1 if cond_dim or maker == "film" else 0
        assert model.get_delay_samples() == delay
        first = streamed(model, x, cond, [*sizes, 1])
        model.reset()
        again = streamed(model, x, cond, [*sizes, 1])
    assert_same(first, delayed(clip, delay) if clip.size(2) > delay else torch.zeros_like(clip))
    assert torch.equal(again, first)


@pytest.mark.parametrize("maker", MAKERS)
def test_whole_modulation_blocks_come_back_without_delay(maker: str) -> None:
    model = MAKERS[maker](whole_blocks=True, recurrent_in_time=True)
    x, cond = torch.randn(2, 1, 96), torch.randn(1, 2)
    clip = model(x, cond)
    model.prepare_for_inference()
    assert model.get_delay_samples() == 0
    assert_same(streamed(model, x, cond, [8, 0, 24, 64]), clip)
    with pytest.raises(InvalidAudioError, match=r"a multiple of 8 samples, .* got 12; with whole_blocks=False"):
        model(x[:, :, :12], cond)
    assert MAKERS[maker](whole_blocks=True)(x[:, :, :12], cond).size(2) == 12  # a clip may end anywhere


def test_the_rnn_remembers_in_time_if_asked_to() -> None:
    cond = torch.zeros(1, 2)
    quiet, loud = torch.zeros(1, 1, 2 * SIZE), torch.zeros(1, 1, 2 * SIZE)
    loud[:, :, 0] = 5.0  # in the first modulation block
    quiet[:, :, -1] = loud[:, :, -1] = 1.0  # in the second
    in_time, by_itself = film(recurrent_in_time=True), film()
    assert not torch.equal(in_time(quiet, cond)[:, :, -1], in_time(loud, cond)[:, :, -1])
    assert torch.equal(by_itself(quiet, cond)[:, :, -1], by_itself(loud, cond)[:, :, -1])


def test_the_paper_s_modulation_is_an_rnn_over_the_maxima() -> None:
    layer = film(n_channels=3, recurrent_in_time=True)
    stock = nn.LSTM(5, 3)
    stock.load_state_dict(layer.rnn.state_dict())
    x, cond = torch.randn(2, 3, 4 * SIZE), torch.randn(2, 2)
    maxima = x.view(2, 3, 4, SIZE).amax(dim=3)
    steps = torch.cat([maxima, cond.unsqueeze(2).expand(2, 2, 4)], dim=1).permute(2, 0, 1)
    scales = stock(steps)[0].permute(1, 2, 0)
    assert_same(layer(x, cond), x * scales.repeat_interleave(SIZE, dim=2))


def test_state_has_its_older_names() -> None:
    layer = film(recurrent_in_time=True)
    layer.prepare_for_inference()
    cond = torch.zeros(1, 2)
    assert layer.first_run
    first = layer(torch.ones(1, 1, 20), cond)
    assert not layer.first_run
    assert [state.shape for state in layer.hidden_state] == [(1, 1, 1), (1, 1, 1)]
    assert all(state.abs().sum() > 0 for state in layer.hidden_state)
    layer.reset_state()
    assert layer.first_run
    assert torch.equal(layer(torch.ones(1, 1, 20), cond), first)
    layer.first_run = True
    assert torch.equal(layer(torch.ones(1, 1, 20), cond), first)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("rnn_type", ["lstm", "gru"])
def test_scripted_and_frozen_models_play_the_same(maker: str, rnn_type: str) -> None:
    model = MAKERS[maker](rnn_type=rnn_type, recurrent_in_time=True)
    x, cond = torch.randn(1, 1, 64), torch.randn(1, 2)
    expected = delayed(model(x, cond), SIZE - 1)
    assert_same(torch.jit.script(model)(x, cond), model(x, cond))
    model.prepare_for_inference()
    scripted = torch.jit.script(copy.deepcopy(model))
    assert (scripted.get_delay_samples(), scripted.is_cached()) == (SIZE - 1, True)
    assert scripted.get_receptive_field_samples() == model.get_receptive_field_samples()
    for played in (scripted, torch.jit.freeze(torch.jit.script(copy.deepcopy(model)))):
        with torch.no_grad():
            assert_same(streamed(played, x, cond, [7, 0, 1, 13, 43]), expected)


@pytest.mark.parametrize("maker", MAKERS)
def test_gradients_of_a_stream_in_one_block_are_those_of_the_clip(maker: str) -> None:
    model = MAKERS[maker]()
    x, cond = torch.randn(2, 1, 64), torch.randn(2, 2)
    model(x, cond)[:, :, : 64 - SIZE + 1].square().sum().backward()
    of_clip: list[Tensor] = [parameter.grad.clone() for parameter in model.parameters()]
    assert all(gradient.abs().sum() > 0 for gradient in of_clip)
    model.zero_grad()
    model.set_cached(True)
    model(x, cond).square().sum().backward()
    for parameter, expected in zip(model.parameters(), of_clip, strict=True):
        torch.testing.assert_close(parameter.grad, expected)
    x.requires_grad_()
    for _ in range(2):  # what waits and what is ready is detached
        model(x[:, :, :61], cond).sum().backward()
        assert not model.waiting.requires_grad
        assert not model.ready.requires_grad


def test_the_receptive_field_is_what_an_output_sample_depends_on() -> None:
    for cond_dim, calculated, whole in ((0, 53, 53), (2, 53, 68)):
        model = gcn(cond_dim=cond_dim).double()
        x = torch.randn(1, 1, 160, dtype=torch.float64, requires_grad=True)
        model(x, torch.randn(1, 2, dtype=torch.float64) if cond_dim else None)[0, 0, 131].backward()
        assert x.grad is not None
        reached = x.grad[0, 0].nonzero()
        assert model.calc_receptive_field() == calculated
        assert model.get_receptive_field_samples() == whole
        assert int(reached.max() - reached.min()) + 1 <= whole
        assert cond_dim > 0 or int(reached.max() - reached.min()) + 1 == whole


def test_the_reach_of_modulated_layers_is_attained() -> None:
    """Of a sample in the last modulation block, the first input that any maximum may make it depend on."""
    reached = []
    for _ in range(10):  # in some networks the sample is no maximum
        model = gcn().double()
        past = model.get_receptive_field_samples() - SIZE
        x = torch.randn(1, 1, 160, dtype=torch.float64)
        cond = torch.randn(1, 2, dtype=torch.float64)
        nearer, farther = x.clone(), x.clone()
        nearer[:, :, 128 - past] += 1e3
        farther[:, :, 128 - past - 1] += 1e3
        with torch.no_grad():
            y = model(x, cond)[:, :, 128:136]
            assert torch.equal(model(farther, cond)[:, :, 128:136], y)
            reached.append(not torch.equal(model(nearer, cond)[:, :, 128:136], y))
    assert any(reached)


def test_a_measured_delay_is_the_declared_one() -> None:
    for options, delay in (({}, SIZE - 1), ({"whole_blocks": True}, 0), ({"cond_dim": 0}, 0)):
        model = gcn(**options)
        model.prepare_for_inference()
        x = torch.zeros(1, 1, 64)
        x[:, :, 16] = 1.0  # the first sample of a modulation block
        y = model(x, torch.randn(1, 2))
        assert int(y[0, 0].nonzero()[0]) - 16 == delay == model.get_delay_samples()


def test_without_a_condition_there_is_no_modulation_but_the_same_delay() -> None:
    model = gcn()
    x = torch.randn(1, 1, 40)
    clip = model(x)
    model.prepare_for_inference()
    assert_same(streamed(model, x, None, [5, 35]), delayed(clip, SIZE - 1))
    with pytest.raises(InvalidAudioError, match=r"cond must be a tensor of shape \(1, 2\), got None"):
        film()(x)


def test_a_batch_of_another_size_starts_a_new_stream() -> None:
    model = gcn(recurrent_in_time=True)
    model.prepare_for_inference()
    x, cond = torch.randn(1, 1, 40), torch.randn(1, 2)
    first = model(x, cond)
    model(torch.randn(2, 1, 3), cond)  # too short for the layers within to notice
    assert torch.equal(model(x, cond), first)


def test_the_output_is_the_callers_and_the_input_stays() -> None:
    model = gcn()
    model.prepare_for_inference()
    x, cond = torch.randn(1, 1, 60), torch.randn(1, 2)
    with torch.inference_mode():
        expected = streamed(model, x, cond, [3, 2, 30, 25])
        model.reset()
        parts = []
        for part in x.split([3, 2, 30, 25], dim=2):
            before = part.clone()
            y = model(part, cond)
            parts.append(y.clone())
            y.fill_(9.0)
            assert torch.equal(part, before)
    assert torch.equal(torch.cat(parts, dim=2), expected)


def test_gated_activation() -> None:
    x = torch.randn(2, 6, 10)
    assert torch.equal(GatedAF()(x), torch.tanh(x[:, :3]) * torch.sigmoid(x[:, 3:]))
    with pytest.raises(InvalidAudioError, match=r"an even number of channels, got \[2, 5, 10\]"):
        GatedAF()(x[:, :5])


def test_causal_convolution_loads_what_1x_saved_and_what_it_saves() -> None:
    stock = nn.Conv1d(2, 3, 4, stride=2, dilation=3)
    layer = Conv1dCausal(2, 3, 4, 2, 3)
    x = torch.randn(1, 2, 50)
    layer.load_state_dict({f"conv.{name}": tensor for name, tensor in stock.state_dict().items()})
    again = Conv1dCausal(2, 3, 4, 2, 3)
    again.load_state_dict(layer.state_dict())
    expected = stock(nn.functional.pad(x, (9, 0)))
    assert_same(layer(x), expected)
    assert_same(again(x), expected)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="rnn_type must be one of lstm, gru; got 'rnn'"):
        gcn(rnn_type="rnn")
    with pytest.raises(InvalidTypeError, match="rnn_type must be a string, got 1"):
        film(rnn_type=1)
    with pytest.raises(InvalidArgumentError, match="stride must be 1, got 2: the residual path"):
        block(stride=2)
    for name, least in {"tfilm_block_size": 1, "n_blocks": 1, "kernel_size": 1, "cond_dim": 0}.items():
        with pytest.raises(InvalidArgumentError, match=f"{name} must be at least {least}, got {least - 1}"):
            gcn(**{name: least - 1})
    with pytest.raises(InvalidArgumentError, match="tfilm_block_size must be at least 1, got 0"):
        gcn(cond_dim=0, tfilm_block_size=0)


@pytest.mark.parametrize("is_cached", [False, True])
def test_wrong_audio_is_refused(is_cached: bool) -> None:
    model = gcn()
    model.set_cached(is_cached)
    x, cond = torch.zeros(2, 1, 9), torch.zeros(2, 2)
    for wrong, message in ((x.repeat(1, 2, 1), r"got \[2, 2, 9\]"), (x[0], r"got \[1, 9\]")):
        with pytest.raises(InvalidAudioError, match=message):
            model(wrong, cond)
    with pytest.raises(InvalidTypeError, match="got float64"):
        model(x.double(), cond)
    for wrong, shape in ((cond[:, :1], "2, 1"), (cond[0], "2"), (cond.repeat(2, 1), "4, 2")):
        with pytest.raises(InvalidAudioError, match=rf"cond must have shape .* got \[{shape}\]"):
            model(x, wrong)
    with pytest.raises(InvalidArgumentError, match="batch_size must be at least 0, got -1"):
        model.reset(-1)


class Compressor(WaveformToWaveformBase):
    """A gated network whose condition is a knob."""

    def calc_model_delay_samples(self) -> int:
        return self.model.get_delay_samples()  # type: ignore[operator]

    def reset_model(self) -> bool:
        self.model.reset()  # type: ignore[operator]
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(1), params["peak"].unsqueeze(0)).squeeze(1)


@pytest.mark.parametrize("flavour", ["native", "portable"])
def test_an_exported_network_plays_the_clip(flavour: str, tmp_path: Path) -> None:
    model = gcn(n_blocks=2, cond_dim=1, recurrent_in_time=True)
    x = 2 * torch.rand(2, 400) - 1
    with torch.no_grad():
        expected = delayed(model(x.unsqueeze(1), torch.tensor([[0.3]])), SIZE - 1).squeeze(1)
    model.prepare_for_inference()
    wrapper = Compressor(model, card=card(parameters=[ContinuousNeutoneParameter("peak", "", 0.3)]))
    save_neutone_model(wrapper, tmp_path, flavour=flavour, **QUICK)
    played, _ = load_neutone_model(tmp_path / "model.nm")
    played.set_daw_sample_rate_and_buffer_size(48000, 100)
    assert played.calc_model_delay_samples() == SIZE - 1
    for _ in range(2):
        played.reset()
        with torch.no_grad():
            assert_same(torch.cat([played(part) for part in x.split(100, dim=1)], dim=1), expected)
