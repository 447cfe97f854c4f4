"""What ``neutone-host`` plays is what ``neutone render`` plays, without Python."""

import math
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from example_clipper import Clipper, ClipperWrapper
from example_overdrive_random import RandomOverdrive, RandomOverdriveWrapper
from example_spectral_filter import SpectralFilterWrapper
from torch import Tensor, nn
from torch.jit import ScriptModule

import neutone_sdk.export
from neutone_sdk import CategoricalNeutoneParameter, WaveformToWaveformBase
from neutone_sdk.archive import read_metadata
from neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_sdk.rendering import knobs, render
from neutone_sdk.streaming.host_stream import rate_of_least_delay
from neutone_sdk.streaming.resampler import resample
from neutone_sdk.streaming.schedule import best_model_block, nearest_rates, reduced_ratio
from neutone_sdk.utils import save_neutone_model

from .conftest import Noise
from .native_host import RawModel, RawScript, neutone_host, probe, saved
from .test_look_ahead import centred, convolved
from .wrappers import GAIN, Choosing, Delaying, PassThrough, PerSample, card, resampling_card

EQUAL = -90.0  # dB: what the issue allows; the arithmetic is the same, but its order may not be
SECONDS = 0.2

WRAPPERS: dict[str, Any] = {
    "identity": lambda: PassThrough(nn.Identity(), card=card(native_buffer_sizes=[2048])),
    "clipper": lambda: ClipperWrapper(Clipper()),
    "tcn": lambda: RandomOverdriveWrapper(RandomOverdrive(seed=42)),
    "stft": lambda: SpectralFilterWrapper(RealtimeSTFT(n_fft=2048, hop_len=512, logarithmize=False)),
}


def export(wrapper: WaveformToWaveformBase, folder: Path, flavour: str = "native") -> Path:
    """Without the checks, which take most of the time, and which other tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neutone_sdk.export, "check_exported", lambda *_, **__: None)
        save_neutone_model(wrapper, folder, max_n_samples=0, flavour=flavour)
    return folder / "model.nm"


Files = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Exports each model in each flavour once, when it is asked for."""

    @cache
    def exported(name: str, flavour: str) -> Path:
        return export(WRAPPERS[name](), tmp_path_factory.mktemp(f"{name}_{flavour}"), flavour)

    return exported


def written(audio: Tensor, rate_hz: int, folder: Path) -> Path:
    soundfile.write(folder / "in.wav", audio.T.numpy(), rate_hz, subtype="FLOAT")
    return folder / "in.wav"


def played_natively(model: Path, audio: Tensor, rate_hz: int, *options: object) -> Tensor:
    """What the command plays, of ``(channels, samples)``; fails unless it says that all is well."""
    folder = model.parent
    result = neutone_host("render", model, written(audio, rate_hz, folder), folder / "out.wav", *options)
    assert result.returncode == 0, result
    assert "warning" not in result.stdout
    played, played_hz = soundfile.read(folder / "out.wav", dtype="float32", always_2d=True)
    assert played_hz == rate_hz
    return torch.from_numpy(played.T.copy())


@cache
def loaded(model: Path) -> tuple[ScriptModule, dict[str, Any]]:
    return torch.jit.load(model), read_metadata(model)


def played_in_python(model: Path, audio: Tensor, rate_hz: int, block: int, **values: str) -> Tensor:
    script, metadata = loaded(model)
    return render(script, audio, knobs(metadata, values), sample_rate_hz=rate_hz, buffer_size=block)


def difference_db(actual: Tensor, expected: Tensor) -> float:
    """Of the peak of the difference, below the peak of what is expected."""
    assert actual.shape == expected.shape
    peak, off = float(expected.abs().max()), float((actual - expected).abs().max())
    assert peak > 0.01
    return -math.inf if off == 0.0 else 20.0 * math.log10(off / peak)


