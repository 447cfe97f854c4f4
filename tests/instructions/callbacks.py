"""Callbacks of whole wrappers, for valgrind's callgrind to count the instructions of: count.py runs it.

TorchScript's own are counted too: they are what a wrapper can save by doing less.
"""

import ctypes
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, SampleQueueWrapper, WaveformToWaveformBase

MODEL_HZ, MODEL_BLOCK = 48_000, 2048
SETTINGS = {
    "callback of 64": (MODEL_HZ, 64),
    "callback of 512": (MODEL_HZ, 512),
    "callback of 2048": (MODEL_HZ, MODEL_BLOCK),
    "callback of 512, resampled": (44_100, 512),
}
N_CALLBACKS = 64  # a whole number of the model's blocks


class PassThrough(WaveformToWaveformBase):
    """Stereo, four knobs, as the benchmark of wrappers has it."""

    card = ModelCard(
        name="pass-through",
        authors=["tests"],
        short_description="",
        native_sample_rates=[MODEL_HZ],
        native_buffer_sizes=[MODEL_BLOCK],
        parameters=[ContinuousNeutoneParameter(name, "", 0.5) for name in "abcd"],
    )

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Look at every knob, or the compiler would leave them out."""
        if params["a"].numel() + params["b"].numel() + params["c"].numel() + params["d"].numel() > 1_000_000:
            return -x
        return x


class Loop(nn.Module):
    """Call the wrapper from TorchScript: Python's cost of a call is no matter here."""

    def __init__(self, wrapper: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.wrapper = wrapper

    def forward(self, n_calls: int, x: Tensor, params: Tensor) -> Tensor:
        """Return the last block."""
        y = x
        for _ in range(n_calls):
            y = self.wrapper(x, params)
        return y


def warmed_up(host_hz: int, block: int) -> tuple[torch.jit.ScriptModule, Tensor, Tensor]:
    """Return a loop that TorchScript has profiled and optimised, audio and knobs."""
    wrapper = SampleQueueWrapper(PassThrough(nn.Identity()), daw_sr=host_hz, daw_bs=block)
    wrapper.prepare_for_inference()
    loop = torch.jit.script(Loop(torch.jit.script(wrapper)))
    x, params = torch.rand(2, block) - 0.5, torch.rand(4, block)
    for _ in range(4):
        loop(N_CALLBACKS, x, params)
    return loop, x, params


def main(switch: Path) -> None:
    """Count each setting."""
    counter = ctypes.CDLL(str(switch))
    torch.set_num_threads(1)
    names = [ctypes.create_string_buffer(name.encode()) for name in SETTINGS]
    with torch.inference_mode():
        loops = [warmed_up(*setting) for setting in SETTINGS.values()]
        counter.start()
        for name, (loop, x, params) in zip(names, loops, strict=True):
            counter.resume()
            loop(N_CALLBACKS, x, params)
            counter.dump(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
