"""Pairs of host and model block from 1 to 300: the delay is what is reported, and audio comes through bit by bit.

Every pair up to 128, and beyond every eleventh, in which each block from 1 to 300 occurs with two dozen others. What
is reported, and that no smaller delay is possible, is shown for every pair up to 300 in test_schedule.py.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper
from neutone_sdk.streaming.schedule import buffering_steps

from .wrappers import PassThrough, card

LARGEST_BLOCK = 300
ALL_UP_TO = 128
SHARE_BEYOND = 11  # of all pairs would take minutes
N_SHARES = 4


def host_blocks(model_block: int) -> list[int]:
    """Return those that are played with a model block."""
    return [
        host_block
        for host_block in range(1, LARGEST_BLOCK + 1)
        if max(host_block, model_block) <= ALL_UP_TO or (host_block + model_block) % SHARE_BEYOND == 0
    ]


class Prover(nn.Module):
    """Plays in TorchScript, because millions of callbacks from Python would take minutes."""

    def __init__(self, wrapper: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.wrapper = wrapper

    def forward(self, model_block: int, host_blocks: list[int], audio: Tensor) -> list[list[int]]:
        """Return (host block, reported delay, first audible sample, wrong samples) for each host block."""
        rows: list[list[int]] = []
        for host_block in host_blocks:
            self.wrapper.set_daw_sample_rate_and_buffer_size(48000, host_block, 48000, model_block)
            delay = int(self.wrapper.calc_buffering_delay_samples())
            cycle = model_block // math.gcd(host_block, model_block)
            n_blocks = cycle + delay // host_block + 2
            n_samples = n_blocks * host_block
            outputs = [self.wrapper(audio[:, i * host_block : (i + 1) * host_block]) for i in range(n_blocks)]
            played = torch.cat(outputs, dim=1)
            wrong = (played[:, delay:] != audio[:, : n_samples - delay]).sum() + (played[:, :delay] != 0).sum()
            rows.append([host_block, delay, int(played[0].ne(0).to(torch.uint8).argmax()), int(wrong)])
        return rows


@pytest.fixture(scope="module")
def prover() -> nn.Module:
    wrapper = PassThrough(
        nn.Identity(),
        card=card(is_input_mono=True, is_output_mono=True, native_buffer_sizes=range(1, LARGEST_BLOCK + 1)),
    )
    scripted: nn.Module = torch.jit.script(Prover(torch.jit.script(SampleQueueWrapper(wrapper))))
    return scripted


@pytest.fixture(scope="module")
def audio() -> Tensor:
    longest = (LARGEST_BLOCK + LARGEST_BLOCK + 2) * LARGEST_BLOCK
    return torch.rand(1, longest, generator=torch.Generator().manual_seed(0)) + 0.5  # never silent


@pytest.mark.parametrize("share", range(N_SHARES))
def test_delay_reported_is_delay_measured_and_output_is_bit_exact(share: int, prover: nn.Module, audio: Tensor) -> None:
    blocks = range(1 + share, LARGEST_BLOCK + 1, N_SHARES)

    with torch.inference_mode():
        rows = [
            [model_block, *row]
            for model_block in blocks
            for row in prover(model_block, host_blocks(model_block), audio)
        ]

    expected = [
        [model_block, host_block, delay, delay, 0]
        for model_block in blocks
        for host_block in host_blocks(model_block)
        for delay in [buffering_steps(host_block, model_block)]
    ]
    assert rows == expected