@pytest.mark.parametrize(
    ("name", "flavour", "rate_hz", "channels", "block"),
    [
        ("identity", "native", 48_000, 2, 512),
        ("identity", "native", 44_100, 1, 333),
        ("clipper", "portable", 96_000, 1, 1_000),
        ("clipper", "portable", 48_000, 2, 64),
        ("tcn", "native", 48_000, 2, 512),
        ("tcn", "native", 44_100, 2, 441),
        ("tcn", "native", 96_000, 1, 127),
        ("tcn", "portable", 44_100, 1, 256),
        ("stft", "native", 44_100, 2, 512),
        ("stft", "native", 48_000, 1, 480),
        ("stft", "portable", 96_000, 2, 4_096),
    ],
)
def test_it_plays_what_python_plays(
    name: str,
    flavour: str,
    rate_hz: int,
    channels: int,
    block: int,
    files: Files,
    noise: Noise,
) -> None:
    model = files(name, flavour)
    audio = 0.5 * noise(channels, round(SECONDS * rate_hz), 1)

    actual = played_natively(model, audio, rate_hz, "--buffer-size", block)

    expected = played_in_python(model, audio, rate_hz, block)
    if name in ("identity", "clipper"):  # no resampling, no arithmetic whose order is free
        assert torch.equal(actual, expected)
    else:
        assert difference_db(actual, expected) <= EQUAL


def test_no_block_of_the_host_changes_the_output(files: Files, noise: Noise) -> None:
    audio = 0.5 * noise(2, 9_001, 2)
    for block in (1, 97, 2_048, 100_000):
        assert torch.equal(played_natively(files("identity", "native"), audio, 48_000, "--buffer-size", block), audio)


def test_a_delay_is_taken_out(tmp_path: Path, noise: Noise) -> None:
    model = export(Delaying(nn.Identity(), card=card(native_buffer_sizes=[64])), tmp_path)
    audio = noise(2, 5_000, 3)

    assert torch.equal(played_natively(model, audio, 44_100, "--buffer-size", 100), audio)


def test_a_look_ahead_is_taken_out(tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 2_000, 11)

    actual = played_natively(export(centred(64), tmp_path), audio, 48_000, "--buffer-size", 100)

    assert difference_db(actual, convolved(audio)) <= EQUAL


@pytest.mark.parametrize("mono", [(True, False), (False, True)], ids=["mono to stereo", "stereo to mono"])
def test_channels_of_host_and_model_are_matched_as_in_python(
    mono: tuple[bool, bool], tmp_path: Path, noise: Noise
) -> None:
    facts = card(is_input_mono=mono[0], is_output_mono=mono[1], native_buffer_sizes=[128])
    model = export(PassThrough(nn.Identity(), card=facts), tmp_path)
    audio = noise(2, 1_000, 4)

    for each in (audio, audio[:1]):
        assert torch.equal(played_natively(model, each, 48_000), played_in_python(model, each, 48_000, 512))
    asked = played_natively(model, audio, 48_000, "--channels", 1)
    assert torch.equal(asked, played_in_python(model, audio.mean(dim=0, keepdim=True), 48_000, 512))


def test_knobs_are_set_in_their_own_units(files: Files, noise: Noise) -> None:
    audio = 0.5 * noise(2, 3_000, 5)
    model = files("clipper", "portable")

    actual = played_natively(model, audio, 48_000, "--param", "drive=24", "--param", " ceiling =-6.5")

    assert torch.equal(actual, played_in_python(model, audio, 48_000, 512, drive="24", ceiling="-6.5"))
    assert float(actual.abs().max()) == pytest.approx(10 ** (-6.5 / 20))


