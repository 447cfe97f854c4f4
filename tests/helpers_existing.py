"""A wrapper as the users of the 1.x SDK write it, and the way a host gets at what they export.

Interpreter and host see a model only after it went through a file, so the tests do too.
"""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of
# What a wrapper calls self.model is any module.
# mypy: disable-error-code="operator"

import copy
import functools
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, WaveformToWaveformBase
from neutone_sdk.utils import save_neutone_model

RATE_HZ = 48000
SCRIPTED = pytest.mark.parametrize("scripted", [False, True], ids=["python", "script"])


class ExistingWrapper(WaveformToWaveformBase):
    """The dozen getters, with and without ``@torch.jit.export``, as most wrappers have them; hears and plays stereo."""

    def get_model_name(self) -> str:
        return "existing"

    def get_model_authors(self) -> List[str]:
        return ["A. Author", "B. Author"]

    def get_model_short_description(self) -> str:
        return "A short description"

    def get_model_long_description(self) -> str:
        return "A long description"

    def get_technical_description(self) -> str:
        return "A technical description"

    def get_technical_links(self) -> Dict[str, str]:
        return {"Paper": "https://paper.invalid/abs/1", "Code": "https://code.invalid/"}

    def get_tags(self) -> List[str]:
        return ["filter", "fuzz"]

    def get_model_version(self) -> str:
        return "1.2.3"

    def is_experimental(self) -> bool:
        return True

    def get_citation(self) -> str:
        return "Author, A. (2020)"

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return False

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:
        return []

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return []

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.model(x)


class Halve(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x


class Integrates(nn.Module):
    """A running sum: nothing that came before may be lost, or left over."""

    total: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(2, 1))
        self.gain = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        y = self.total + x.cumsum(dim=1)
        self.total.copy_(y[:, -1:])
        return self.gain * y


class Hosted(ExistingWrapper):
    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [
            ContinuousNeutoneParameter("offset", "one value a block", 0.0, -1.0, 1.0),
            ContinuousNeutoneParameter("hidden", "text", 0.5, used=False),
        ]

    def get_native_sample_rates(self) -> List[int]:
        return [48000, 44100]

    def get_native_buffer_sizes(self) -> List[int]:
        return [64, 128]

    def get_look_behind_samples(self) -> int:
        return 8

    def get_wet_default_value(self) -> float:
        return 1  # 1.x wrappers write whole numbers too; hosts read floats

    def calc_model_delay_samples(self) -> int:
        return 8

    def reset_model(self) -> bool:
        self.model.total.zero_()
        return True

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.model(x[:, :-8]) + params["offset"]


@dataclass(frozen=True)
class Exported:
    """What a host has of a model: the file's bytes."""

    content: bytes

    @functools.cached_property
    def _loaded(self) -> Any:
        return torch.jit.load(io.BytesIO(self.content))

    def load(self) -> Any:
        """Return a copy of what was loaded once and never played: as good as loading again, and much faster."""
        return copy.deepcopy(self._loaded)

    def metadata(self) -> dict[str, Any]:
        extra_files = {"metadata.json": ""}
        torch.jit.load(io.BytesIO(self.content), _extra_files=extra_files)
        loaded: dict[str, Any] = json.loads(extra_files["metadata.json"])
        return loaded


def export(wrapper: WaveformToWaveformBase, tmp_path: Path, **options: Any) -> Exported:
    """Export with everything optional switched off, to a folder that is not there yet."""
    folder = tmp_path / "new" / "folder"
    off: dict[str, Any] = dict.fromkeys(("dump_samples", "submission", "speed_benchmark", "test_offline_mode"), False)
    save_neutone_model(wrapper, folder, **({"max_n_samples": 0} | off | options))
    return Exported((folder / "model.nm").read_bytes())


@functools.cache
def exported(
    make_wrapper: Callable[[nn.Module], WaveformToWaveformBase], make_model: Callable[[], nn.Module] = Halve
) -> Exported:
    """Export once, for tests that differ only in how they play."""
    with tempfile.TemporaryDirectory() as folder:
        return export(make_wrapper(make_model()), Path(folder))


def raises(scripted: bool, kind: type[Exception], message: str) -> Any:
    """In TorchScript all errors are of one type; the text says which."""
    return pytest.raises(torch.jit.Error if scripted else kind, match=message)


def play(script: Any, audio: Tensor, block: int, params: Tensor | None = None, *, rate_hz: int = RATE_HZ) -> Tensor:
    """Play as a host does that knows its rate and block size; ``params`` is ``(4, samples)``."""
    script.set_daw_sample_rate_and_buffer_size(rate_hz, block)
    with torch.no_grad():
        blocks = [
            script(
                audio[:, start : start + block].clone(),
                None if params is None else params[:, start : start + block].clone(),
            )
            for start in range(0, audio.size(1), block)
        ]
    return torch.cat(blocks, dim=1)


def late(audio: Tensor, delay_samples: int) -> Tensor:
    """The same clip, ``delay_samples`` later."""
    return torch.nn.functional.pad(audio, (delay_samples, 0))[:, : audio.size(1)]


def assert_plays(
    script: Any,
    audio: Tensor,
    expected: Tensor,
    *,
    block: int,
    params: Tensor | None = None,
    rate_hz: int = RATE_HZ,
    atol: float = 0.0,
) -> None:
    """``expected`` is what the model should make of ``audio``, before it waits in any queue."""
    actual = play(script, audio, block, params, rate_hz=rate_hz)
    torch.testing.assert_close(actual, late(expected, script.calc_buffering_delay_samples()), rtol=0, atol=atol)


def coarse(audio: Tensor) -> Tensor:
    """Rounded so that its running sums are exact in float32: then block boundaries cannot change them."""
    return (64.0 * audio).round() / 64.0


def hosted(audio: Tensor) -> Tensor:
    """What `Hosted` plays of `coarse` audio with its default parameters."""
    return 0.5 * late(audio, 8).cumsum(dim=1)
