"""A model of long chunks on a stream: the same however the stream is cut, and as late as it has to be."""

import copy
import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.overlap_add import OverlapAdd, fade_weights
from neutone_sdk.scripting import SCRIPT_ERRORS

from .conftest import Noise

FLOAT32 = 1e-6  # sums of a few weighted samples below 2


class Chunky(nn.Module):
    """Depends on all of a chunk, from both ends."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=2, keepdim=True) + 0.5 * x.flip(2)


class Same(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.batches.append(x.size(0))
        return x


def late(audio: Tensor, n_samples: int) -> Tensor:
    return torch.nn.functional.pad(audio, [n_samples, 0])[:, : audio.size(1)]


def cut(module: Any, audio: Tensor, blocks: list[int]) -> Tensor:
    return torch.cat([module(block) for block in audio.split(blocks, dim=1)], dim=1)


def slowly(audio: Tensor, chunk_samples: int, hop_samples: int, weights: Tensor) -> Tensor:
    """Return what the definition says, chunk by chunk; the first chunk ends behind the first hop."""
    n_samples = audio.size(1)
    output, sums = torch.zeros_like(audio), torch.zeros(n_samples)
    for start in range(hop_samples - chunk_samples, n_samples, hop_samples):
        places = [(i, start + i) for i in range(chunk_samples) if 0 <= start + i < n_samples]
        chunk = torch.zeros(1, audio.size(0), chunk_samples)
        for i, place in places:
            chunk[0, :, i] = audio[:, place]
        result = Chunky()(chunk)[0] * weights
        for i, place in places:
            output[:, place] += result[:, i]
            sums[place] += weights[i]
    torch.testing.assert_close(sums, torch.ones(n_samples), rtol=0, atol=FLOAT32)
    return output


CHUNKS = st.integers(1, 40).flatmap(lambda chunk: st.tuples(st.just(chunk), st.integers(1, chunk)))
WINDOWS = st.sampled_from(["hann", "linear"])


@settings(deadline=None, max_examples=150)
@given(
    sizes=CHUNKS,
    window=WINDOWS,
    blocks=st.lists(st.integers(0, 60), min_size=1, max_size=20),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_cut_gives_the_offline_output_as_late_as_declared(
    sizes: tuple[int, int], window: str, blocks: list[int], seed: int, noise: Noise
) -> None:
    module = OverlapAdd(Chunky(), *sizes, window)
    audio = noise(2, sum(blocks), seed)

    streamed = cut(module, audio, blocks)[:, module.get_delay_samples() :]

    assert module.get_delay_samples() == sizes[0] - 1
    offline = module.forward_offline(audio)
    torch.testing.assert_close(streamed, offline[:, : streamed.size(1)], rtol=0, atol=FLOAT32)


@settings(deadline=None, max_examples=40)
@given(sizes=CHUNKS, window=WINDOWS, n_samples=st.integers(0, 100), seed=st.integers(0, 2**32 - 1))
def test_offline_is_the_definition(
    sizes: tuple[int, int], window: str, n_samples: int, seed: int, noise: Noise
) -> None:
    module = OverlapAdd(Chunky(), *sizes, window)
    audio = noise(2, n_samples, seed)

    expected = slowly(audio, *sizes, module.weights)

    torch.testing.assert_close(module.forward_offline(audio), expected, rtol=0, atol=FLOAT32)


@settings(deadline=None, max_examples=100)
@given(
    sizes=CHUNKS,
    block_samples=st.integers(1, 50),
    n_blocks=st.lists(st.integers(0, 4), min_size=1, max_size=20),
    seed=st.integers(0, 2**32 - 1),
)
def test_blocks_that_fit_the_hops_are_less_late(
    sizes: tuple[int, int], block_samples: int, n_blocks: list[int], seed: int, noise: Noise
) -> None:
    module = OverlapAdd(Chunky(), *sizes, block_samples=block_samples)
    audio = noise(2, block_samples * sum(n_blocks), seed)

    streamed = cut(module, audio, [n * block_samples for n in n_blocks])[:, module.get_delay_samples() :]

    offline = module.forward_offline(audio)
    torch.testing.assert_close(streamed, offline[:, : streamed.size(1)], rtol=0, atol=FLOAT32)


@pytest.mark.parametrize(
    ("chunk", "hop", "block"), [(20, 8, 1), (20, 8, 2), (20, 8, 6), (20, 8, 8), (20, 8, 24), (20, 20, 20), (1, 1, 7)]
)
def test_delay_is_the_least_that_causality_allows(chunk: int, hop: int, block: int) -> None:
    """A sample is put out with the block that completes the last chunk over it, or a later one."""
    least = 0
    for place in range(2 * hop * block):
        last_start = max(range(hop - chunk, place + 1, hop))
        n_blocks = -(-(last_start + chunk) // block)
        least = max(least, (n_blocks - 1) * block - place)

    assert OverlapAdd(Same(), chunk, hop, block_samples=block).get_delay_samples() == least


@settings(deadline=None, max_examples=100)
@given(sizes=CHUNKS, is_linear=st.booleans())
def test_weights_add_up_to_1(sizes: tuple[int, int], is_linear: bool) -> None:
    chunk, hop = sizes
    weights = fade_weights(chunk, hop, is_linear=is_linear)

    sums = torch.zeros(3 * chunk)
    for start in range(0, 2 * chunk + 1, hop):
        sums[start : start + chunk] += weights

    assert weights.min() > 0
    torch.testing.assert_close(sums[chunk : 2 * chunk], torch.ones(chunk), rtol=0, atol=FLOAT32)


def test_chunks_are_whole_in_their_middle_and_fade_as_asked() -> None:
    linear, hann = (fade_weights(10, 6, is_linear=is_linear) for is_linear in (True, False))

    torch.testing.assert_close(linear[:4], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    torch.testing.assert_close(hann[:4], torch.sin(torch.pi / 2 * linear[:4]).square())
    for weights in (linear, hann):
        assert torch.equal(weights[4:6], torch.ones(2))
        torch.testing.assert_close(weights[6:], weights[:4].flip(0))


def test_several_chunks_are_one_batch(noise: Noise) -> None:
    model = Counting()
    module = OverlapAdd(model, 64, 16)

    cut(module, noise(2, 160, 0), [15, 1, 48, 96])

    assert model.batches == [1, 3, 6]


def test_models_may_change_the_number_of_channels(noise: Noise) -> None:
    audio = noise(2, 400, 0)
    model = nn.Conv1d(2, 3, 1, bias=False).requires_grad_(requires_grad=False)
    module = OverlapAdd(model, 64, 32, out_channels=3, block_samples=32)

    output = cut(module, audio[:, :384], [32, 96, 64, 128, 64])

    assert output.shape == (3, 384)
    expected = late(model(audio[:, :384]), module.get_delay_samples())
    torch.testing.assert_close(output, expected, rtol=0, atol=FLOAT32)


def test_script_and_frozen_script_are_as_python_and_reset_is_fresh(noise: Noise) -> None:
    audio, blocks = noise(2, 4096, 0), [1, 95, 0, 1000, 3000]
    eager = OverlapAdd(Chunky(), 512, 200).eval()
    expected = cut(eager, audio, blocks)
    script = torch.jit.script(copy.deepcopy(eager))
    kept = ["reset", "set_buffer_size", "get_delay_samples", "forward_offline"]
    frozen = torch.jit.freeze(torch.jit.script(copy.deepcopy(eager)), preserved_attrs=kept)

    for module in (eager, script, frozen):
        module.reset()
        torch.testing.assert_close(cut(module, audio, blocks), expected, rtol=0, atol=FLOAT32)
        module.set_buffer_size(400)
        assert module.get_delay_samples() == 312
        whole = module.forward_offline(audio)
        for _ in range(2):
            module.reset()
            streamed = cut(module, audio[:, :4000], [400] * 10)
            torch.testing.assert_close(streamed[:, 312:], whole[:, : 4000 - 312], rtol=0, atol=FLOAT32)


def test_output_and_input_are_not_shared(noise: Noise) -> None:
    audio = noise(2, 1024, 0)
    module = OverlapAdd(Same(), 64, 16)
    outputs = []
    for block in audio.split([8, 120, 3, 893], dim=1):
        given_block = block.clone()
        output = module(given_block)
        assert torch.equal(given_block, block)
        outputs.append(output.clone())
        given_block.fill_(torch.nan)
        output.fill_(torch.nan)

    torch.testing.assert_close(torch.cat(outputs, dim=1), late(audio, 63), rtol=0, atol=FLOAT32)


def test_gradients_reach_the_model_and_end_at_the_block(noise: Noise) -> None:
    model = nn.Conv1d(2, 2, 3, padding=1)
    module = OverlapAdd(model, 64, 16, block_samples=64)

    for block in noise(2, 256, 0).split(64, dim=1):
        module(block).square().sum().backward()
    module.forward_offline(noise(2, 256, 0)).square().sum().backward()

    assert model.weight.grad is not None
    assert model.weight.grad.abs().sum() > 0


def test_preparing_forgets_and_ends_training(noise: Noise) -> None:
    module = OverlapAdd(nn.Sequential(nn.Dropout()), 64, 16)
    module(noise(2, 300, 0))

    module.prepare_for_inference()

    assert not any(part.training for part in module.modules())
    assert torch.equal(module(torch.zeros(2, 300)), torch.zeros(2, 300))


def test_reach_is_what_one_click_changes() -> None:
    for chunk, hop in itertools.product([1, 20], [1, 7, 20]):
        if hop <= chunk:
            module = OverlapAdd(Chunky(), chunk, hop)
            reach = module.get_receptive_field_samples()
            assert reach == -(-chunk // hop) * hop - hop + chunk


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hop_samples": 65}, "hop_samples must be at most chunk_samples, 64"),
        ({"hop_samples": 0}, "hop_samples must be at least 1"),
        ({"chunk_samples": 0}, "chunk_samples must be at least 1"),
        ({"window": "hamming"}, "window must be one of hann, linear, got 'hamming'"),
        ({"n_channels": 0}, "n_channels must be at least 1"),
        ({"block_samples": 0}, "block_samples must be at least 1"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OverlapAdd(Same(), **{"chunk_samples": 64, "hop_samples": 16, **arguments})


def test_a_model_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="model must be a Module"):
        OverlapAdd(torch.tanh, 64, 16)  # type: ignore[arg-type]


def test_bad_blocks_are_refused_and_leave_the_stream_alone(noise: Noise) -> None:
    audio = noise(2, 256, 0)
    eager = OverlapAdd(Same(), 64, 16, block_samples=8)
    bad_blocks = [(torch.zeros(2, 12), "in multiples of 8 samples, got 12"), (torch.zeros(1, 8), r"\(2, samples\)")]
    for module in (eager, torch.jit.script(copy.deepcopy(eager))):
        for bad, message in bad_blocks:
            with pytest.raises((ValueError, *SCRIPT_ERRORS), match=message):
                module(bad)
        with pytest.raises((ValueError, *SCRIPT_ERRORS), match="block_samples must be at least 1"):
            module.set_buffer_size(0)
        torch.testing.assert_close(cut(module, audio, [8, 248]), late(audio, 56), rtol=0, atol=FLOAT32)


def test_a_model_that_returns_another_shape_is_refused() -> None:
    module = OverlapAdd(nn.Conv1d(2, 2, 3), 64, 16)

    with pytest.raises(ValueError, match=r"the model must return shape \[1, 2, 64\], got \[1, 2, 62\]"):
        module(torch.zeros(2, 16))
