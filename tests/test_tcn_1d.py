"""TCNs give what those of 1.x give; as streams they are what they are for clips, however the stream is cut."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, NeutoneError
from neutone_sdk.tcn_1d import TCN1D, FiLM, TCN1DBlock, causal_crop

from .blocks import BLOCK_SIZES, assert_close, assert_plays_exported, audio, scripts, streamed

REFERENCES = np.load(Path(__file__).with_name("data") / "blocks_1x.npz")  # made by tools/make_block_references.py
KINDS = {kind.__name__: kind for kind in (TCN1D, TCN1DBlock, Conv1dGeneral)}
SMALL: dict[str, Any] = {"n_blocks": 3, "n_channels": 4, "kernel_size": 5, "dil_growth": 3}
NETWORKS: list[dict[str, Any]] = [
    {},
    {"causal": True},
    {"causal": True, "kernel_size": 4, "use_bn": True},
    {"padding": 0},
    {"padding": 1},
    {"kernel_size": 4},
    {"kernel_size": 1},
    {"cond_dim": 2, "use_bn": True},
    {"dil_growth": 17},
]


def made(**options: Any) -> TCN1D:
    torch.manual_seed(0)
    return TCN1D(**{**SMALL, **options}).eval()


def condition(network: TCN1D, batch_size: int) -> list[Tensor]:
    return [audio(batch_size, network.cond_dim, seed=1)] if network.cond_dim else []


def clip_in_silence(network: TCN1D, x: Tensor, *others: Tensor) -> Tensor:
    """Return what a stream of ``x`` has to give after silence: no edge of the clip is within reach."""
    network.set_cached(False)
    n_silent = 2 * network.get_receptive_field_samples()
    whole = network(F.pad(x, (n_silent, n_silent)), *others)
    end = whole.size(2) - n_silent - network.get_delay_samples()
    return whole[:, :, end - x.size(2) : end]


@pytest.mark.parametrize("case", sorted({name.split("/")[0] for name in REFERENCES.files}))
def test_checkpoints_of_1x_load_and_give_the_same(case: str) -> None:
    record = {
        name.removeprefix(case + "/"): REFERENCES[name] for name in REFERENCES.files if name.startswith(case + "/")
    }
    module = KINDS[case.split(maxsplit=1)[0]](**json.loads(str(record.pop("arguments")))).eval()
    state = {name.removeprefix("state/"): torch.tensor(array) for name, array in record.items() if "state/" in name}
    module.load_state_dict(state)
    inputs = [torch.tensor(record[name]) for name in ("x", "cond") if name in record]
    assert_close(module(*inputs), torch.tensor(record["y"]))


@given(options=st.sampled_from(NETWORKS), sizes=BLOCK_SIZES, batch_size=st.integers(1, 2), has_gradients=st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_stream_is_the_clip_delayed(
    options: dict[str, Any], sizes: list[int], batch_size: int, has_gradients: bool
) -> None:
    network = made(**options)
    x = audio(batch_size, 1, max(1, sum(sizes)))
    others = condition(network, batch_size)
    with torch.set_grad_enabled(has_gradients):
        network.set_cached(True)
        network(torch.zeros(batch_size, 1, 2 * network.get_receptive_field_samples()), *others)
        actual = streamed(network, x, sizes, *others)
        assert_close(actual, clip_in_silence(network, x, *others))


def test_a_causal_stream_is_the_clip_from_its_first_sample() -> None:
    network, x = made(causal=True), audio(2, 1, 300)
    expected = network(x)
    assert expected.shape == x.shape
    network.set_cached(True)
    assert_close(streamed(network, x, [1, 0, 50]), expected)


def test_a_causal_network_hears_no_future() -> None:
    network, x = made(causal=True), audio(1, 1, 300)
    later = torch.cat([x[:, :, :200], audio(1, 1, 100, seed=1)], dim=2)
    assert_close(network(later)[:, :, :200], network(x)[:, :, :200])


@pytest.mark.parametrize("options", NETWORKS)
def test_scripts_play_the_same(options: dict[str, Any]) -> None:
    network, x = made(**options), audio(2, 1, 400)
    others = condition(network, 2)
    with torch.no_grad():
        expected = clip_in_silence(network, x, *others)
        network.prepare_for_inference()
        n_silent = 2 * network.get_receptive_field_samples()
        for script in [network, *scripts(network)]:
            script.reset(None)
            script(torch.zeros(2, 1, n_silent), *others)
            assert_close(streamed(script, x, [0, 1, 100, 299], *others), expected)


@pytest.mark.parametrize("options", NETWORKS)
def test_delay_and_receptive_field_are_measured(options: dict[str, Any]) -> None:
    network = made(**options).double()
    x = torch.zeros(1, 1, 2000, dtype=torch.float64).requires_grad_()
    others = [other.double() for other in condition(network, 1)]
    (gradient,) = torch.autograd.grad(network(x, *others)[0, 0, 1000], x)
    reached = gradient[0, 0].nonzero()[:, 0]
    n_reached = int(reached[-1] - reached[0]) + 1
    assert n_reached == network.get_receptive_field_samples() == network.calc_receptive_field()
    n_missing = x.size(2) - network(x, *others).size(2)
    assert network.get_delay_samples() == int(reached[-1]) - 1000 - n_missing


def test_a_reset_stream_is_a_fresh_one_and_a_copy_its_own() -> None:
    network, x = made(), audio(1, 1, 100)
    network.prepare_for_inference()
    assert network.is_cached()
    expected = network(x)
    twin = copy.deepcopy(network)
    second = network(x)
    assert torch.equal(twin(x), second)
    assert not torch.equal(second, expected)
    network.reset()
    assert torch.equal(network(x), expected)
    network(audio(2, 1, 50))  # another batch is another stream, and so is the next one
    assert torch.equal(network(x), expected)


@pytest.mark.parametrize("causal", [True, False])
def test_a_stream_can_be_trained_on(causal: bool) -> None:
    network, x = made(causal=causal).train(), audio(1, 1, 90)
    n_silent = 2 * network.get_receptive_field_samples()
    gradients = []
    for cached in (True, False):
        network.zero_grad()
        network.set_cached(cached)
        # In one block, for the past has no gradients.
        whole = network(F.pad(x, (n_silent, n_silent)))
        y = whole[:, :, n_silent + (network.get_delay_samples() if cached else 0) :][:, :, :90]
        y.square().mean().backward()
        gradients.append([weight.grad.clone() for weight in network.parameters() if weight.grad is not None])
    assert len(gradients[0]) == len(list(network.parameters()))
    for actual, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"use_act": False, "use_res": False}, {"act": nn.ReLU()}, {"res_groups": 4}])
def test_blocks_of_all_kinds_stream(options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    block, x = TCN1DBlock(4, 4, 3, 2, use_bn=False, causal=True, **options).eval(), audio(1, 4, 60)
    expected = block(x)
    expected.sum().backward()
    block.set_cached(True)
    assert_close(streamed(block, x, [7, 0, 1]), expected)
    block.prepare_for_inference()
    assert block.is_cached()
    assert_close(torch.jit.script(block)(x), expected)


@pytest.mark.parametrize("use_bn", [True, False])
def test_film_scales_and_shifts(use_bn: bool) -> None:
    film, x, cond = FiLM(2, 4, use_bn=use_bn).eval(), audio(3, 4, 10), audio(3, 2, seed=1)
    scale, shift = film.adaptor(cond)[:, :4, None], film.adaptor(cond)[:, 4:, None]
    normalised = x / (1.0 + 1e-5) ** 0.5 if use_bn else x  # with the mean and variance that it begins with
    assert_close(film(x, cond), scale * normalised + shift)
    assert_close(film(x, cond[:1])[:1], film(x[:1], cond[:1]))


def test_without_a_condition_there_is_no_modulation() -> None:
    x = audio(1, 1, 60)
    network, plain = made(cond_dim=2), made()
    network.load_state_dict(plain.state_dict(), strict=False)
    assert torch.equal(network(x), plain(x))
    assert torch.equal(plain(x, audio(1, 7)), plain(x))


def test_causal_crop() -> None:
    x = torch.arange(10.0)
    assert causal_crop(x, 10).tolist() == x.tolist()
    assert causal_crop(x, 3).tolist() == [6.0, 7.0, 8.0]
    assert causal_crop(x, 9).tolist() == x[:9].tolist()
    for length in (-1, 11):
        with pytest.raises(InvalidArgumentError, match=rf"length must be in 0..10, the samples of x, got {length}"):
            causal_crop(x, length)


@pytest.mark.parametrize("freeze", [True, False])
def test_an_exported_network_plays_the_same(freeze: bool, tmp_path: Path) -> None:
    network = made(causal=freeze)
    network.prepare_for_inference()
    assert_plays_exported(network, tmp_path, freeze)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_blocks": 0}, "n_blocks must be at least 1, got 0"),
        ({"dil_growth": 0}, "dil_growth must be at least 1"),
        ({"n_channels": -1}, "n_channels must be at least 1"),
        ({"cond_dim": -1}, "cond_dim must be at least 0"),
        ({"padding": -1}, "padding must be at least 0"),
        ({"padding": 3}, "padding must be at most 2 for 5 taps at dilation 1, got 3"),
        ({"padding": 0, "causal": True}, "padding must be None with causal=True, which keeps the length, got 0"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        made(**options)


@pytest.mark.parametrize("cached", [True, False])
def test_bad_input_is_refused(cached: bool) -> None:
    network = made(cond_dim=2)
    network.set_cached(cached)
    good = audio(2, 1, 60)
    for x, cond, message in [
        (good[0], audio(2, 2), r"shape \(batch, 1, samples\), got \[1, 60\]"),
        (audio(2, 3, 60), audio(2, 2), r"got \[2, 3, 60\]"),
        (good, audio(3, 2), r"cond must have shape \(2, 2\) or \(1, 2\), .* got \[3, 2\]"),
        (good, audio(2, 3), r"got \[2, 3\]"),
        (good, audio(2, 2, 60), r"got \[2, 2, 60\]"),
    ]:
        with pytest.raises(NeutoneError, match=message):
            network(x, cond)
        with pytest.raises(torch.jit.Error, match=message):
            torch.jit.script(network)(x, cond)
    with pytest.raises(InvalidAudioError, match="a clip must have at least"):
        made(padding=0)(audio(1, 1, 4))
