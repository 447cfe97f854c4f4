"""What hosts of the 1.x SDK do with an exported file goes on working."""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of
# What a wrapper calls self.model is any module.
# mypy: disable-error-code="arg-type, operator"

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, SampleQueueWrapper
from neutone_sdk.utils import save_neutone_model

from .conftest import Noise
from .helpers_existing import (
    RATE_HZ,
    ExistingWrapper,
    Hosted,
    Integrates,
    assert_plays,
    coarse,
    exported,
    hosted,
    play,
)

HOST_BLOCKS = [
    pytest.param(64, id="as long as the model's"),
    pytest.param(256, id="several of the model's"),
    pytest.param(48, id="across the model's"),
]
LENGTH = 2 * 768  # whole blocks of every host
ROUNDING = 1e-6  # of a mean, and of the products and sums that map it to its range, in float32


@pytest.fixture
def script() -> Any:
    return exported(Hosted, Integrates).load()


@pytest.mark.parametrize("settings", [(44100, 48), (44100, 48, None, None), (44100, 48, 44100, 128)])
def test_rate_and_size_are_set_with_two_or_four_arguments(settings: tuple[Any, ...], script: Any, noise: Noise) -> None:
    audio = coarse(noise(2, LENGTH, seed=0))

    room = script.set_daw_sample_rate_and_buffer_size(*settings)

    with torch.no_grad():
        outputs = torch.cat([script(block) for block in audio.split(48, dim=1)], dim=1)
    delay = script.calc_buffering_delay_samples()
    assert isinstance(room, int)
    assert delay == (112 if settings[-1] == 128 else 48)
    assert torch.equal(outputs[:, delay:], hosted(audio)[:, : LENGTH - delay])


@pytest.mark.parametrize(
    "call",
    [
        lambda script, x: script(x),
        lambda script, x: script(x, None),
        lambda script, x: script.forward(x, None),
        lambda script, x: script.forward(x, params=None),
        lambda script, x: script(x, script.get_default_param_values().repeat(1, 64)),
    ],
    ids=["x", "x, None", "forward", "params=None", "defaults as curves"],
)
def test_without_parameters_the_defaults_are_played(
    call: Callable[[Any, Tensor], Tensor], script: Any, noise: Noise
) -> None:
    audio = coarse(noise(2, LENGTH, seed=0))
    script.set_daw_sample_rate_and_buffer_size(RATE_HZ, 64)

    with torch.no_grad():
        output = torch.cat([call(script, block) for block in audio.split(64, dim=1)], dim=1)

    assert torch.equal(output, hosted(audio))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_output_has_the_channels_that_the_host_sent(channels: int, block: int, script: Any, noise: Noise) -> None:
    audio = coarse(noise(2, LENGTH, seed=0))[:channels]

    assert_plays(script, audio, hosted(audio), block=block)


