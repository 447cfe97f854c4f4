"""Models of 1.x wrappers keep what they like from block to block, and may scribble on what they are given.

What they should play is computed from the whole clip at once, so a state that is lost, or that the buffers around the
model overwrite, shows at the next block.
"""

# ruff: noqa: UP006, UP035, UP045 -- what 1.x wrappers import from typing is what they are a test of

import math
from collections.abc import Callable
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import NeutoneParameter
from neutone_sdk.utils import save_neutone_model

from .conftest import Noise
from .helpers_existing import ExistingWrapper, Halve, assert_plays, exported

# Many models of 1.x have no reset; export says so, and exports them all the same.
pytestmark = pytest.mark.filterwarnings(r"ignore:the exported file and the same file after reset\(\):UserWarning")

MODEL_BLOCK = 64
HOST_BLOCKS = [
    pytest.param(64, id="as long as the model's"),
    pytest.param(192, id="three of the model's"),
    pytest.param(48, id="across the model's"),
]
LENGTH = 3 * 576  # whole blocks of every host


class Blocks(ExistingWrapper):
    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return [64]


def previous(x: Tensor, n_samples: int) -> Tensor:
    """The clip as it was ``n_samples`` ago."""
    return nn.functional.pad(x, (n_samples, 0))[:, : x.size(1)]


class StartsAsNone(nn.Module):
    last: Optional[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.last = None

    def forward(self, x: Tensor) -> Tensor:
        last = self.last
        if last is None:
            last = torch.zeros(x.size(0), 1)
        self.last = x[:, -1:]  # a view of the input, not a copy
        return x - 0.5 * torch.cat([last, x[:, :-1]], dim=1)


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_state_starts_as_none_and_becomes_a_view_of_the_input(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)

    script = exported(Blocks, StartsAsNone).load()

    assert_plays(script, audio, audio - 0.5 * previous(audio, 1), block=block)


class GrowsItsBatch(nn.Module):
    """A cached convolution, as 1.x examples write it: made for one channel, used for two."""

    cache: Tensor
    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cache", torch.zeros(1, 1, 3))
        self.register_buffer("kernel", torch.tensor([[[0.5, 0.0, 0.0, 0.25]]]))

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1)
        if self.cache.size(0) != x.size(0):
            self.cache = self.cache.repeat(x.size(0), 1, 1)
        x = torch.cat([self.cache, x], dim=2)
        self.cache = x[..., -3:]
        return nn.functional.conv1d(x, self.kernel).squeeze(1)


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_state_changes_its_batch_size_from_one_to_two(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)

    script = exported(Blocks, GrowsItsBatch).load()

    rounding = 1e-7  # of one product and one sum, which the convolution may fuse
    assert_plays(script, audio, 0.5 * previous(audio, 3) + 0.25 * audio, block=block, atol=rounding)


def test_cache_that_no_reset_empties_is_exported_as_a_submission_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"the wrapper has no reset_model\(\).*define one") as caught:
        save_neutone_model(Blocks(GrowsItsBatch()), tmp_path, submission=True, max_n_samples=0)

    assert [warning.filename for warning in caught] == [__file__]
    assert (tmp_path / "model.nm").exists()


