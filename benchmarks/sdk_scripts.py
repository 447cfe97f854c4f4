"""Write what benchmarks/native plays of the neutone_sdk that this Python has: sdk_scripts.py FOLDER.

Runs on this package and on 1.x alike, so it uses the interface that both have.
"""

import sys
from pathlib import Path
from typing import Dict, List  # noqa: UP035  # what 1.x on older Pythons scripts

import torch
from torch import Tensor, nn

from neutone_sdk import (
    CircularInplaceTensorQueue,
    ContinuousNeutoneParameter,
    NeutoneParameter,
    SampleQueueWrapper,
    WaveformToWaveformBase,
)
from neutone_sdk.filters import FilterType, IIRFilter

N_FRAMES = 512


class PassThrough(WaveformToWaveformBase):
    """Stereo, block 2048, four knobs."""

    def get_model_name(self) -> str:
        return "pass-through"

    def get_model_authors(self) -> List[str]:  # noqa: UP006
        return ["benchmark"]

    def get_model_short_description(self) -> str:
        return ""

    def get_model_long_description(self) -> str:
        return ""

    def get_technical_description(self) -> str:
        return ""

    def get_tags(self) -> List[str]:  # noqa: UP006
        return []

    def get_model_version(self) -> str:
        return "1.0.0"

    def is_experimental(self) -> bool:
        return False

    def get_neutone_parameters(self) -> List[NeutoneParameter]:  # noqa: UP006
        return [ContinuousNeutoneParameter(name, "", 0.5) for name in ("a", "b", "c", "d")]

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return False

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:  # noqa: UP006
        return [48000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:  # noqa: UP006
        return [2048]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        # Looks at every knob, or the compiler would leave them out and the figure would be too good.
        n_values = 0
        for value in params.values():
            n_values += value.numel()
        if n_values > 1_000_000:
            return -x
        return x


class QueueLoop(nn.Module):
    """Push and pop through the queue class."""

    def forward(self, n_calls: int) -> Tensor:
        """Pass blocks, and return the last."""
        queue = CircularInplaceTensorQueue(2, 2048)
        audio, out = torch.rand(2, 512), torch.zeros(2, 512)
        for _ in range(n_calls):
            queue.push(audio)
            queue.pop(out)
        return out


class FilterLoop(nn.Module):
    """Filter block after block."""

    audio: Tensor

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("audio", torch.rand(2, N_FRAMES) - 0.5)

    def forward(self, n_calls: int) -> Tensor:
        """Return the last block."""
        y = self.audio
        for _ in range(n_calls):
            y = self.module(self.audio)
        return y


def main() -> None:
    """Write wrapper, queue and filter."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wrapper = SampleQueueWrapper(PassThrough(nn.Identity()))
    wrapper.prepare_for_inference()
    for name, module in {
        "wrapper": wrapper,
        "queue": QueueLoop(),
        "iir": FilterLoop(IIRFilter(FilterType.LOWPASS, 1000.0, 0.7071)),
    }.items():
        torch.jit.script(module).save(str(folder / f"{name}.pt"))


if __name__ == "__main__":
    main()