def test_menus_are_set_by_label_or_number(tmp_path: Path, noise: Noise) -> None:
    menu = CategoricalNeutoneParameter("mode", "", n_values=3, default_value=1, labels=["off", "a=b", "two"])
    model = export(Choosing(nn.Identity(), card=card(parameters=[menu, GAIN])), tmp_path)
    audio = noise(2, 600, 6)

    assert probe("format", model) == ["0.5 in steps", "0.375"]
    assert torch.equal(played_natively(model, audio, 48_000), audio)
    assert torch.equal(played_natively(model, audio, 48_000, "--param", "mode=two"), 2 * audio)
    assert torch.equal(played_natively(model, audio, 48_000, "--param", "mode=2"), 2 * audio)
    assert torch.equal(played_natively(model, audio, 48_000, "--param", "mode=a=b"), audio)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "volume=1",
            "--param takes NAME=VALUE with the name of a knob, got 'volume=1'; the model has 'drive' 'ceiling'",
        ),
        ("drive", "--param takes NAME=VALUE"),
        ("drive=", "knob 'drive' takes a number from 0 to 36, got ''"),
        ("drive=loud", "knob 'drive' takes a number from 0 to 36, got 'loud'"),
        ("drive=37", "knob 'drive' takes a number from 0 to 36, got '37'"),
        ("drive=nan", "knob 'drive' takes a number from 0 to 36, got 'nan'"),
    ],
)
def test_a_knob_that_is_not_there_or_a_value_outside_its_range(
    setting: str, message: str, files: Files, tmp_path: Path, noise: Noise
) -> None:
    source = written(noise(1, 10, 0), 48_000, tmp_path)

    result = neutone_host("render", files("clipper", "portable"), source, tmp_path / "out.wav", "--param", setting)

    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert not (tmp_path / "out.wav").exists()


def test_curves_of_the_model_begin_with_the_knobs_value(tmp_path: Path, noise: Noise) -> None:
    model = export(PerSample(nn.Identity(), card=resampling_card(44_100, mono=False, parameters=[GAIN])), tmp_path)
    audio = 0.3 * noise(2, 4_410, 7)

    actual = played_natively(model, audio, 48_000, "--param", "gain=2")

    assert difference_db(actual, played_in_python(model, audio, 48_000, 512, gain="2")) <= EQUAL


def test_the_clip_is_resampled_to_the_rate_of_the_host(tmp_path: Path, noise: Noise) -> None:
    model = export(PassThrough(nn.Identity(), card=card()), tmp_path)
    audio = 0.5 * noise(2, 4_000, 8)
    source, target = written(audio, 44_100, tmp_path), tmp_path / "out.wav"

    assert neutone_host("render", model, source, target, "--sample-rate", 96_000).returncode == 0

    played, rate_hz = soundfile.read(target, dtype="float32")
    assert rate_hz == 96_000
    assert np.array_equal(played.T, resample(audio, 44_100, 96_000, quality="high").numpy())


# Rate and block.


