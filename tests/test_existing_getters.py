"""Getters of 1.x wrappers: with and without export, reading the wrapped model and attributes that are set late."""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of
# What a wrapper calls self.model is any module.
# mypy: disable-error-code="operator"

from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import NeutoneParameter, WaveformToWaveformBase

from .conftest import Noise
from .helpers_existing import ExistingWrapper, Halve, assert_plays, export

ROUNDING = 4e-6  # of sums up to 13 in float32, in another order


def test_getters_without_export_are_asked_in_python(tmp_path: Path, noise: Noise) -> None:
    class PlainGetters(ExistingWrapper):
        def get_model_name(self) -> str:
            return "-".join(reversed(["name", "my"]))  # no TorchScript: that list is reversed in place

        def is_input_mono(self) -> bool:
            return True

        def is_output_mono(self) -> bool:
            return True

        def get_native_sample_rates(self) -> List[int]:
            return [*range(44100, 48001, 3900)]  # no TorchScript either

        def get_native_buffer_sizes(self) -> List[int]:
            return [2**power for power in range(5, 8)]

        def get_wet_default_value(self) -> float:
            return 0.75

        def get_dry_default_value(self) -> float:
            return 0.25

        def get_input_gain_default_value(self) -> float:
            return 0.625

        def get_output_gain_default_value(self) -> float:
            return 0.375

    exported = export(PlainGetters(Halve()), tmp_path)

    metadata = exported.metadata()
    assert metadata["model_name"] == "my-name"
    assert metadata["model_type"] == "mono-mono"
    assert (metadata["native_sample_rates"], metadata["native_buffer_sizes"]) == ([44100, 48000], [32, 64, 128])
    assert (metadata["wet_default_value"], metadata["dry_default_value"]) == (0.75, 0.25)
    assert (metadata["input_gain_default_value"], metadata["output_gain_default_value"]) == (0.625, 0.375)
    audio = noise(1, 1024, seed=0)
    assert_plays(exported.load(), audio, 0.5 * audio, block=128)


