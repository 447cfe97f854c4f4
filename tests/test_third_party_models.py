"""Models of other people's layers, wrapped as they are: built with PyPI's ``cached-conv``, or traced."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.checks import CHECKS, Status, Subject, run_checks
from neutone_sdk.errors import ScriptingError
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .blocks import assert_close, audio
from .rave_shaped import RATIO, RaveShaped, rave_shaped
from .wrappers import card

BLOCK = 16 * RATIO


class Wrapped(WaveformToWaveformBase):
    """Says of a model what it does not say itself: its blocks, its delay, and how to forget."""

    card = card(is_input_mono=True, is_output_mono=True, native_sample_rates=[48_000], native_buffer_sizes=[BLOCK])

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.late = int(getattr(model, "cumulative_delay", 0))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)

    def calc_model_delay_samples(self) -> int:
        return self.late

    def reset_model(self) -> bool:
        for module in self.model.modules():
            for name, buffer in module.named_buffers():
                if name == "pad" or name == "cache":  # noqa: PLR1714  # TorchScript compares one with one
                    buffer.zero_()
        return True


def played(model: Any, x: Tensor, host_block: int, rate_hz: int = 48_000) -> Tensor:
    """Return the stream from its first sample on, the delay taken out."""
    model.set_daw_sample_rate_and_buffer_size(rate_hz, host_block)
    model.reset()
    late = model.calc_buffering_delay_samples() + model.calc_model_delay_samples()
    n_samples = x.size(1) // host_block * host_block
    with torch.no_grad():
        return torch.cat([model(part) for part in x[:, :n_samples].split(host_block, dim=1)], dim=1)[:, late:]


def exported(model: Any, folder: Path) -> Path:
    save_neutone_model(Wrapped(model), folder, audio_sample_pairs=[], speed_benchmark=False)
    return folder / "model.nm"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(rave_shaped(), tmp_path_factory.mktemp("exported"))


def test_a_model_of_cached_conv_plays_its_clip_as_late_as_its_layers_say(file: Path) -> None:
    clip = audio(1, 12 * BLOCK)
    with torch.no_grad():
        expected = rave_shaped(cached=False)(clip[None])[0]

    stream = played(load_neutone_model(file)[0], clip, host_block=64)

    edge = 8 * RATIO  # there a clip is padded inside of the model, where a stream goes on
    torch.testing.assert_close(stream[:, edge:], expected[:, edge : stream.size(1)], rtol=0, atol=1e-5)
    assert expected.std() > 0.1


def test_it_passes_every_check(file: Path) -> None:
    quick = [check for check in CHECKS if check.name not in ("speed", "memory")]

    report = run_checks(Subject(file.read_bytes(), load_neutone_model(file)[1]), quick)

    assert report.of(Status.FAILED, Status.WARNED) == []
    assert len(report.of(Status.PASSED)) >= 11


def test_it_plays_in_a_host_of_another_rate_as_in_memory_however_the_host_cuts_it(file: Path) -> None:
    clip = audio(1, 20 * 441)
    from_file = load_neutone_model(file)[0]
    in_memory = SampleQueueWrapper(Wrapped(rave_shaped()))
    in_memory.prepare_for_inference()

    streams = [played(model, clip, block, 44_100) for model, block in ((in_memory, 441), (from_file, 441))]
    streams.append(played(from_file, clip, 300, 44_100))

    n_samples = min(stream.size(1) for stream in streams)
    assert n_samples > 16 * 441
    assert_close(streams[1], streams[0])
    assert torch.equal(streams[1][:, :n_samples], streams[2][:, :n_samples])
    assert streams[1].std() > 0.1


def test_a_model_of_cached_conv_that_was_never_played_is_refused_with_the_remedy(tmp_path: Path) -> None:
    never_played = rave_shaped(plays=False)

    with pytest.raises(
        ScriptingError, match=r"has no attribute 'pad'\n.*cached-conv, is there once a block has been played"
    ):
        save_neutone_model(Wrapped(never_played), tmp_path)
    assert not (tmp_path / "model.nm").exists()


def test_what_to_watch_in_cached_conv_is_so() -> None:
    """What docs/blocks.md says; should a release change it, the page has to."""
    model = rave_shaped()
    with torch.no_grad():
        assert model(torch.zeros(1, 1, RATIO + 1)).size(2) == 2 * RATIO  # no whole strides: no error, other samples
        with pytest.raises(RuntimeError, match="Expected size 64 but got size 65"):
            model(torch.zeros(65, 1, RATIO))
    (pad,) = (buffer for name, buffer in model.named_buffers() if name == "encoder.0.cache.pad")
    assert pad.size(0) == 64


class WithoutExports(RaveShaped):
    """To be traced: torch compiles exported methods, and cannot in the midst of traced layers."""

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        waveform, loudness = self.synth(self.net(z))
        return self.bands(torch.tanh(waveform) * torch.sigmoid(loudness))


def test_a_traced_model_plays_blocks_of_other_sizes_than_it_was_traced_with(tmp_path: Path) -> None:
    with torch.no_grad():
        traced = torch.jit.trace(rave_shaped(make=WithoutExports), torch.zeros(1, 1, 4 * RATIO))
        clip = audio(1, 8 * BLOCK)
        expected = rave_shaped(cached=False)(clip[None])[0]
    late = rave_shaped().cumulative_delay

    stream = played(load_neutone_model(exported(traced, tmp_path))[0], clip, host_block=BLOCK)

    edge = 8 * RATIO
    torch.testing.assert_close(stream[:, late + edge :], expected[:, edge:-late], rtol=0, atol=1e-5)
