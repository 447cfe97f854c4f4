"""Write a model as neutone_sdk 1.5.2 exports it: python tools/make_model_1x.py tests/data/model_1x.nm.gz.

Run it in an environment with that version, such as the one that ``benchmarks/reference_sdk.py`` makes. The model has
most of what hosts have to look after: rates and block sizes of its own, mono in and stereo out, knobs, a look-behind,
a delay, and a state that a reset forgets.
"""

import gzip
import sys
import tempfile
from pathlib import Path
from typing import Dict, List  # noqa: UP035  # what 1.x scripts

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, WaveformToWaveformBase
from neutone_sdk.utils import save_neutone_model

LOOK_BEHIND = 4


class Echo(nn.Module):
    """Two taps of the past on the left, and a running mean on the right, both of the mono input."""

    last: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.look_behind = LOOK_BEHIND
        self.register_buffer("last", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(2, n)`` of ``(1, LOOK_BEHIND + n)``."""
        n = x.size(1) - self.look_behind
        left = x[:, 1 : 1 + n] + 0.25 * x[:, :n]
        right = self.last + 0.001 * x[:, 1 : 1 + n].cumsum(1)
        self.last.copy_(right[0, -1:])
        return torch.cat([left, right])


class Wrapper(WaveformToWaveformBase):
    """The getters of 1.x."""

    def get_model_name(self) -> str:
        return "echo of 1.x"

    def get_model_authors(self) -> List[str]:  # noqa: UP006
        return ["A. Author"]

    def get_model_short_description(self) -> str:
        return "As neutone_sdk 1.5.2 writes it"

    def get_model_long_description(self) -> str:
        return ""

    def get_technical_description(self) -> str:
        return ""

    def get_technical_links(self) -> Dict[str, str]:  # noqa: UP006
        return {}

    def get_tags(self) -> List[str]:  # noqa: UP006
        return ["echo"]

    def get_model_version(self) -> str:
        return "1.0.0"

    def is_experimental(self) -> bool:
        return True

    def get_neutone_parameters(self) -> List[NeutoneParameter]:  # noqa: UP006
        return [
            ContinuousNeutoneParameter("gain", "Of the input", 0.75),
            ContinuousNeutoneParameter("unused", "", 0.25),
        ]

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return True

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:  # noqa: UP006
        return [44100, 48000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:  # noqa: UP006
        return [256, 512]

    @torch.jit.export
    def get_look_behind_samples(self) -> int:
        return self.model.look_behind  # type: ignore[return-value]

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return 3

    @torch.jit.export
    def reset_model(self) -> bool:
        self.model.last.zero_()  # type: ignore[operator]
        return True

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        return self.model(x * params["gain"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        save_neutone_model(Wrapper(Echo()), Path(folder), speed_benchmark=False)
        content = (Path(folder) / "model.nm").read_bytes()
        Path(sys.argv[1]).write_bytes(gzip.compress(content, mtime=0))  # most of it is zeros