class ExportedMethods(WaveformToWaveformBase):
    @torch.jit.export
    def get_model_name(self) -> str:
        return "exported"

    @torch.jit.export
    def get_model_authors(self) -> List[str]:
        return ["A. Author"]

    @torch.jit.export
    def get_model_short_description(self) -> str:
        return "short"

    @torch.jit.export
    def get_model_long_description(self) -> str:
        return "long"

    @torch.jit.export
    def get_technical_description(self) -> str:
        return "technical"

    @torch.jit.export
    def get_technical_links(self) -> Dict[str, str]:
        return {"Code": "https://code.invalid/"}

    @torch.jit.export
    def get_tags(self) -> List[str]:
        return ["tag"]

    @torch.jit.export
    def get_model_version(self) -> str:
        return "3"

    @torch.jit.export
    def is_experimental(self) -> bool:
        return False

    @torch.jit.export
    def get_citation(self) -> str:
        return "cite"

    @torch.jit.export
    def get_look_behind_samples(self) -> int:
        return 16

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return True

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:
        return [48000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return [64]

    @torch.jit.export
    def get_wet_default_value(self) -> float:
        return 0.9

    @torch.jit.export
    def get_dry_default_value(self) -> float:
        return 0.1

    @torch.jit.export
    def get_input_gain_default_value(self) -> float:
        return 0.6

    @torch.jit.export
    def get_output_gain_default_value(self) -> float:
        return 0.4

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return 16

    @torch.jit.export
    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        return True

    @torch.jit.export
    def reset_model(self) -> bool:
        return True

    @torch.jit.export
    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    @torch.jit.export
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return torch.cat([x[:, :-16], -x[:, :-16]])


def test_every_method_may_carry_export(tmp_path: Path, noise: Noise) -> None:
    exported = export(ExportedMethods(Halve()), tmp_path)

    script = exported.load()
    audio = noise(2, 640, seed=0)
    delayed = torch.nn.functional.pad(audio.mean(dim=0), (16, 0))[:640]
    assert_plays(script, audio, torch.stack([delayed, -delayed]), block=64)
    assert script.calc_model_delay_samples() == 16
    assert (exported.metadata()["model_type"], exported.metadata()["look_behind_samples"]) == ("mono-stereo", 16)


class Rated(nn.Module):
    """Carries what getters ask it for."""

    def __init__(self, name: str, sample_rate: int, has_mix: bool) -> None:
        super().__init__()
        self.name = name
        self.sample_rate = sample_rate
        self.has_mix = has_mix

    def forward(self, x: Tensor) -> Tensor:
        return 0.25 * x


@pytest.mark.parametrize("has_mix", [False, True], ids=["gain", "mix"])
def test_getters_read_the_wrapped_model(has_mix: bool, tmp_path: Path, noise: Noise) -> None:
    class ReadsModel(ExistingWrapper):
        def get_model_name(self) -> str:
            return f"{self.model.name} at {self.model.sample_rate}"

        def get_native_sample_rates(self) -> List[int]:
            rate: int = self.model.sample_rate  # type: ignore[assignment]
            return [rate]

        def get_neutone_parameters(self) -> List[NeutoneParameter]:
            return [NeutoneParameter("mix" if self.model.has_mix else "gain", "which one depends on the model", 0.5)]

        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            if self.model.has_mix:
                return self.model(x) + params["mix"]
            return self.model(x) * params["gain"]

    exported = export(ReadsModel(Rated("rated", 32000, has_mix)), tmp_path)

    metadata = exported.metadata()
    assert metadata["model_name"] == "rated at 32000"
    assert metadata["native_sample_rates"] == [32000]
    assert metadata["neutone_parameters"]["p1"]["name"] == ("mix" if has_mix else "gain")
    audio = noise(2, 512, seed=0)
    expected = 0.25 * audio + 0.5 if has_mix else 0.25 * audio * 0.5
    assert_plays(exported.load(), audio, expected, block=128, rate_hz=32000)


def test_getters_read_attributes_set_after_the_base_constructor(tmp_path: Path, noise: Noise) -> None:
    class LateAttributes(ExistingWrapper):
        def __init__(self, model: nn.Module, *args: Any, **kwargs: Any) -> None:
            super().__init__(model, *args, **kwargs)
            self.post_gain = nn.Parameter(torch.full((2, 1), 3.0))
            self.is_mono = True
            self.sizes = [96]
            self.rates = [24000]
            self.title = "late"
            self.delay = 7
            self.look_behind = 3
            self.register_buffer("offset", torch.tensor(0.125))

        def get_model_name(self) -> str:
            return self.title

        def is_input_mono(self) -> bool:
            return self.is_mono

        @torch.jit.export
        def get_native_buffer_sizes(self) -> List[int]:
            return self.sizes

        def get_native_sample_rates(self) -> List[int]:
            return self.rates

        def get_look_behind_samples(self) -> int:
            return self.look_behind

        @torch.jit.export
        def calc_model_delay_samples(self) -> int:
            return self.delay

        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return self.model(x[:, 3:]) * self.post_gain + self.offset

    exported = export(LateAttributes(Halve(), True), tmp_path)

    script = exported.load()
    metadata = exported.metadata()
    assert (metadata["model_name"], metadata["model_type"]) == ("late", "mono-stereo")
    assert (metadata["native_sample_rates"], metadata["native_buffer_sizes"]) == ([24000], [96])
    assert metadata["look_behind_samples"] == 3
    assert script.calc_model_delay_samples() == 7
    audio = noise(1, 960, seed=0).repeat(2, 1)
    assert_plays(script, audio, 0.5 * audio * 3.0 + 0.125, block=96, rate_hz=24000)


NAMES = [
    *("audio", "buffer", "cursors", "daw_bs", "daw_sr", "default_params", "delay_samples", "facts", "has_facts"),
    *(
        "history",
        "in_n_ch",
        "is_direct",
        "is_fixed",
        "look_behind",
        "metadata",
        "metadata_json",
        "model_bs",
        "model_sr",
    ),
    *("n_params", "n_pending", "name", "out_n_ch", "param_ranges", "params", "past", "past_audio", "past_params"),
    *("preserved_attributes", "queue", "running", "samples", "state", "values", "version", "w2w_base"),
]


class NamesThingsAsItLikes(ExistingWrapper):
    """A number under each of many names that someone may choose, and a tensor under one of them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        for number, name in enumerate(NAMES):
            setattr(self, name, number + 0.5)
        self.register_buffer("phase", torch.ones(3))

    def get_look_behind_samples(self) -> int:
        return 4

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.model(x[:, 4:]) + self.history + self.phase.sum()


def test_attributes_of_a_wrapper_may_have_any_name(tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 640, seed=0)
    wrapper = NamesThingsAsItLikes(Halve())

    script = export(wrapper, tmp_path).load()

    assert_plays(script, audio, 0.5 * audio + NAMES.index("history") + 0.5 + 3.0, block=64, atol=ROUNDING)
    assert [getattr(wrapper, name) for name in NAMES] == [number + 0.5 for number in range(len(NAMES))]
