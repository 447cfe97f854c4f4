"""Where the classes of 1.x wrappers are defined, and where and how they are exported, does not matter."""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of

import importlib
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Dict, NoReturn

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import WaveformToWaveformBase
from neutone_sdk.utils import save_neutone_model

from .conftest import Noise
from .helpers_existing import ExistingWrapper, Exported, Halve, assert_plays, export

SOURCE = """
    import sys
    from pathlib import Path
    from typing import Dict, List

    import torch as tr
    import torch.nn as nn
    from torch import Tensor as T

    from neutone_sdk import NeutoneParameter, WaveformToWaveformBase
    from neutone_sdk.utils import save_neutone_model

    def amplify(x: T, gain: float) -> T:
        return gain * x

    class Model(nn.Module):
        def forward(self, x: T) -> T:
            return amplify(x, 0.25)

    class Wrapper(WaveformToWaveformBase):
        def get_model_name(self) -> str:
            return "module"
        def get_model_authors(self) -> List[str]:
            return ["A. Author"]
        def get_model_short_description(self) -> str:
            return "short"
        def get_model_long_description(self) -> str:
            return "long"
        def get_technical_description(self) -> str:
            return "technical"
        def get_tags(self) -> List[str]:
            return ["tag"]
        def get_model_version(self) -> str:
            return "1"
        def is_experimental(self) -> bool:
            return False
        @tr.jit.export
        def is_input_mono(self) -> bool:
            return False
        @tr.jit.export
        def is_output_mono(self) -> bool:
            return False
        @tr.jit.export
        def get_native_sample_rates(self) -> List[int]:
            return []
        @tr.jit.export
        def get_native_buffer_sizes(self) -> List[int]:
            return []
        @tr.no_grad()
        def do_forward_pass(self, x: T, params: Dict[str, T]) -> T:
            return self.model(x)

    if __name__ == "__main__":
        save_neutone_model(Wrapper(Model()), Path(sys.argv[1]) / "model", dump_samples=False, submission=False)
"""


def test_wrapper_class_in_main(tmp_path: Path, noise: Noise) -> None:
    (tmp_path / "train.py").write_text(textwrap.dedent(SOURCE))

    subprocess.run([sys.executable, "train.py", "out"], cwd=tmp_path, check=True)

    audio = noise(2, 512, seed=0)
    exported = Exported((tmp_path / "out" / "model" / "model.nm").read_bytes())
    assert_plays(exported.load(), audio, 0.25 * audio, block=128)


@pytest.mark.parametrize("name", ["export", "model", "forward"])
def test_wrapper_class_in_a_module_with_a_name_that_torch_uses(
    name: str, tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(SOURCE))
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module(name)
    monkeypatch.delitem(sys.modules, name)
    audio = noise(2, 512, seed=0)

    assert_plays(export(module.Wrapper(module.Model()), tmp_path).load(), audio, 0.25 * audio, block=128)


def make_wrapper(gain: float) -> WaveformToWaveformBase:
    def amplify(x: Tensor, by: float) -> Tensor:
        return by * x

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = gain

        def forward(self, x: Tensor) -> Tensor:
            return amplify(x, self.gain)

    class Wrapper(ExistingWrapper):
        def get_model_name(self) -> str:
            return f"gain of {gain}"

        @torch.no_grad()
        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return amplify(self.model(x), -2.0)

    return Wrapper(Model())


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_class_nested_in_a_function_uses_what_is_local_there(gain: float, tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 512, seed=0)
    exported = export(make_wrapper(gain), tmp_path)

    assert_plays(exported.load(), audio, -2.0 * gain * audio, block=128)
    assert exported.metadata()["model_name"] == f"gain of {gain}"


def test_unreachable_links_are_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_args: object, **_kwargs: object) -> NoReturn:
        msg = "export and load must not use the network"
        raise AssertionError(msg)

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)

    exported = export(ExistingWrapper(Halve()), tmp_path, submission=True)

    assert exported.metadata()["technical_links"]["Paper"] == "https://paper.invalid/abs/1"


@pytest.mark.parametrize("folder", [".", "new", "new/folder/inside"])
def test_with_everything_off_the_model_is_written_all_the_same(folder: str, tmp_path: Path) -> None:
    save_neutone_model(
        ExistingWrapper(Halve()),
        tmp_path / folder,
        dump_samples=False,
        submission=False,
        audio_sample_pairs=None,
        max_n_samples=0,
        freeze=False,
        optimize=False,
        speed_benchmark=False,
        test_offline_mode=False,
    )

    assert sorted(path.name for path in (tmp_path / folder).iterdir()) == ["metadata.json", "model.nm"]


class Trained(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor([[0.5], [0.25]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x


def test_nothing_in_the_file_asks_for_gradients(tmp_path: Path, noise: Noise) -> None:
    script = export(ExistingWrapper(Trained()), tmp_path).load()
    script.set_daw_sample_rate_and_buffer_size(48000, 64)

    output = script(noise(2, 64, seed=0))  # by a host that does not know of no_grad

    assert not output.requires_grad
    assert [name for name, parameter in script.named_parameters() if parameter.requires_grad] == []


def test_a_model_exports_twice_and_plays_on_in_python(tmp_path: Path, noise: Noise) -> None:
    wrapper = ExistingWrapper(Trained())
    audio = noise(2, 512, seed=0)
    expected = torch.tensor([[0.5], [0.25]]) * audio

    export(wrapper, tmp_path / "first")
    second = export(wrapper, tmp_path / "second")

    assert_plays(second.load(), audio, expected, block=128)
    torch.testing.assert_close(wrapper(audio), expected, rtol=0, atol=0)
    assert all(parameter.requires_grad for parameter in wrapper.parameters())


def test_export_leaves_the_random_generator_alone(tmp_path: Path) -> None:
    state = torch.get_rng_state()

    export(ExistingWrapper(Halve()), tmp_path, test_offline_mode=True)

    assert torch.equal(torch.get_rng_state(), state)
