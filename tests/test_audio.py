"""Clips of audio, and the formats they travel in."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neutone_sdk.audio import AudioSample, AudioSamplePair, get_default_audio_samples
from neutone_sdk.errors import InvalidArgumentError, InvalidFileError, InvalidTypeError

from .conftest import Noise

LOSSY_CORRELATION = 0.99  # OGG and MP3 change the wave; what matters is that it is the same sound, in time


def test_the_default_samples() -> None:
    samples = get_default_audio_samples()
    assert [(sample.sr, sample.is_mono()) for sample in samples] == [(44_100, True), (48_000, False), (44_100, False)]
    assert all(3 <= sample.audio.size(1) / sample.sr <= 6 for sample in samples)


@pytest.mark.parametrize("file_format", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_files_are_read(tmp_path: Path, file_format: str, n_channels: int) -> None:
    path, audio = tmp_path / f"clip.{file_format}", get_default_audio_samples()[2].audio[:n_channels]
    soundfile.write(path, audio.T.numpy(), 48_000)

    sample = AudioSample.from_file(path)

    assert (sample.sr, sample.audio.shape, sample.is_mono()) == (48_000, audio.shape, n_channels == 1)
    assert np.corrcoef(sample.audio[0], audio[0])[0, 1] > LOSSY_CORRELATION


def test_mp3_there_and_back() -> None:
    sample = get_default_audio_samples()[2]
    back = AudioSample.from_b64(sample.to_mp3_b64())
    n_samples = min(back.audio.size(1), sample.audio.size(1))
    assert back.sr == sample.sr
    assert np.corrcoef(back.audio[0, :n_samples], sample.audio[0, :n_samples])[0, 1] > LOSSY_CORRELATION


def test_a_pair_is_two_mp3_files() -> None:
    sample = get_default_audio_samples()[0]
    metadata = AudioSamplePair(sample, sample).to_metadata_format()
    assert set(metadata) == {"in", "out"}
    assert AudioSample.from_b64(metadata["in"]).is_mono()


def test_a_rate_that_mp3_does_not_know_is_refused(noise: Noise) -> None:
    with pytest.raises(InvalidArgumentError, match=r"MP3 knows the rates .* got 96000"):
        AudioSample(noise(1, 100, 0), 96_000).to_mp3_bytes()


@pytest.mark.parametrize("content", [b"", b"not audio", b"RIFF\x00\x00\x00\x00WAVEfmt "])
def test_what_is_not_audio_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFileError, match=r"is not audio|must hold"):
        AudioSample.from_bytes(content)


def test_more_than_two_channels_are_refused() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((10, 3)), 48_000, format="WAV")
    with pytest.raises(InvalidFileError, match="got 3 channels"):
        AudioSample.from_bytes(buffer.getvalue())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="is not a file"):
        AudioSample.from_file(tmp_path / "missing.wav")


def test_audio_has_a_shape_a_type_and_a_rate(noise: Noise) -> None:
    with pytest.raises(InvalidArgumentError, match="sr must be above 0"):
        AudioSample(noise(1, 100, 0), 0)
    with pytest.raises(InvalidArgumentError, match="1 or 2 channels"):
        AudioSample(noise(3, 100, 0), 48_000)
    with pytest.raises(InvalidTypeError, match="float32"):
        AudioSample(torch.zeros(1, 10, dtype=torch.int16), 48_000)
