"""Portable files: no operator of ours, the output and the delay of native ones, and no need of this package."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    WaveformToWaveformBase,
)
from neutone_sdk.archive import read_metadata
from neutone_sdk.errors import ExportError, InvalidArgumentError
from neutone_sdk.filters import IIRSVF, Biquads, FilterType, FIRFilter, IIRFilter
from neutone_sdk.portable.linker import to_portable
from neutone_sdk.portable.operators import PORTABLE_OPERATORS
from neutone_sdk.script_operators import custom_namespaces, operators_in
from neutone_sdk.streaming.resampler import Resampler
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from . import bare_player
from .wrappers import GAIN, Delaying, PassThrough, PerSample, Stamped, card

# Sums in another order, in float32: of what is louder than full scale, relative to it.
ROUNDING = 1e-6

SMOOTHED = ContinuousNeutoneParameter("gain", "", 0.5, min_value=-1.0, max_value=1.0, smoothing_ms=20.0)
LINEAR = ContinuousNeutoneParameter("gain", "", 0.5, smoothing_ms=7.0, smoothing="linear")
MENU = CategoricalNeutoneParameter("gain", "", 4, 2)


class Filtering(WaveformToWaveformBase):
    """Uses every filter of this package, retuned by a knob and by the rate."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, card=card(parameters=[GAIN]))
        self.fir = FIRFilter(FilterType.BANDPASS, [200.0, 9000.0], 257)
        self.iir = IIRFilter(FilterType.LOWPASS, 5000.0, 0.9)
        self.svf = IIRSVF()
        self.biquads = Biquads([[0.2, 0.1, 0.0, 1.0, -0.5, 0.1]])
        self.there = Resampler(48000, 44100)
        self.rate = 48000

    @torch.jit.export
    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.rate = sample_rate
        self.fir.set_parameters(sample_rate=sample_rate)
        self.iir.set_parameters(sample_rate=sample_rate)
        return True

    @torch.jit.export
    def reset_model(self) -> bool:
        self.fir.reset()
        self.iir.reset()
        self.svf.reset()
        self.biquads.reset()
        self.there.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        gain = params["gain"]
        self.fir.set_parameters(cutoffs=[200.0 + 50.0 * float(gain), 9000.0])
        self.iir.set_parameters(cutoff=5000.0 + 500.0 * float(gain))
        y = self.biquads(self.iir(self.fir(x)))
        cutoff = (1000.0 + 500.0 * x[:1].abs()).unsqueeze(2)
        y = self.svf(y, cutoff, torch.ones(1, 1, 1), torch.full((1, 1, 3), 0.3), self.rate)
        return y + 0.01 * self.there(x).sum()


WRAPPERS: dict[str, Callable[[], WaveformToWaveformBase]] = {
    "stereo": lambda: Stamped(nn.Identity(), card=card(parameters=[GAIN], native_buffer_sizes=[96])),
    "mono": lambda: PassThrough(nn.Identity(), card=card(is_input_mono=True, native_sample_rates=[44100])),
    "rates": lambda: Stamped(
        nn.Identity(), card=card(parameters=[GAIN], native_sample_rates=[44100], native_buffer_sizes=[64])
    ),
    "curves": lambda: PerSample(nn.Identity(), card=card(parameters=[GAIN], native_sample_rates=[48000])),
    "menu": lambda: PerSample(nn.Identity(), card=card(parameters=[MENU], native_sample_rates=[22050])),
    "one pole": lambda: PerSampleMeans(nn.Identity(), card=card(parameters=[SMOOTHED], native_buffer_sizes=[128])),
    "linear": lambda: PerSampleMeans(nn.Identity(), card=card(parameters=[LINEAR], native_buffer_sizes=[128])),
    "look-ahead": lambda: Looking(
        nn.Identity(), card=card(parameters=[GAIN], look_behind_samples=7, look_ahead_samples=5)
    ),
    "delay": lambda: Delaying(nn.Identity(), card(native_sample_rates=[44100])),
    "filters": lambda: Filtering(nn.Identity()),
}  # fmt: skip


class PerSampleMeans(WaveformToWaveformBase):
    """Multiplies by a knob, which is smoothed."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"]


class Looking(WaveformToWaveformBase):
    """Adds the oldest, and the last, of the samples it sees."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return (x[:, :-12] + x[:, 12:]) * params["gain"]


def export(wrapper: WaveformToWaveformBase, folder: Path, flavour: str, **options: Any) -> Path:
    save_neutone_model(wrapper, folder / flavour, flavour=flavour, max_n_samples=0, **options)
    return folder / flavour / "model.nm"


