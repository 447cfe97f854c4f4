"""The RAVE example: what its designed autoencoder promises, and exports of others that it wraps."""

import functools
import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk.utils import load_neutone_model

from .blocks import audio
from .rave_shaped import RATIO, rave_shaped
from .signals import sine

FLOAT32_DB = 115.0  # what sums of 160 products leave below the signal
EXAMPLE = Path(__file__).parents[1] / "examples" / "example_rave.py"


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("example_rave", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def playing(example: Any) -> Any:
    model = example.Autoencoder().eval()
    for part in (model.encoder, model.decoder):
        part.set_cached(True)
    return model


def level_db(x: Tensor) -> float:
    return 10.0 * math.log10(float(x.double().square().mean()))


def test_the_filter_bank_reconstructs_perfectly_and_keeps_bands_apart(example: Any) -> None:
    analysis, synthesis = example.pqmf()
    clip = audio(1, 1, 16_000)
    tone = sine(48_000 * 5.5 / 32, 48_000, 16_000)[None]  # the middle of band 5

    with torch.no_grad():
        again, bands = synthesis(analysis(clip)), analysis(tone)[..., 20:-20]

    assert level_db((again - clip)[..., 200:-200]) < level_db(clip) - FLOAT32_DB
    levels = [level_db(band) for band in bands[0]]
    assert levels[5] == pytest.approx(level_db(tone), abs=0.1)
    assert max(levels[:5] + levels[6:]) < levels[5] - 40.0


@torch.no_grad()
def test_at_rest_it_plays_what_it_hears_as_late_as_its_layers_say(example: Any) -> None:
    model = playing(example)
    clip = 0.5 * audio(1, 1, 128 * 60)

    stream = torch.cat([model(block) for block in clip.split(384, dim=2)], dim=2)

    late = model.get_delay_samples()
    assert late == 648
    assert example.measured_delay(model) == pytest.approx(late, abs=1)  # as of exports, which do not tell
    assert level_db(stream[..., late:] - clip[..., :-late]) < level_db(clip) - FLOAT32_DB
    assert model.encode(clip).shape == (1, int(model.encode_params[2]), 60)


@torch.no_grad()
def test_the_first_latent_is_loudness_and_the_second_brightness(example: Any) -> None:
    model = playing(example)
    clip = 0.1 * audio(1, 1, 128 * 60)
    z = model.encode(clip)

    def played(latent: int, bias: float) -> Tensor:
        model.reset()
        changed = z.clone()
        changed[:, latent] += bias
        return model.decode(changed)[..., 2000:]

    def brightness_db(x: Tensor) -> float:
        low, *_, high = torch.stft(x[0], 1024, window=torch.hann_window(1024), return_complex=True)[0].tensor_split(8)
        return level_db(high.abs()) - level_db(low.abs())

    rest = played(0, 0.0)
    assert level_db(played(0, 4.0)) - level_db(rest) == pytest.approx(20.0 / math.log(10.0), abs=0.05)  # 1 neper
    assert brightness_db(played(1, -2.0)) > brightness_db(rest) + 10.0
    assert level_db(played(0, 40.0)) < 20.0 * math.log10(example.LOUDEST) + 3.0  # frames overlap


@torch.no_grad()
@pytest.mark.parametrize("latent", [0, 1, 15])
def test_the_knobs_scale_and_shift_the_latent_that_the_menu_names(example: Any, latent: int) -> None:
    model = example.Autoencoder()
    wrapper = example.RaveWrapper(model, example.card(model, "rave", None))
    wrapper.prepare_for_inference()
    clip = 0.1 * audio(1, 4096)
    z = model.encode(clip[None])
    z[:, latent] = 1.5 * z[:, latent] - 1.0
    expected = model.decode(z)[0]
    wrapper.reset_model()

    played = wrapper(clip, torch.tensor([[latent / 15.0], [0.75], [0.375], [0.0]]))

    torch.testing.assert_close(played, expected, rtol=0, atol=1e-5)
    wrapper.reset_model()
    assert level_db(wrapper(clip) - expected) > -40.0


@torch.no_grad()
def test_no_knob_makes_it_much_louder_than_full_scale(example: Any) -> None:
    model = example.Autoencoder()
    wrapper = example.RaveWrapper(model, example.card(model, "rave", None))
    wrapper.prepare_for_inference()
    clip = 0.2 * audio(1, 8192)

    def peak(latent: float, chaos: float) -> float:
        wrapper.reset_model()
        return float(wrapper(clip, torch.tensor([[latent], [1.0], [1.0], [chaos]])).abs().max())

    assert max(peak(latent / 15.0, chaos=0.0) for latent in range(16)) < 1.5
    assert peak(0.0, chaos=1.0) < 2.5


@torch.no_grad()
def test_chaos_is_noise_that_is_silent_in_silence(example: Any) -> None:
    model = example.Autoencoder()
    wrapper = example.RaveWrapper(model, example.card(model, "rave", None))
    wrapper.prepare_for_inference()
    knobs = wrapper.get_default_param_values()
    knobs[3] = 1.0
    clip = 0.1 * audio(1, 4096)

    quiet = [wrapper(torch.zeros(1, 4096), knobs) for _ in range(2)][1]
    wrapper.reset_model()
    noisy, still = wrapper(clip, knobs), wrapper.reset_model() and wrapper(clip)

    assert level_db(quiet) < -75.0
    assert level_db(noisy[:, 2048:] - still[:, 2048:]) > level_db(still[:, 2048:]) - 6.0


def test_an_export_is_wrapped_with_blocks_rate_and_delay_of_its_own(
    example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = rave_shaped()
    torch.jit.script(model).save(str(tmp_path / "strings.ts"))

    monkeypatch.setattr("sys.argv", ["", "-i", str(tmp_path / "strings.ts"), "-o", str(tmp_path / "out")])
    without_samples = functools.partial(example.save_neutone_model, audio_sample_pairs=[])  # they take longest
    monkeypatch.setattr(example, "save_neutone_model", without_samples)

    example.main()

    script, metadata = load_neutone_model(tmp_path / "out" / "model.nm")
    assert metadata["model_name"] == "strings"
    assert metadata["native_sample_rates"] == [48_000]
    assert metadata["native_buffer_sizes"][0] == RATIO
    assert all(size % RATIO == 0 for size in metadata["native_buffer_sizes"])
    script.set_daw_sample_rate_and_buffer_size(48_000, 256)
    assert script.calc_buffering_delay_samples() == 0
    assert script.calc_model_delay_samples() == pytest.approx(model.cumulative_delay, abs=RATIO)
    clip = audio(1, 2048)
    with torch.no_grad():
        zeros(model)
        expected = model(clip[None])[0]
        for _ in range(2):
            script.reset()
            played = torch.cat([script(block) for block in clip.split(256, dim=1)], dim=1)
            torch.testing.assert_close(played, expected, rtol=0, atol=1e-5)


def zeros(model: nn.Module) -> None:
    for name, buffer in model.named_buffers():
        if name.rpartition(".")[2] in ("pad", "cache"):
            buffer.zero_()


def three_channels() -> Any:
    model = rave_shaped()
    model.decode_params[2] = 3
    return model


def without_rate() -> Any:
    model = rave_shaped()
    del model.sr
    return model


WRONG = {
    "no RAVE export: it has no encode, no decode": nn.Tanh,
    "it has no sampling_rate or sr": without_rate,
    "remembers nothing from block to block; export it again with --streaming": lambda: rave_shaped(cached=False),
    "has 3 channels, hosts have 1 or 2": three_channels,
}


@pytest.mark.parametrize("message", WRONG)
def test_another_file_is_refused_with_the_reason(example: Any, message: str, tmp_path: Path) -> None:
    torch.jit.script(WRONG[message]()).save(str(tmp_path / "wrong.ts"))
    with pytest.raises(ValueError, match=message):
        example.load_export(tmp_path / "wrong.ts")


@pytest.mark.parametrize("name", ["missing.ts", "notes.txt", "."])
def test_a_file_that_is_none_is_one_line(
    example: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("no model\nat all")
    monkeypatch.setattr("sys.argv", ["", "-i", str(tmp_path / name), "-o", str(tmp_path / "out")])

    with pytest.raises(
        SystemExit, match=r"^Error: .* is no TorchScript file .*; give one that RAVE exported$"
    ) as error:
        example.main()

    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
