"""What an exported file says of its model: to hosts that read its metadata, and to hosts that ask the script."""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of
# What a wrapper calls self.model is any module.
# mypy: disable-error-code="arg-type"

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from torch import nn

from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, __version__
from neutone_sdk.utils import model_to_torchscript

from .helpers_existing import RATE_HZ, ExistingWrapper, Halve, Hosted, Integrates, export, exported


@pytest.fixture
def script() -> Any:
    return exported(Hosted, Integrates).load()


EXPECTED_METADATA = {
    "model_name": "existing",
    "model_authors": ["A. Author", "B. Author"],
    "model_version": "1.2.3",
    "model_short_description": "A short description",
    "model_long_description": "A long description",
    "technical_description": "A technical description",
    "technical_links": {"Paper": "https://paper.invalid/abs/1", "Code": "https://code.invalid/"},
    "tags": ["filter", "fuzz"],
    "citation": "Author, A. (2020)",
    "is_experimental": True,
    "neutone_parameters": {
        "p1": {
            "name": "offset",
            "description": "one value a block",
            "default_value": 0.0,
            "used": True,
            "type": "continuous",
            "min_value": -1.0,
            "max_value": 1.0,
        },
        "p2": {
            "name": "hidden",
            "description": "text",
            "default_value": 0.5,
            "used": False,
            "type": "continuous",
            "min_value": 0.0,
            "max_value": 1.0,
        },
    },
    "wet_default_value": 1.0,
    "dry_default_value": 0.0,
    "input_gain_default_value": 0.5,
    "output_gain_default_value": 0.5,
    "is_input_mono": False,
    "is_output_mono": False,
    "model_type": "stereo-stereo",
    "native_sample_rates": [48000, 44100],
    "native_buffer_sizes": [64, 128],
    "look_behind_samples": 8,
    "look_ahead_samples": 0,
    "sample_sound_files": [],
    "sdk_version": __version__,
    "pytorch_version": torch.__version__,
}


def as_json(value: object) -> str:
    """Unlike ==, tells True from 1 and 1.0."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("key", EXPECTED_METADATA)
def test_metadata_says_what_the_wrapper_says(key: str) -> None:
    metadata = exported(Hosted, Integrates).metadata()

    assert as_json(metadata[key]) == as_json(EXPECTED_METADATA[key])


def test_metadata_has_the_time_of_creation(tmp_path: Path) -> None:
    before = time.time()
    wrapper = Hosted(Integrates())
    after = time.time()

    date_created = export(wrapper, tmp_path).metadata()["date_created"]

    assert before <= date_created <= after


def test_metadata_comes_as_bytes_with_the_model() -> None:
    extra_files: Dict[str, Any] = {"metadata.json": ""}

    torch.jit.load(io.BytesIO(exported(Hosted, Integrates).content), _extra_files=extra_files)

    assert isinstance(extra_files["metadata.json"], bytes)
    assert json.loads(extra_files["metadata.json"])["model_name"] == "existing"


def test_metadata_beside_the_model_is_the_same_as_inside(tmp_path: Path) -> None:
    inside = export(Hosted(Integrates()), tmp_path).metadata()

    beside = json.loads((tmp_path / "new" / "folder" / "metadata.json").read_text())

    assert beside == inside


@pytest.mark.parametrize("of", [lambda script: script, lambda script: script.w2w_base], ids=["script", "w2w_base"])
def test_script_says_the_same_as_the_file(of: Callable[[Any], Any], script: Any) -> None:
    in_file = exported(Hosted, Integrates).metadata()

    of_script = of(script).to_metadata()

    assert as_json(json.loads(of(script).get_metadata_json())) == as_json(of_script)
    assert as_json({key: in_file[key] for key in of_script}) == as_json(of_script)
    assert set(EXPECTED_METADATA) - set(of_script) == {"sample_sound_files"}


def test_wrapper_in_python_says_the_same_as_the_file() -> None:
    wrapper = Hosted(Integrates())

    of_wrapper = {key: value for key, value in wrapper.to_metadata().items() if key != "date_created"}

    assert as_json(of_wrapper) == as_json({key: EXPECTED_METADATA[key] for key in of_wrapper})
    assert json.loads(wrapper.get_metadata_json())["model_name"] == "existing"


def test_answers_of_the_script_are_plain(script: Any) -> None:
    assert script.realtime is True
    assert script.w2w_base.realtime is True
    assert script.is_input_mono() is False
    assert script.is_output_mono() is False
    assert script.is_resampling() is False
    assert script.get_native_sample_rates() == [48000, 44100]
    assert script.get_native_buffer_sizes() == [64, 128]
    assert as_json(script.get_wet_default_value()) == "1.0"
    assert as_json(script.get_dry_default_value()) == "0.0"
    assert (script.get_input_gain_default_value(), script.get_output_gain_default_value()) == (0.5, 0.5)


def test_answers_about_parameters_are_plain(script: Any) -> None:
    assert script.w2w_base.get_default_param_names() == ["offset", "hidden"]
    assert script.w2w_base.get_default_param_descriptions() == ["one value a block", "text"]
    assert script.w2w_base.get_default_param_types() == ["continuous", "continuous"]
    assert script.w2w_base.get_default_param_used() == [True, False]


class Knobs(ExistingWrapper):
    def __init__(self, model: nn.Module, count: int) -> None:
        self.__dict__["count"] = count  # before the base's constructor, which asks for the parameters
        super().__init__(model)

    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [ContinuousNeutoneParameter(f"p{i}", "text", i + 1.0, 0.0, 8.0) for i in range(self.count)]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_default_values_are_four_whatever_the_number_of_parameters(count: int, tmp_path: Path) -> None:
    script = export(Knobs(Halve(), count), tmp_path).load()
    expected = torch.tensor([0.125, 0.25, 0.375, 0.5])
    expected[count:] = 0.0

    assert script.get_default_param_values().shape == (4, 1)
    assert torch.equal(script.get_default_param_values().reshape(-1), expected)
    assert torch.equal(script.w2w_base.get_default_param_values().reshape(-1), expected)


@pytest.mark.parametrize(("host_block", "buffering"), [(64, 0), (128, 0), (192, 64), (48, 48), (100, 124)])
def test_delays_are_plain_numbers(host_block: int, buffering: int, script: Any) -> None:
    """The model's block is 64, or 128 where that fits better; the delay is that less their greatest common divisor."""
    script.set_daw_sample_rate_and_buffer_size(RATE_HZ, host_block)

    delays = (script.calc_buffering_delay_samples(), script.calc_model_delay_samples())

    assert as_json(delays) == as_json((buffering, 8))


def test_wrapper_scripted_without_a_queue_has_what_it_says_it_has() -> None:
    alone = model_to_torchscript(Hosted(Integrates()))

    assert [name for name in alone.get_preserved_attributes() if not hasattr(alone, name)] == []
    assert as_json(alone.to_metadata()["neutone_parameters"]) == as_json(EXPECTED_METADATA["neutone_parameters"])