@pytest.fixture(scope="module", params=WRAPPERS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return a model in both flavours, as a host loads them."""
    folder = tmp_path_factory.mktemp("models")
    make = WRAPPERS[request.param]
    return [load_neutone_model(export(make(), folder, flavour))[0] for flavour in ("native", "portable")]


def test_no_operator_of_ours_is_left(both: list[Any]) -> None:
    native, portable = both
    assert "neutone" in custom_namespaces(operators_in(native))
    assert custom_namespaces(operators_in(portable)) == set()


@settings(deadline=None, max_examples=12)
@given(
    rate_hz=st.sampled_from([44100, 48000, 32000, 96000]),
    largest=st.integers(1, 300),
    cuts=st.lists(st.integers(1, 300), min_size=1, max_size=8),
    n_columns=st.sampled_from([1, None]),
    n_channels=st.sampled_from([1, 2]),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_plays_what_the_native_file_plays(
    both: list[Any], rate_hz: int, largest: int, cuts: list[int], n_columns: int | None, n_channels: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    for script in both:
        script.set_daw_sample_rate_and_max_buffer_size(rate_hz, largest)
    native, portable = both
    assert portable.calc_buffering_delay_samples() == native.calc_buffering_delay_samples()
    assert portable.calc_model_delay_samples() == native.calc_model_delay_samples()
    with torch.no_grad():
        for cut in cuts:
            size = min(cut, largest)
            audio = 2.0 * torch.rand(n_channels, size, generator=generator) - 1.0
            knobs = torch.rand(4, n_columns or size, generator=generator)
            torch.testing.assert_close(portable(audio, knobs), native(audio, knobs), rtol=ROUNDING, atol=ROUNDING)


def test_a_reset_forgets(both: list[Any]) -> None:
    _, portable = both
    portable.set_daw_sample_rate_and_buffer_size(44100, 100)
    audio = torch.rand(2, 100)
    with torch.no_grad():
        portable.reset()
        first = [portable(audio) for _ in range(4)]
        portable.reset()
        again = [portable(audio) for _ in range(4)]
    torch.testing.assert_close(again, first, rtol=0, atol=0)


def test_a_host_without_this_package_plays_it(tmp_path: Path) -> None:
    audio = torch.linspace(-1, 1, 2560).repeat(2, 1)
    torch.save(audio, tmp_path / "in.pt")
    portable = export(WRAPPERS["filters"](), tmp_path, "portable")
    files = [str(path) for path in (portable, tmp_path / "in.pt", tmp_path / "out.pt")]

    subprocess.run([sys.executable, bare_player.__file__, *files], check=True, cwd=tmp_path)  # noqa: S603

    expected = bare_player.play(str(export(WRAPPERS["filters"](), tmp_path, "native")), audio)
    torch.testing.assert_close(torch.load(tmp_path / "out.pt"), expected, rtol=ROUNDING, atol=ROUNDING)


def test_the_metadata_say_which_flavour_it_is(tmp_path: Path) -> None:
    for flavour, operators in (("native", ["neutone"]), ("portable", [])):
        path = export(WRAPPERS["stereo"](), tmp_path, flavour)
        metadata = read_metadata(path)
        assert metadata["flavour"] == flavour
        assert list(metadata["required_ops"]) == operators
        assert json.loads((path.parent / "metadata.json").read_text()) == metadata


@pytest.mark.parametrize("options", [{"freeze": True}, {"optimize": True}])
def test_it_can_be_frozen(tmp_path: Path, options: dict[str, bool]) -> None:
    script, _ = load_neutone_model(export(WRAPPERS["rates"](), tmp_path, "portable", **options))
    native, _ = load_neutone_model(export(WRAPPERS["rates"](), tmp_path, "native"))
    audio = torch.rand(2, 3000)
    torch.testing.assert_close(
        script.forward_offline(audio), native.forward_offline(audio), rtol=ROUNDING, atol=ROUNDING
    )


def test_another_flavour_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="flavour must be one of native, portable, got 'movable'"):
        export(WRAPPERS["stereo"](), tmp_path, "movable")
    assert not (tmp_path / "movable").exists()


def test_an_operator_without_portable_form_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PORTABLE_OPERATORS, "stream_put")
    with pytest.raises(ExportError, match=r"neutone::stream_put, which only native files can hold; .*flavour="):
        export(WRAPPERS["stereo"](), tmp_path, "portable")
    assert not (tmp_path / "portable").exists()


class Talking(nn.Module):
    """Speaks of operators without calling them."""

    def forward(self, x: Tensor) -> Tensor:
        if x.size(1) > 10_000_000:
            raise ValueError('a text about ops.neutone.version() and "ops.neutone.fir(x)"')
        return x


def test_texts_stay_as_they_are(tmp_path: Path) -> None:
    path = export(PassThroughOf(Talking()), tmp_path, "portable")
    assert "ops.neutone.version() and" in load_neutone_model(path)[0].w2w_base.model.code


class PassThroughOf(WaveformToWaveformBase):
    """Plays a module."""

    card = card()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


class ForgettingPassThroughOf(PassThroughOf):
    """Plays a module that has state."""

    def reset_model(self) -> bool:
        self.model.reset()  # type: ignore[operator]
        return True


def test_modules_that_are_scripted_already_are_relinked(tmp_path: Path) -> None:
    wrapper = ForgettingPassThroughOf(torch.jit.script(Biquads([[0.2, 0.1, 0.0, 1.0, -0.5, 0.1]])))
    portable, _ = load_neutone_model(export(wrapper, tmp_path, "portable"))
    native, _ = load_neutone_model(export(wrapper, tmp_path, "native"))
    audio = torch.rand(2, 2000)
    torch.testing.assert_close(
        portable.forward_offline(audio), native.forward_offline(audio), rtol=ROUNDING, atol=ROUNDING
    )


def test_the_function_alone_converts_a_file(tmp_path: Path) -> None:
    path = export(WRAPPERS["rates"](), tmp_path, "native")
    assert custom_namespaces(operators_in(to_portable(path.read_bytes()))) == set()
