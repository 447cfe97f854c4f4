"""``neutone-host`` plays a file that neutone_sdk 1.5.2 has written: tools/make_model_1x.py says what is in it."""

import gzip
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from .conftest import Noise
from .native_host import neutone_host
from .test_native_host import EQUAL, difference_db, played_natively


@pytest.fixture
def model_1x(tmp_path: Path) -> Path:
    path = tmp_path / "model_1x.nm"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "data" / "model_1x.nm.gz").read_bytes()))
    return path


def echo(audio: Tensor) -> Tensor:
    """What the model makes of the mean of both channels with the knob at its default, three samples early."""
    mono = 0.75 * audio.mean(dim=0)
    padded = nn.functional.pad(mono, (1, 0))
    return torch.stack([mono + 0.25 * padded[:-1], 0.001 * mono.double().cumsum(0).float()])


@pytest.mark.parametrize(("rate_hz", "block"), [(48_000, 512), (48_000, 100), (44_100, 1_000)])
def test_a_file_of_1x_plays_with_its_look_behind_and_delay(
    rate_hz: int, block: int, model_1x: Path, noise: Noise
) -> None:
    audio = 0.5 * noise(2, 10_000, 9)

    actual = played_natively(model_1x, audio, rate_hz, "--buffer-size", block)

    for channel in (0, 1):
        assert difference_db(actual[channel], echo(audio)[channel]) <= EQUAL


def test_a_file_of_1x_plays_as_torch_plays_it(model_1x: Path, noise: Noise) -> None:
    """With the queue of 1.x, where that resamples nothing and leaves no block half full."""
    audio = 0.5 * noise(2, 4 * 512, 10)
    script = torch.jit.load(model_1x)
    script.set_daw_sample_rate_and_buffer_size(48_000, 512)
    knobs = torch.tensor([0.5, 0.25, 0.0, 0.0])[:, None].repeat(1, 512)
    expected = torch.cat([script(block, knobs).clone() for block in audio.split(512, dim=1)], dim=1)

    actual = played_natively(model_1x, audio, 48_000, "--param", "gain=0.5")

    assert torch.equal(actual[:, :-3], expected[:, 3:])


def test_a_file_of_1x_says_what_it_is(model_1x: Path) -> None:
    shown = neutone_host("info", model_1x).stdout

    for text in (
        "echo of 1.x",
        "mono in, stereo out",
        "44100, 48000 Hz",
        "256, 512 samples",
        "made with     neutone_sdk 1.5.2",
    ):
        assert text in shown
