"""Time a pass-through in the neutone_sdk that this Python has; print JSON. Started by ``benchmarks/wrapper.py``.

Runs on this package and on 1.x alike, so it uses the interface that both have.
"""

import json
import sys
import time
from typing import Dict, List  # noqa: UP035  # what 1.x on older Pythons scripts

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, SampleQueueWrapper, WaveformToWaveformBase

N_CALLS = 300  # a TorchScript loop of so many callbacks is timed as one
N_ROUNDS = 9


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
        n_values = params["a"].numel() + params["b"].numel() + params["c"].numel() + params["d"].numel()
        if n_values > 1_000_000:
            return -x
        return x


class Loop(nn.Module):
    """Call the wrapper from TorchScript, so that Python's cost of a call is not in the figure."""

    def __init__(self, wrapper: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.wrapper = wrapper

    def forward(self, n_calls: int, x: Tensor, params: Tensor) -> Tensor:
        """Return the last block."""
        y = x
        for _ in range(n_calls):
            y = self.wrapper(x, params)
        return y


def microseconds_per_callback(host_hz: int, host_block: int) -> list[float]:
    """Return one mean for each round."""
    wrapper = SampleQueueWrapper(PassThrough(nn.Identity()), daw_sr=host_hz, daw_bs=host_block)
    wrapper.prepare_for_inference()
    script = torch.jit.script(wrapper)
    loop = torch.jit.script(Loop(script))
    x, params = torch.rand(2, host_block) - 0.5, torch.rand(4, host_block)
    rounds = []
    with torch.inference_mode():
        for _ in range(3):
            loop(N_CALLS, x, params)
        for _ in range(N_ROUNDS):
            start_ns = time.perf_counter_ns()
            loop(N_CALLS, x, params)
            rounds.append((time.perf_counter_ns() - start_ns) / 1e3 / N_CALLS)
    return rounds


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({size: microseconds_per_callback(int(sys.argv[1]), int(size)) for size in sys.argv[2:]}))
