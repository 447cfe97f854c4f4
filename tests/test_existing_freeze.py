"""Plain, frozen or optimised: hosts find what they want, and it plays the same."""

# ruff: noqa: UP006, UP035 -- 1.x hosts in Python have such code
# mypy: disable-error-code="arg-type"

from collections.abc import Callable
from typing import Dict

import pytest
import torch

from .conftest import Noise
from .helpers_existing import Exported, Hosted, Integrates, assert_plays, coarse, export, hosted

HOST_BLOCKS = [
    pytest.param(64, id="as long as the model's"),
    pytest.param(256, id="several of the model's"),
    pytest.param(48, id="across the model's"),
]
LENGTH = 2 * 768  # whole blocks of every host
ROUNDING = 1e-6  # of a mean, and of the products and sums that map it to its range, in float32

MODES = [
    pytest.param({}, id="plain"),
    pytest.param({"freeze": True}, id="frozen"),
    pytest.param({"optimize": True}, id="optimised"),
]
WANTED = [
    "forward",
    "forward_bt",
    "forward_offline",
    "set_daw_sample_rate_and_buffer_size",
    "reset",
    "calc_buffering_delay_samples",
    "calc_model_delay_samples",
    "is_resampling",
    "is_input_mono",
    "is_output_mono",
    "get_native_sample_rates",
    "get_native_buffer_sizes",
    "get_default_param_values",
    "get_wet_default_value",
    "get_dry_default_value",
    "get_input_gain_default_value",
    "get_output_gain_default_value",
    "get_metadata_json",
    "get_preserved_attributes",
    "to_metadata",
    "w2w_base",
    "realtime",
]
WANTED_OF_BASE = [
    "forward",
    "reset",
    "set_sample_rate_and_buffer_size",
    "set_daw_sample_rate_and_buffer_size",
    "calc_model_delay_samples",
    "is_resampling",
    "is_input_mono",
    "is_output_mono",
    "get_native_sample_rates",
    "get_native_buffer_sizes",
    "get_look_behind_samples",
    "get_preserved_attributes",
    "get_metadata_json",
    "get_default_param_values",
    "get_default_param_names",
    "get_default_param_descriptions",
    "get_default_param_types",
    "get_default_param_used",
    "to_metadata",
    "realtime",
]


@pytest.fixture(scope="module")
def by_mode(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Dict[str, bool]], Exported]:
    """Export each mode once."""
    made: Dict[str, Exported] = {}

    def make(mode: Dict[str, bool]) -> Exported:
        name = "-".join(mode) or "plain"
        if name not in made:
            made[name] = export(Hosted(Integrates()), tmp_path_factory.mktemp(name), **mode)
        return made[name]

    return make


ByMode = Callable[[Dict[str, bool]], Exported]


@pytest.mark.parametrize("mode", MODES)
def test_every_preserved_attribute_is_there(mode: Dict[str, bool], by_mode: ByMode) -> None:
    loaded = by_mode(mode).load()

    missing = [name for name in loaded.get_preserved_attributes() if not hasattr(loaded, name)]
    missing_of_base = [
        name for name in loaded.w2w_base.get_preserved_attributes() if not hasattr(loaded.w2w_base, name)
    ]
    assert (missing, missing_of_base) == ([], [])


@pytest.mark.parametrize("mode", MODES)
def test_host_finds_what_it_wants(mode: Dict[str, bool], by_mode: ByMode) -> None:
    loaded = by_mode(mode).load()

    missing = [name for name in WANTED if not hasattr(loaded, name)]
    missing_of_base = [name for name in WANTED_OF_BASE if not hasattr(loaded.w2w_base, name)]
    assert (missing, missing_of_base) == ([], [])


@pytest.mark.parametrize("block", HOST_BLOCKS)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_plays_the_same(mode: Dict[str, bool], block: int, by_mode: ByMode, noise: Noise) -> None:
    audio = coarse(noise(2, LENGTH, seed=0))

    assert_plays(by_mode(mode).load(), audio, hosted(audio), block=block)


@pytest.mark.parametrize("mode", MODES)
def test_host_drives_the_model_itself(mode: Dict[str, bool], by_mode: ByMode, noise: Noise) -> None:
    """As a host does that has its own queues; it refills one buffer and one block of parameters."""
    model = by_mode(mode).load().w2w_base
    size = model.get_native_buffer_sizes()[0]
    channels = 1 if model.is_input_mono() else 2
    model.set_sample_rate_and_buffer_size(model.get_native_sample_rates()[0], size)
    model.reset()
    audio, knobs = coarse(noise(2, LENGTH, seed=0)), 0.5 + 0.5 * noise(4, LENGTH, seed=1)
    buffer, params = torch.zeros(channels, size), torch.zeros(4, size)

    outputs = []
    with torch.no_grad():
        for start in range(0, LENGTH, size):
            buffer.copy_(audio[:, start : start + size])
            params.copy_(knobs[:, start : start + size])
            outputs.append(model.forward(buffer, params).clone())

    means = knobs[0].view(-1, size).double().mean(dim=1).float().repeat_interleave(size)
    assert (model.get_look_behind_samples(), model.is_output_mono(), model.is_resampling()) == (8, False, False)
    expected = hosted(audio) + 2.0 * means - 1.0
    torch.testing.assert_close(torch.cat(outputs, dim=1), expected, rtol=0, atol=64 * ROUNDING)  # sums up to 64


@pytest.mark.parametrize("mode", MODES)
def test_model_itself_renders_the_same_after_a_reset(mode: Dict[str, bool], by_mode: ByMode, noise: Noise) -> None:
    model = by_mode(mode).load().w2w_base
    model.set_daw_sample_rate_and_buffer_size(48000, 64)
    audio = coarse(noise(2, LENGTH, seed=0))

    with torch.no_grad():
        first = [model(block, None) for block in audio.split(64, dim=1)]
        could_reset = model.reset()
        second = [model(block, None) for block in audio.split(64, dim=1)]

    assert could_reset is True
    assert torch.equal(torch.cat(first, dim=1), hosted(audio))
    assert torch.equal(torch.cat(second, dim=1), hosted(audio))