def test_rate_and_block_are_chosen_as_in_python() -> None:
    rates = [[], [48_000], [44_100, 96_000], [40_000, 56_000], [56_000, 40_000], [16_000, 32_000, 8_000]]
    sizes: list[list[int]] = [[], [2_048], [960], [2_048, 256, 512], [100, 441]]
    cases = list(product([44_100, 48_000, 96_000], [1, 441, 512, 4_096], [True, False], rates, sizes))
    lines = [
        f"{rate} {block} {is_constant:d} {len(model_rates)} {' '.join(map(str, model_rates))} "
        f"{len(model_sizes)} {' '.join(map(str, model_sizes))}"
        for rate, block, is_constant, model_rates, model_sizes in cases
    ]

    chosen = [tuple(map(int, line.split())) for line in probe("choose", stdin="\n".join(lines))]

    assert len(chosen) == len(cases) == 3 * 4 * 2 * 6 * 5
    for (rate, block, is_constant, model_rates, model_sizes), actual in zip(cases, chosen, strict=True):
        nearest = nearest_rates(rate, model_rates)
        model_rate = rate_of_least_delay(nearest, rate, block, block if is_constant else 1, None, model_sizes)
        assert actual == (model_rate, best_model_block(block, *reduced_ratio(rate, model_rate), model_sizes))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sample-rate", 100), "from_hz and to_hz may differ by a factor of at most 256, got 44100 and 100"),
        (("--sample-rate", 0), "--sample-rate"),
        (("--buffer-size", 0), "--buffer-size"),
        (("--channels", 3), "--channels"),
        (("--mode", "fast"), "--mode"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    options: tuple[object, ...], message: str, files: Files, tmp_path: Path, noise: Noise
) -> None:
    source = written(noise(1, 10, 0), 44_100, tmp_path)

    result = neutone_host("render", files("clipper", "portable"), source, tmp_path / "out.wav", *options)

    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "Format not recognised"), (b"RIFF", "Format not recognised"), (None, "No such file")],
)
def test_audio_that_cannot_be_read(content: bytes | None, message: str, files: Files, tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    if content is not None:
        source.write_bytes(content)

    result = neutone_host("render", files("clipper", "portable"), source, tmp_path / "out.wav")

    assert (result.returncode, result.stdout) == (1, "")
    assert f"{source}: " in result.stderr
    assert message in result.stderr


# Models that fail while they play.


def test_a_model_that_raises_is_an_error_and_nothing_is_written(tmp_path: Path, noise: Noise) -> None:
    (tmp_path / "raw.nm").write_bytes(saved(RawScript(RawModel("raises"))))
    source = written(noise(2, 1_000, 0), 48_000, tmp_path)

    result = neutone_host("render", tmp_path / "raw.nm", source, tmp_path / "out.wav")

    assert result == (1, "", "neutone-host: the model failed: too loud\n")
    assert not (tmp_path / "out.wav").exists()


def test_numbers_that_are_not_finite_are_muted_and_counted(tmp_path: Path, noise: Noise) -> None:
    (tmp_path / "raw.nm").write_bytes(saved(RawScript(RawModel("nan"))))
    audio = 0.3 * noise(2, 640, 0)
    audio[:, 200] = 0.9  # in the fourth block of 64

    result = neutone_host("render", tmp_path / "raw.nm", written(audio, 48_000, tmp_path), tmp_path / "out.wav")

    played, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert result.returncode == 0
    assert "warning: the model returned numbers that are not finite in 1 of " in result.stdout
    assert np.array_equal(played[:192], audio.T[:192])
    assert np.isfinite(played).all()
    assert not played[210:240].any()


def test_a_model_that_is_too_slow_is_no_error_and_counted(tmp_path: Path, noise: Noise) -> None:
    (tmp_path / "raw.nm").write_bytes(saved(RawScript(RawModel("slow"))))
    source = written(0.3 * noise(2, 4_800, 0), 48_000, tmp_path)

    result = neutone_host("render", tmp_path / "raw.nm", source, tmp_path / "out.wav", "--mode", "two-blocks")

    assert result.returncode == 0
    assert "warning: the model was too slow in " in result.stdout


# Soak.


def test_soak_plays_for_so_long_and_counts(files: Files) -> None:
    """Whether all came in time is for this machine to say; that the exit code tells it, for us."""
    options = ("--seconds", 0.5, "--buffer-size", 1024, "--instances", 2, "--threads", 2)
    result = neutone_host("soak", files("identity", "native"), *options)

    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines()[1:])
    assert "test: 2 x 2048 samples at 48000 Hz, latency " in result.stdout
    assert lines["callbacks"].startswith("23 of 1024 samples, deadline 21333.3 us")
    assert "p50 " in lines["callback"]
    assert "p99.9 " in lines["callback"]
    assert result.returncode == (0 if lines["missing"] == "0 samples" else 1)


def test_soak_fails_where_samples_are_missing(tmp_path: Path) -> None:
    (tmp_path / "raw.nm").write_bytes(saved(RawScript(RawModel("slow"))))

    result = neutone_host("soak", tmp_path / "raw.nm", "--seconds", 0.2, "--buffer-size", 64)

    assert result.returncode == 1
    assert "missing       0 samples" not in result.stdout


def test_soak_fails_where_the_model_does(tmp_path: Path) -> None:
    (tmp_path / "raw.nm").write_bytes(saved(RawScript(RawModel("tires"))))

    result = neutone_host("soak", tmp_path / "raw.nm", "--seconds", 0.2, "--buffer-size", 1024, "--mode", "blocking")

    assert result.returncode == 1
    assert "failed blocks 1, muted 0\nmissing       0 samples\n" in result.stdout
