"""What all filters promise as wrappers use them: exact, in Python and in TorchScript, however the stream is cut."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.errors import InvalidAudioError, InvalidTypeError

from .conftest import Noise
from .filter_examples import FILTERS


@pytest.mark.parametrize("scripted", [False, True], ids=["python", "scripted"])
@pytest.mark.parametrize("name", FILTERS)
def test_scripts_do_what_python_does(noise: Noise, name: str, scripted: bool) -> None:
    audio = noise(2, 3000, 3)
    module = FILTERS[name]()
    expected = FILTERS[name]()(audio)
    if scripted:
        module = torch.jit.script(module)
    assert torch.equal(torch.cat([module(block) for block in audio.split(277, dim=1)], dim=1), expected)
    module.reset()
    assert torch.equal(module(audio), expected)


@settings(deadline=None, max_examples=40)
@given(
    name=st.sampled_from(list(FILTERS)),
    blocks=st.lists(st.integers(0, 300), min_size=1, max_size=12),
    n_channels=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_how_the_stream_is_cut_does_not_change_the_output(
    name: str, blocks: list[int], n_channels: int, seed: int
) -> None:
    audio = torch.randn(n_channels, sum(blocks), generator=torch.Generator().manual_seed(seed))
    whole = FILTERS[name]()(audio)
    stream = FILTERS[name]()
    cut = torch.cat([stream(block) for block in audio.split(blocks, dim=1)], dim=1)
    assert torch.equal(cut, whole)


@pytest.mark.parametrize("name", FILTERS)
def test_input_is_not_written_to_and_output_is_the_callers(noise: Noise, name: str) -> None:
    module, audio = FILTERS[name](), noise(2, 500, 4)
    kept = audio.clone()
    first = module(audio)
    kept_first = first.clone()
    module(noise(2, 500, 5))
    assert torch.equal(audio, kept)
    assert torch.equal(first, kept_first)


@pytest.mark.parametrize("name", FILTERS)
def test_another_number_of_channels_starts_afresh(noise: Noise, name: str) -> None:
    module = FILTERS[name]()
    module(noise(2, 700, 6))
    assert torch.equal(module(noise(3, 700, 7)), FILTERS[name]()(noise(3, 700, 7)))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (torch.zeros(1, 2, 512), InvalidAudioError),
        (torch.zeros(512), InvalidAudioError),
        (torch.zeros(()), InvalidAudioError),
        (torch.zeros(3, 512, dtype=torch.float64), InvalidTypeError),
    ],
)
@pytest.mark.parametrize("name", [name for name in FILTERS if name != "svf"])
def test_a_block_that_is_refused_changes_nothing(noise: Noise, name: str, wrong: Tensor, error: type) -> None:
    module, other = FILTERS[name](), FILTERS[name]()
    first, second = noise(2, 300, 16), noise(2, 300, 17)
    module(first)
    other(first)
    with pytest.raises(error, match="audio must"):
        module(wrong)
    assert torch.equal(module(second), other(second))


@pytest.mark.parametrize("name", FILTERS)
def test_inference_mode_and_float_leave_a_filter_usable(noise: Noise, name: str) -> None:
    audio = noise(1, 500, 18)
    module = FILTERS[name]().float()
    with torch.inference_mode():
        module(audio)
    module.reset()
    assert torch.equal(module(audio), FILTERS[name]()(audio))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", FILTERS)
def test_what_is_not_finite_is_gone_in_the_end(noise: Noise, name: str, bad: float) -> None:
    module, audio = FILTERS[name](), noise(2, 12_000, 14)
    audio[0, 100] = bad
    filtered = module(audio)
    assert filtered[1].isfinite().all()
    assert filtered[0, 7000:].isfinite().all()
