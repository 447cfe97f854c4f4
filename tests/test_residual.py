"""Branches meet in time; delays and silent starts are what they say, however the stream is cut."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.alignment import Delay, SilentStart
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.conv_transpose import ConvTranspose1dGeneral
from neutone_sdk.delay import delay_samples
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError, NotStreamingError
from neutone_sdk.residual import Residual, StreamingSequential

from .blocks import BLOCK_SIZES, Block, assert_close, audio, scripts, streamed


def centred(n_taps: int) -> Conv1dGeneral:
    return Conv1dGeneral(1, 1, n_taps, causal=False)


def strided() -> nn.Sequential:
    down = Conv1dGeneral(1, 2, 4, stride=2, padding=1, causal=False)
    return nn.Sequential(down, nn.Tanh(), ConvTranspose1dGeneral(2, 1, 4, 2, 1, causal=False))


RESIDUALS: list[Callable[[], Residual]] = [
    lambda: Residual(centred(5)),
    lambda: Residual(nn.Sequential(centred(5), nn.Tanh(), centred(3)), centred(9)),
    lambda: Residual(nn.Sequential(Conv1dGeneral(1, 1, 5), nn.Tanh()), centred(4)),
    lambda: Residual(Residual(centred(3)), nn.Sequential(Conv1dGeneral(1, 1, 1))),
    lambda: Residual(strided()),
    lambda: Residual(strided(), Residual(centred(3), strided())),
    lambda: Residual(Conv1dGeneral(1, 1, 5, padding="valid")),
]


@settings(deadline=None, max_examples=60)
@given(make=st.sampled_from(RESIDUALS), sizes=BLOCK_SIZES, n_batch=st.integers(1, 2))
def test_stream_is_the_clip_late_by_the_later_branch(
    make: Callable[[], Residual], sizes: list[int], n_batch: int
) -> None:
    torch.manual_seed(0)
    block, x = make(), audio(n_batch, 1, 120)
    clip = block(x)

    block.set_cached(True)
    actual = streamed(block, x, sizes)

    late = block.get_delay_samples() + x.size(2) - clip.size(2)
    reach = block.get_receptive_field_samples()
    assert actual.size(2) == x.size(2)
    assert_close(actual[:, :, late + reach :], clip[:, :, reach : clip.size(2) - block.get_delay_samples()])


@pytest.mark.parametrize("make", [*RESIDUALS, lambda: Delay(3), lambda: SilentStart(3)])
def test_scripts_resets_and_copies_play_the_same(make: Callable[[], Block]) -> None:
    torch.manual_seed(0)
    block, x = make(), audio(1, 1, 50)
    block.set_cached(True)
    with torch.no_grad():
        fresh = streamed(block, x, [9])
        block.reset()
        assert_close(streamed(copy.deepcopy(block), x, [7]), fresh)
        for script in scripts(block):
            for sizes in ([10], [50]):
                script.reset()
                assert_close(streamed(script, x, sizes), fresh)


def test_delay_is_the_difference() -> None:
    block = Residual(centred(5), nn.Sequential(centred(9), centred(3)))
    assert (block.branch_delay.n_samples, block.shortcut_delay.n_samples) == (3, 0)
    assert (block.get_delay_samples(), delay_samples(block)) == (5, 5)


def test_channels_can_be_put_together() -> None:
    block, x = Residual(centred(3), combine="cat"), audio(2, 1, 9)
    assert_close(block(x), torch.cat([block.branch(x), x], dim=1))
    block.set_cached(True)
    assert_close(block(x)[:, 1:, 1:], x[:, :, :-1])


def test_file_takes_any_batch(tmp_path: Path) -> None:
    chain = StreamingSequential(Delay(2), centred(3), Residual(strided()))
    chain.prepare_for_inference()
    torch.jit.save(torch.jit.script(chain), tmp_path / "chain.pt")
    x = audio(3, 1, 30)

    script = torch.jit.load(tmp_path / "chain.pt")

    assert_close(script(x), chain(x))


def test_gradients_flow_through_both_branches() -> None:
    block, x = Residual(centred(3), centred(5)).train(), audio(1, 1, 20).requires_grad_()
    block.set_cached(True)
    for part in x.split(5, dim=2):
        block(part).square().sum().backward()
    assert x.grad is not None
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in block.parameters())


def test_stock_layers_train_and_tell_what_they_need() -> None:
    block = Residual(nn.Conv1d(1, 1, 3, padding=1))

    assert block(audio(1, 1, 9)).shape == (1, 1, 9)
    for ask in (lambda: block.set_cached(True), block.get_delay_samples, lambda: delay_samples(block)):
        with pytest.raises(NotStreamingError, match=r"cannot be aligned: branch: Conv1d .*to_streaming"):
            ask()


def test_rates_have_to_be_the_same() -> None:
    with pytest.raises(InvalidArgumentError, match=r"got 1/2 for each .* from branch and 1 from shortcut"):
        Residual(Conv1dGeneral(1, 1, 4, stride=2, padding=1, causal=False))


def test_bad_arguments() -> None:
    with pytest.raises(InvalidArgumentError, match="combine must be 'add' or 'cat', got 'mul'"):
        Residual(nn.Tanh(), combine="mul")
    with pytest.raises(InvalidTypeError, match="branch must be"):
        Residual(None)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="n_samples must be at least 0, got -1"):
        Delay(-1)
    with pytest.raises(InvalidTypeError, match="n_samples must be an integer"):
        SilentStart(1.5)  # type: ignore[arg-type]


def test_branch_that_is_too_long() -> None:
    block = Residual(Conv1dGeneral(1, 1, 3, padding=2, causal=False))
    with pytest.raises(InvalidAudioError, match=r"make 11 and 9 samples of 9, .* more than 9; give them padding"):
        block(audio(1, 1, 9))


@settings(deadline=None, max_examples=30)
@given(n_samples=st.integers(0, 50), sizes=BLOCK_SIZES)
def test_delay(n_samples: int, sizes: list[int]) -> None:
    block, x = Delay(n_samples, cached=True), audio(2, 3, 60)
    expected = torch.cat([torch.zeros(2, 3, n_samples), x], dim=2)[:, :, :60]
    assert torch.equal(streamed(block, x, sizes), expected)
    block.set_cached(False)
    assert torch.equal(block(x), x)


@settings(deadline=None, max_examples=30)
@given(n_samples=st.integers(0, 50), sizes=BLOCK_SIZES)
def test_silent_start(n_samples: int, sizes: list[int]) -> None:
    block, x = SilentStart(n_samples, cached=True), audio(2, 3, 60)
    expected = torch.cat([torch.zeros(2, 3, n_samples), x[:, :, n_samples:]], dim=2)
    for _ in range(2):
        assert torch.equal(streamed(block, x, sizes), expected)
        block.reset()
    block.set_cached(False)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("scripted", [False, True])
def test_delay_refuses_what_is_not_its_stream(scripted: bool) -> None:
    block: Block = torch.jit.script(Delay(2, cached=True)) if scripted else Delay(2, cached=True)
    block(audio(1, 2, 4))
    for wrong in (audio(1, 3, 4), audio(2, 4)):
        with pytest.raises((InvalidAudioError, torch.jit.Error), match=r"as many channels as the stream so far"):
            block(wrong)
    with pytest.raises((InvalidTypeError, torch.jit.Error), match="audio must be float32 on cpu"):
        block(audio(1, 2, 4).double())
    block.reset(0)
    assert block(audio(1, 3, 4)).shape == (1, 3, 4)


def test_other_batch_starts_anew() -> None:
    for block in (Delay(2, cached=True), SilentStart(2, cached=True)):
        x = audio(1, 1, 5)
        first = block(x)
        assert torch.equal(block(torch.cat([x, x])), torch.cat([first, first]))


def test_input_is_not_written_to() -> None:
    x: Tensor = audio(1, 1, 9)
    before = x.clone()
    for block in (Delay(2, cached=True), SilentStart(2, cached=True)):
        block(x).add_(1.0)
    assert torch.equal(x, before)


def test_chain_tells_all_its_layers() -> None:
    chain = StreamingSequential(centred(3), nn.Tanh(), StreamingSequential(Delay(3)))
    assert not chain.is_cached()
    chain.prepare_for_inference()
    assert chain.is_cached()
    assert not chain.training
    assert chain.get_submodule("2.0").is_cached()  # type: ignore[operator]
    chain.set_cached(False)
    assert not chain.is_cached()