class GrowsItsHistory(nn.Module):
    history: List[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.history = []

    def forward(self, x: Tensor) -> Tensor:
        self.history.append(x)
        return x + self.history[0]  # the first block, for ever


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_state_is_a_list_that_keeps_whole_inputs(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)
    first_again = audio[:, :MODEL_BLOCK].repeat(1, LENGTH // MODEL_BLOCK)

    assert_plays(exported(Blocks, GrowsItsHistory).load(), audio, audio + first_again, block=block)


class LooksUpTensors(nn.Module):
    gains: Dict[int, Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.gains = {index: torch.tensor([index / 8.0]) for index in range(9)}
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        gain = self.gains[self.count % 9]
        self.gains[self.count % 9] = -gain
        return gain * x


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_dict_from_numbers_to_tensors_is_read_and_written(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)
    counts = torch.arange(LENGTH) // MODEL_BLOCK + 1
    signs = 1 - 2 * (counts // 9 % 2)  # each gain turns over whenever it was used

    assert_plays(exported(Blocks, LooksUpTensors).load(), audio, signs * (counts % 9) / 8.0 * audio, block=block)


class Oscillates(nn.Module):
    """At 7/64 of a cycle a sample: exact in float64, hopeless in float32 if the phase is not kept with care."""

    phase: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("phase", torch.zeros(1, 1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        steps = torch.arange(x.size(1), dtype=torch.float64)
        cycles = self.phase + steps * 0.109375
        torch.add(self.phase, x.size(1) * 0.109375, out=self.phase)
        torch.frac(self.phase, out=self.phase)
        return x * torch.sin(2.0 * math.pi * cycles).float()


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_float64_phase_is_advanced_with_out(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)
    carrier = torch.sin(2.0 * math.pi * (torch.arange(LENGTH, dtype=torch.float64) * 0.109375 % 1.0))

    rounding = 1e-6  # of the sine's argument, which grows by whole cycles within a block, and of the last bit
    assert_plays(exported(Blocks, Oscillates).load(), audio, (carrier * audio).float(), block=block, atol=rounding)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.lstm = nn.LSTM(input_size=2, hidden_size=4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor, state: Optional[Tuple[Tensor, Tensor]] = None) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:
        y, state = self.lstm(x, state)
        return self.head(y), state


class KeepsATuple(Blocks):
    state: Optional[Tuple[Tensor, Tensor]]

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.state = None

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        y, state = self.model(x.t().unsqueeze(0), self.state)
        self.state = state
        return y.squeeze(0).t()

    @torch.jit.export
    def reset_model(self) -> bool:
        self.state = None
        return True


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_wrapper_keeps_an_optional_tuple(block: int, noise: Noise) -> None:
    audio = noise(2, LENGTH, seed=0)
    with torch.no_grad():
        expected = Recurrent()(audio.t().unsqueeze(0))[0].squeeze(0).t()

    rounding = 1e-6  # of matrix products over blocks of another length
    assert_plays(exported(KeepsATuple, Recurrent).load(), audio, expected, block=block, atol=rounding)


class CopiesIntoABuffer(Blocks):
    """The state is the wrapper's, registered after the base's constructor, and written in place."""

    total: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.register_buffer("total", torch.zeros(2, 1))

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        y = self.total + torch.cumsum(x, dim=1)
        self.total.copy_(y[:, -1:])
        return y

    def reset_model(self) -> bool:
        self.total.zero_()
        return True


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_state_is_a_buffer_of_the_wrapper(block: int, noise: Noise) -> None:
    audio = (64.0 * noise(2, LENGTH, seed=0)).round() / 64.0  # sums of these are exact

    assert_plays(exported(CopiesIntoABuffer).load(), audio, audio.cumsum(dim=1), block=block)


class WritesChannels(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        for ch in range(x.shape[0]):
            x[ch] = 0.5 * x[ch] + ch
        return x


class ClipsOntoItself(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        torch.clip(x, min=-0.25, max=0.25, out=x)
        return x.mul_(2.0)


class ErasesItsInput(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = -x
        x.fill_(math.nan)
        return y


@pytest.mark.parametrize("block", HOST_BLOCKS)
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (WritesChannels, lambda audio: 0.5 * audio + torch.tensor([[0.0], [1.0]])),
        (ClipsOntoItself, lambda audio: 2.0 * audio.clamp(-0.25, 0.25)),
        (ErasesItsInput, lambda audio: -audio),
    ],
)
def test_model_writes_into_its_input(
    model: Callable[[], nn.Module], expected: Callable[[Tensor], Tensor], block: int, noise: Noise
) -> None:
    audio = noise(2, LENGTH, seed=0)
    before = audio.clone()

    assert_plays(exported(Blocks, model).load(), audio, expected(audio), block=block)

    assert torch.equal(audio, before)


class ErasesThePast(ExistingWrapper):
    """Hears 100 samples of the past, which is more than one block, and erases them."""

    def get_native_buffer_sizes(self) -> List[int]:
        return [64]

    def get_look_behind_samples(self) -> int:
        return 100

    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [NeutoneParameter("gain", "one value a sample", 0.5)]

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        y = x[:, 100:] + params["gain"][:64] * x[:, :64]
        x.fill_(math.nan)
        params["gain"].fill_(math.nan)
        return y


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_what_a_model_does_to_the_past_is_forgotten(block: int, noise: Noise) -> None:
    audio, params = noise(2, LENGTH, seed=0), noise(4, LENGTH, seed=1).abs()
    gain = nn.functional.pad(params[:1], (100, 0), value=0.5)[:, :LENGTH]  # before the start: the default

    expected = audio + gain * previous(audio, 100)
    assert_plays(exported(ErasesThePast).load(), audio, expected, block=block, params=params)


class ReturnsItsInput(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class ReturnsAViewOfItsInput(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flip(0).t().contiguous().t()  # channels swapped, samples first in memory


class RepeatsOneChannel(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[1:].expand(2, -1)


class ReturnsItsOwnBuffer(nn.Module):
    out: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("out", torch.zeros(2, MODEL_BLOCK))

    def forward(self, x: Tensor) -> Tensor:
        torch.neg(x, out=self.out)
        return self.out


@pytest.mark.parametrize("block", HOST_BLOCKS)
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (ReturnsItsInput, lambda audio: audio),
        (ReturnsAViewOfItsInput, lambda audio: audio.flip(0)),
        (RepeatsOneChannel, lambda audio: audio[1:].repeat(2, 1)),
        (ReturnsItsOwnBuffer, lambda audio: -audio),
    ],
)
def test_output_shares_memory_with_something(
    model: Callable[[], nn.Module], expected: Callable[[Tensor], Tensor], block: int, noise: Noise
) -> None:
    audio = noise(2, LENGTH, seed=0)

    assert_plays(exported(Blocks, model).load(), audio, expected(audio), block=block)


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_output_of_an_unbatched_convolution(block: int, noise: Noise) -> None:
    """Torch's compiler believes that what a Conv1d returns has three dimensions; without a batch axis it has two."""
    audio = noise(2, LENGTH, seed=0)

    assert_plays(exported(Blocks, Unbatched).load(), audio, torch.stack([0.5 * audio[1], 2.0 * audio[0]]), block=block)


class Unbatched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv1d(2, 2, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.tensor([[[0.0], [0.5]], [[2.0], [0.0]]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x)


def test_a_new_instance_of_the_file_starts_with_the_state_of_the_export(noise: Noise) -> None:
    """What the export's own checks played is not in the file."""
    audio = noise(2, LENGTH, seed=0)
    halved = exported(CopiesIntoABuffer, Halve)

    assert torch.equal(halved.load().w2w_base.total, torch.zeros(2, 1))
    assert_plays(
        exported(Blocks, GrowsItsHistory).load(), audio[:, :MODEL_BLOCK], 2.0 * audio[:, :MODEL_BLOCK], block=64
    )
