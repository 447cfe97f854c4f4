"""How model blocks are tested: as streams in pieces, beside whole clips, and inside an exported wrapper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import WaveformToWaveformBase
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .wrappers import card

FLOAT32_SUMS = 1e-6  # of some hundred products of numbers below 1, in another order

# Python's and TorchScript's modules have the same methods, but no common type that says so.
Block = Any

BLOCK_SIZES = st.lists(st.integers(0, 40) | st.sampled_from([1, 64, 700, 2049, 3000]), min_size=1, max_size=12)


def audio(*shape: int, seed: int = 0) -> Tensor:
    """Return noise in -1..1."""
    return 2.0 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 1.0


def streamed(block: Block, x: Tensor, sizes: Sequence[int], *others: Tensor) -> Tensor:
    """Return all outputs of a stream that is cut into these sizes, over and over, to the end of ``x``."""
    outputs, at, i = [], 0, 0
    while at < x.size(2) or i < len(sizes):
        size = sizes[i % len(sizes)] if any(sizes) else x.size(2)
        outputs.append(block(x[:, :, at : at + size], *others))
        at += size
        i += 1
    return torch.cat(outputs, dim=2)


def assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=FLOAT32_SUMS)


def scripts(block: nn.Module) -> list[Block]:
    """Return the block as TorchScript sees it, and frozen."""
    script = torch.jit.script(block.eval())
    return [script, torch.jit.freeze(script, ["reset"])]


class Wrapped(WaveformToWaveformBase):
    """Plays a mono block with a batch of one."""

    card = card(is_input_mono=True, is_output_mono=True)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)

    def reset_model(self) -> bool:
        self.model.reset()  # type: ignore[operator]
        return True

    def calc_model_delay_samples(self) -> int:
        return self.model.get_delay_samples()  # type: ignore[operator]


def assert_plays_exported(block: Block, folder: Path, freeze: bool = False) -> None:
    """Export a mono block that is ready for inference; what is loaded has to play and to report the same."""
    x = audio(1, 4 * 256)
    with torch.no_grad():
        block.reset()
        expected = streamed(block, x[None], [256])[0]
        block.prepare_for_inference()
        save_neutone_model(Wrapped(block), folder, freeze=freeze)
        model, _ = load_neutone_model(folder / "model.nm")
        model.set_daw_sample_rate_and_buffer_size(48000, 256)
        actual = torch.cat([model(part) for part in x.split(256, dim=1)], dim=1)
    assert_close(actual, expected)
    assert model.calc_model_delay_samples() == block.get_delay_samples()