class ReturnsItsInput(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class ReturnsItsBuffer(nn.Module):
    out: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("out", torch.zeros(2, 64))

    def forward(self, x: Tensor) -> Tensor:
        self.out.copy_(x)
        x.zero_()
        return self.out


class Blocks(ExistingWrapper):
    def get_native_buffer_sizes(self) -> List[int]:
        return [64]

    def get_neutone_parameters(self) -> List[NeutoneParameter]:
        return [ContinuousNeutoneParameter("unused", "text", 0.5)]

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params.fill_(7.0)


@pytest.mark.parametrize("make_model", [ReturnsItsInput, ReturnsItsBuffer])
@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_host_refills_its_buffers_and_keeps_results(
    block: int, make_model: Callable[[], nn.Module], noise: Noise
) -> None:
    script = exported(Blocks, make_model).load()
    script.set_daw_sample_rate_and_buffer_size(RATE_HZ, block)
    audio, knobs = noise(2, LENGTH, seed=0), noise(4, LENGTH, seed=1)
    buffer, params = torch.zeros(2, block), torch.zeros(4, block)

    kept = []
    host_was_written = False
    with torch.no_grad():
        for start in range(0, LENGTH, block):
            buffer.copy_(audio[:, start : start + block])
            params.copy_(knobs[:, start : start + block])
            kept.append(script(buffer, params))
            host_was_written |= not torch.equal(buffer, audio[:, start : start + block])
            host_was_written |= not torch.equal(params, knobs[:, start : start + block])

    delay = script.calc_buffering_delay_samples()
    assert not host_was_written
    assert torch.equal(torch.cat(kept, dim=1)[:, delay:], audio[:, : LENGTH - delay])


def test_host_writes_into_the_results_it_keeps(script: Any, noise: Noise) -> None:
    """They are the caller's: what happens to them must not come back."""
    audio = coarse(noise(2, LENGTH, seed=0))
    script.set_daw_sample_rate_and_buffer_size(RATE_HZ, 48)

    outputs = []
    with torch.no_grad():
        for block in audio.split(48, dim=1):
            output = script(block)
            outputs.append(output.clone())
            output.fill_(torch.nan)

    delay = script.calc_buffering_delay_samples()
    assert torch.equal(torch.cat(outputs, dim=1)[:, delay:], hosted(audio)[:, : LENGTH - delay])


@pytest.mark.parametrize("of", [lambda script: script, lambda script: script.w2w_base], ids=["script", "w2w_base"])
def test_host_writes_into_the_default_values_it_asked_for(of: Callable[[Any], Any], script: Any, noise: Noise) -> None:
    audio = coarse(noise(2, LENGTH, seed=0))

    of(script).get_default_param_values().fill_(1.0)

    assert_plays(script, audio, hosted(audio), block=64)


@pytest.mark.parametrize("make_model", [ReturnsItsInput, ReturnsItsBuffer])
def test_model_itself_does_not_write_into_what_the_host_hands_in(
    make_model: Callable[[], nn.Module], noise: Noise
) -> None:
    model = exported(Blocks, make_model).load().w2w_base
    buffer, params = noise(2, 64, seed=0), noise(4, 64, seed=1)
    first, knobs = buffer.clone(), params.clone()

    with torch.no_grad():
        output = model(buffer, params)

    assert torch.equal(buffer, first)
    assert torch.equal(params, knobs)
    buffer.fill_(torch.nan)
    assert torch.equal(output, first)


@pytest.mark.parametrize("block", HOST_BLOCKS)
def test_render_after_reset_is_identical(block: int, script: Any, noise: Noise) -> None:
    audio, knobs = coarse(noise(2, LENGTH, seed=0)), 0.5 + 0.5 * noise(4, LENGTH, seed=1)

    first = play(script, audio, block, knobs)
    with torch.no_grad():
        for start in range(0, 5 * block, block):  # ends in the middle of a block of the model
            script(audio[:, start : start + block], knobs[:, start : start + block])
    script.reset()
    with torch.no_grad():
        blocks = zip(audio.split(block, dim=1), knobs.split(block, dim=1), strict=True)
        second = torch.cat([script(block, params) for block, params in blocks], dim=1)

    assert torch.equal(second, first)


GRAD_MODES = [
    pytest.param(torch.enable_grad, id="grad"),
    pytest.param(torch.no_grad, id="no_grad"),
    pytest.param(torch.inference_mode, id="inference_mode"),
]
GradMode = Callable[[], AbstractContextManager[Any]]


@pytest.mark.parametrize("block", [64, 48])
@pytest.mark.parametrize("running", GRAD_MODES)
@pytest.mark.parametrize("loading", GRAD_MODES)
def test_model_loaded_in_one_mode_runs_in_another(
    loading: GradMode, running: GradMode, block: int, noise: Noise
) -> None:
    audio = noise(2, LENGTH, seed=0)
    content = exported(LooksBack).content
    with loading():
        script = torch.jit.load(io.BytesIO(content))
        script.set_daw_sample_rate_and_buffer_size(RATE_HZ, block)
        script.reset()

    with running():
        outputs = [script(block) for block in audio.split(block, dim=1)]

    delay = script.calc_buffering_delay_samples()
    expected = 0.5 * nn.functional.pad(audio, (8, 0))[:, :LENGTH]
    assert torch.equal(torch.cat(outputs, dim=1)[:, delay:], expected[:, : LENGTH - delay])
    assert not any(output.requires_grad for output in outputs)


class LooksBack(ExistingWrapper):
    """State of the SDK's own: the queues and the look-behind."""

    def get_native_buffer_sizes(self) -> List[int]:
        return [64]

    def get_look_behind_samples(self) -> int:
        return 8

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.model(x[:, :-8])


@pytest.mark.parametrize("running", GRAD_MODES)
def test_threads_that_alternate_between_modes_play_one_stream(running: GradMode, script: Any, noise: Noise) -> None:
    """A thread starts with gradients on, whatever the thread that started it has switched off."""
    audio = coarse(noise(2, LENGTH, seed=0))
    script.set_daw_sample_rate_and_buffer_size(RATE_HZ, 48)

    def run(block: Tensor) -> Tensor:
        with running():
            output: Tensor = script(block)
            return output

    outputs = []
    with torch.no_grad(), ThreadPoolExecutor(max_workers=1) as worker:
        for index, block in enumerate(audio.split(48, dim=1)):
            outputs.append(script(block) if index % 2 else worker.submit(run, block).result())

    delay = script.calc_buffering_delay_samples()
    assert torch.equal(torch.cat(outputs, dim=1)[:, delay:], hosted(audio)[:, : LENGTH - delay])


def test_copies_from_one_file_in_memory_play_on_threads(noise: Noise) -> None:
    file = io.BytesIO(exported(Hosted, Integrates).content)
    copies = []
    for _ in range(4):
        file.seek(0)
        copies.append(torch.jit.load(file))
    clips = [coarse(noise(2, LENGTH, seed=seed)) for seed in range(4)]
    blocks = [16, 48, 64, 128]

    with ThreadPoolExecutor(max_workers=4) as workers:
        outputs = list(workers.map(play, copies, clips, blocks))

    delays = [copy.calc_buffering_delay_samples() for copy in copies]
    assert delays == [48, 48, 0, 0]
    for output, audio, delay in zip(outputs, clips, delays, strict=True):
        assert torch.equal(output[:, delay:], hosted(audio)[:, : LENGTH - delay])


class Prepares(Hosted):
    """Plays at full volume once it is prepared."""

    def prepare_for_inference(self) -> None:
        super().prepare_for_inference()
        self.model.gain.data.fill_(1.0)


def test_host_prepares_what_it_has_in_python_for_inference(noise: Noise) -> None:
    audio = coarse(noise(2, LENGTH, seed=0))
    queue = SampleQueueWrapper(Prepares(Integrates()), daw_bs=48)
    assert_plays(queue, audio, hosted(audio), block=48)

    queue.prepare_for_inference()

    assert not queue.training
    assert_plays(queue, audio, 2.0 * hosted(audio), block=48)


def test_file_is_loaded_by_its_path(tmp_path: Path, noise: Noise) -> None:
    save_neutone_model(Hosted(Integrates()), tmp_path / "new", max_n_samples=0)
    extra_files = {"metadata.json": ""}

    script = torch.jit.load(str(tmp_path / "new" / "model.nm"), map_location="cpu", _extra_files=extra_files)

    assert json.loads(extra_files["metadata.json"])["model_name"] == "existing"
    audio = coarse(noise(2, LENGTH, seed=0))
    assert_plays(script, audio, hosted(audio), block=48)
