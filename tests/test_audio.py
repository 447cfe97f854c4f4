"""Clips of audio, and the formats they travel in."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neutone_sdk import resample
from neutone_sdk.audio import AudioSample, AudioSamplePair, get_default_audio_samples
from neutone_sdk.errors import InvalidArgumentError, InvalidFileError, InvalidTypeError

from .conftest import Noise
from .signals import sine

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


def decoded_error(sample: AudioSample, content: bytes) -> float:
    back = AudioSample.from_bytes(content)
    assert (back.sr, back.audio.shape) == (sample.sr, sample.audio.shape)
    return float((back.audio - sample.audio).square().mean().sqrt())


@pytest.mark.parametrize("index", [0, 1, 2], ids=["string", "drums", "pad"])
def test_a_better_mp3_is_larger_and_nearer_to_the_original(index: int) -> None:
    sample = get_default_audio_samples()[index]
    files = [sample.to_mp3_bytes(quality=quality) for quality in (0, 0.25, 0.5, 0.75, 1)]

    sizes = [len(content) for content in files]
    errors = [decoded_error(sample, content) for content in files]

    assert sizes == sorted(set(sizes))
    assert errors == sorted(set(errors), reverse=True)
    assert sizes[0] < 0.6 * sizes[-1]
    assert errors[0] > 2.0 * errors[-1]


def test_the_quality_reaches_every_form_of_an_mp3() -> None:
    sample = get_default_audio_samples()[0]
    worst = base64.b64encode(sample.to_mp3_bytes(quality=0.0)).decode()
    assert sample.to_mp3_b64(quality=0.0) == worst
    assert AudioSamplePair(sample, sample).to_metadata_format(quality=0.0) == {"in": worst, "out": worst}
    assert sample.to_mp3_bytes() == sample.to_mp3_bytes(quality=0.8)


@pytest.mark.parametrize(
    ("quality", "kind", "message"),
    [
        (-0.1, InvalidArgumentError, r"quality must be in 0\.\.1, .* got -0\.1"),
        (1.1, InvalidArgumentError, r"quality must be in 0\.\.1, .* got 1\.1"),
        (float("nan"), InvalidArgumentError, r"quality must be in 0\.\.1, .* got nan"),
        ("high", InvalidTypeError, "quality must be a number, got 'high'"),
        (True, InvalidTypeError, "quality must be a number, got True"),
    ],
)
def test_a_quality_is_a_number_from_0_to_1(noise: Noise, quality: float, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        AudioSample(noise(1, 100, 0), 48_000).to_mp3_bytes(quality=quality)


@pytest.mark.parametrize(("file_format", "limit"), [("mp3", 1_000), ("ogg", 100)])
@pytest.mark.parametrize("amplitude", [1_001.0, 1e10, float("inf"), float("nan")])
def test_amplitudes_at_which_encoders_fail_are_refused(
    tmp_path: Path, noise: Noise, file_format: str, limit: int, amplitude: float
) -> None:
    """LAME would end the process."""
    audio = 0.5 * noise(2, 5_000, 0)
    audio[1, 4_999] = -amplitude
    with pytest.raises(
        InvalidArgumentError,
        match=rf"{file_format.upper()} takes amplitudes to {limit}, got (1001|1e\+10|inf|nan); .* WAV",
    ):
        AudioSample(audio, 48_000).to_file(tmp_path / f"clip.{file_format}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("file_format", "limit"), [("mp3", 1_000), ("ogg", 100)])
def test_the_loudest_that_encoders_take(tmp_path: Path, file_format: str, limit: int) -> None:
    audio = sine(440.0, 48_000, 48_000, amplitude=limit)
    AudioSample(audio, 48_000).to_file(tmp_path / f"clip.{file_format}")
    back = AudioSample.from_file(tmp_path / f"clip.{file_format}").audio
    assert np.corrcoef(back[0], audio[0])[0, 1] > LOSSY_CORRELATION


def test_only_wav_holds_what_is_no_number(tmp_path: Path) -> None:
    sample = AudioSample(torch.tensor([[0.5, float("nan"), float("inf")]]), 48_000)
    sample.to_file(tmp_path / "clip.wav")
    back = AudioSample.from_file(tmp_path / "clip.wav").audio
    torch.testing.assert_close(back, sample.audio, rtol=0, atol=0, equal_nan=True)
    with pytest.raises(InvalidArgumentError, match="FLAC takes numbers, got nan"):
        sample.to_file(tmp_path / "clip.flac")


def test_audio_that_gradients_flow_through_is_encoded(noise: Noise) -> None:
    audio = 0.5 * noise(1, 5_000, 0)
    plain = AudioSample(audio.clone(), 48_000).to_mp3_bytes()
    assert AudioSample(audio.requires_grad_(), 48_000).to_mp3_bytes() == plain


@pytest.mark.parametrize(
    ("rate_hz", "mp3_rate_hz"),
    [(96_000, 48_000), (88_200, 44_100), (176_400, 44_100), (44_099, 48_000), (5_000, 48_000)],
)
def test_a_pair_at_a_rate_that_mp3_does_not_know_is_resampled(rate_hz: int, mp3_rate_hz: int) -> None:
    clip = get_default_audio_samples()[0]
    pair = AudioSamplePair(clip, AudioSample(resample(clip.audio, clip.sr, rate_hz), rate_hz))

    metadata = pair.to_metadata_format(quality=1.0)

    played = AudioSample.from_b64(metadata["out"])
    expected = resample(pair.output.audio, rate_hz, mp3_rate_hz)
    assert (played.sr, played.audio.shape) == (mp3_rate_hz, expected.shape)
    assert np.corrcoef(played.audio[0], expected[0])[0, 1] > LOSSY_CORRELATION
    assert AudioSample.from_b64(metadata["in"]).sr == clip.sr


def test_a_pair_is_two_clips(noise: Noise) -> None:
    sample = AudioSample(noise(1, 100, 0), 48_000)
    with pytest.raises(InvalidTypeError, match="input must be an AudioSample, got None"):
        AudioSamplePair(None, sample)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="output must be an AudioSample, got tensor"):
        AudioSamplePair(sample, sample.audio)  # type: ignore[arg-type]


def test_a_rate_that_mp3_does_not_know_is_refused(noise: Noise) -> None:
    with pytest.raises(InvalidArgumentError, match=r"MP3 knows the rates .* got 96000"):
        AudioSample(noise(1, 100, 0), 96_000).to_mp3_bytes()


@pytest.mark.parametrize(
    ("ending", "rate_hz", "rates"),
    [
        ("flac", 65_537, "to 65535, or tens to 655350"),
        ("flac", 655_360, "to 65535, or tens to 655350"),
        ("ogg", 200_001, "to 200000"),  # libsndfile would end the process
        ("mp3", 44_099, "8000, .*, 48000"),
    ],
)
def test_a_rate_that_the_format_does_not_know_is_refused(
    tmp_path: Path, noise: Noise, ending: str, rate_hz: int, rates: str
) -> None:
    with pytest.raises(
        InvalidArgumentError, match=rf"{ending.upper()} knows the rates {rates} Hz, got {rate_hz}; .* WAV"
    ):
        AudioSample(noise(1, 100, 0), rate_hz).to_file(tmp_path / f"clip.{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ending", "rate_hz"), [("wav", 2**31 - 1), ("flac", 65_535), ("flac", 655_350), ("ogg", 200_000), ("ogg", 1)]
)
def test_the_last_rates_that_a_format_knows(tmp_path: Path, noise: Noise, ending: str, rate_hz: int) -> None:
    AudioSample(noise(2, 100, 0), rate_hz).to_file(tmp_path / f"clip.{ending}")
    assert soundfile.info(tmp_path / f"clip.{ending}").samplerate == rate_hz


WRITE_LONG = """
import sys
import torch
from neutone_sdk.audio import AudioSample
AudioSample(2.0 * torch.rand(2, 90 * 48_000) - 1.0, 48_000).to_file(sys.argv[1])
"""


def test_a_long_clip_is_written(tmp_path: Path) -> None:
    """As OGG, which libsndfile encodes on the stack: in another process, which may crash."""
    subprocess.run([sys.executable, "-c", WRITE_LONG, tmp_path / "long.ogg"], check=True)  # noqa: S603
    assert soundfile.info(tmp_path / "long.ogg").frames == 90 * 48_000


def encoded(audio: torch.Tensor, file_format: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, audio.T.numpy(), 48_000, format=file_format)
    return buffer.getvalue()


def announcing(flac: bytes, n_samples: int) -> bytes:
    """Change the length in the STREAMINFO of a FLAC file: 36 bits behind magic, header, sizes, rate and depth."""
    bits = int.from_bytes(flac[18:26], "big") >> 36 << 36 | n_samples
    return flac[:18] + bits.to_bytes(8, "big") + flac[26:]


def test_a_header_that_claims_too_much_takes_no_memory(noise: Noise) -> None:
    audio = noise(1, 10_000, 0)
    content = announcing(encoded(audio, "FLAC"), 2**36 - 1)

    with pytest.warns(UserWarning, match=r"ends early or is damaged: 10000 of 68719476735 samples can be read"):
        sample = AudioSample.from_bytes(content)

    torch.testing.assert_close(sample.audio, audio, rtol=0, atol=2**-15)  # FLAC of 16 bits


def test_a_header_that_does_not_know_the_length_is_fine(noise: Noise) -> None:
    content = announcing(encoded(noise(1, 10_000, 0), "FLAC"), 0)
    assert AudioSample.from_bytes(content).audio.shape == (1, 10_000)


@pytest.mark.parametrize("file_format", ["FLAC", "MP3"])
def test_a_file_that_ends_early_is_read_with_a_warning(noise: Noise, file_format: str) -> None:
    audio = 0.1 * noise(2, 20_000, 0)
    content = encoded(audio, file_format)

    with pytest.warns(UserWarning, match=r"the content ends early or is damaged.*: \d+ of 20000 samples can be read"):
        sample = AudioSample.from_bytes(content[: len(content) // 2])

    assert 5_000 < sample.audio.size(1) < 15_000
    whole = AudioSample.from_bytes(content).audio[:, : sample.audio.size(1)]
    assert np.corrcoef(sample.audio[1], whole[1])[0, 1] > LOSSY_CORRELATION


def test_a_file_without_one_whole_block_is_refused(noise: Noise) -> None:
    with pytest.raises(InvalidFileError, match=r"ends early or is damaged.*: 0 of 20000 samples can be read"):
        AudioSample.from_bytes(encoded(noise(2, 20_000, 0), "FLAC")[:1_000])


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


def test_audio_that_does_not_say_what_it_is_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(100))
    with pytest.raises(InvalidFileError, match=r"clip\.raw is not audio that can be read"):
        AudioSample.from_file(tmp_path / "clip.raw")


@pytest.mark.parametrize("text", ["\u00e4\u00f6\u00fc", "a"])
def test_what_is_not_base_64_is_refused(text: str) -> None:
    with pytest.raises(InvalidFileError, match="the text is not base 64"):
        AudioSample.from_b64(text)


def test_audio_has_a_shape_a_type_and_a_rate(noise: Noise) -> None:
    with pytest.raises(InvalidArgumentError, match="sr must be above 0"):
        AudioSample(noise(1, 100, 0), 0)
    with pytest.raises(InvalidArgumentError, match="1 or 2 channels"):
        AudioSample(noise(3, 100, 0), 48_000)
    with pytest.raises(InvalidTypeError, match=r"audio must be a torch\.Tensor, got list"):
        AudioSample([1.0], 48_000)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="float32"):
        AudioSample(torch.zeros(1, 10, dtype=torch.int16), 48_000)
