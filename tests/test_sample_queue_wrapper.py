"""The queue between host and model, eager and scripted, against a slow obvious version of the same."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError

from .conftest import Noise
from .wrappers import GAIN, Delaying, Model, PassThrough, PerSample, Stamped, card, queue

RATE_HZ = 48_000
SCRIPTED = pytest.mark.parametrize("scripted", [False, True], ids=["eager", "scripted"])


def fit(audio: Tensor, n_channels: int) -> Tensor:
    """Mono to stereo and back, as a host expects it."""
    if audio.size(0) == n_channels:
        return audio
    return audio.expand(2, -1) if n_channels == 2 else 0.5 * (audio[:1] + audio[1:])


def stamped_slowly(audio: Tensor, knob: Tensor, model_block: int, delay: int) -> Tensor:
    """What `Stamped` returns for whole blocks of the model, late by ``delay``, as long as ``audio``."""
    blocks = []
    for start in range(0, audio.size(1) - model_block + 1, model_block):
        x, curve = audio[:, start : start + model_block], knob[start : start + model_block]
        mean = curve.double().mean().float()
        blocks.append(x * (-1.0 * (1.0 - mean) + 3.0 * mean) + x[:, :1])
    return torch.cat([torch.zeros(audio.size(0), delay), *blocks], dim=1)[:, : audio.size(1)]


def play(model: Model, audio: Tensor, params: Tensor | None, blocks: list[int]) -> Tensor:
    curves = [None] * len(blocks) if params is None else params.split(blocks, dim=1)
    return torch.cat([model(x, p) for x, p in zip(audio.split(blocks, dim=1), curves, strict=True)], dim=1)


@pytest.fixture(scope="module", params=[False, True], ids=["eager", "scripted"])
def stamped(request: pytest.FixtureRequest) -> Model:
    facts = {"native_buffer_sizes": range(1, 65), "parameters": [GAIN]}
    return queue(Stamped(nn.Identity(), card=card(**facts)), request.param)


@settings(deadline=None)
@given(
    host_block=st.integers(1, 80), model_block=st.integers(1, 64), n_blocks=st.integers(1, 30), seed=st.integers(0, 99)
)
def test_a_fixed_stream_is_the_model_on_whole_blocks(
    stamped: Model, noise: Noise, host_block: int, model_block: int, n_blocks: int, seed: int
) -> None:
    stamped.set_daw_sample_rate_and_buffer_size(RATE_HZ, host_block, RATE_HZ, model_block)
    audio, params = noise(2, host_block * n_blocks, seed), noise(4, host_block * n_blocks, seed + 1).abs()
    delay = stamped.calc_buffering_delay_samples()

    played = play(stamped, audio, params, [host_block] * n_blocks)

    torch.testing.assert_close(played, stamped_slowly(audio, params[0], model_block, delay), rtol=0, atol=0)


@settings(deadline=None)
@given(
    blocks=st.lists(st.integers(1, 80), min_size=1, max_size=30),
    model_block=st.integers(1, 64),
    seed=st.integers(0, 99),
)
def test_how_a_variable_stream_is_cut_does_not_change_the_output(
    stamped: Model, noise: Noise, blocks: list[int], model_block: int, seed: int
) -> None:
    stamped.set_daw_sample_rate_and_max_buffer_size(RATE_HZ, 80, RATE_HZ, model_block)
    audio, params = noise(2, sum(blocks), seed), noise(4, sum(blocks), seed + 1).abs()

    played = play(stamped, audio, params, blocks)

    assert stamped.calc_buffering_delay_samples() == model_block - 1
    torch.testing.assert_close(played, stamped_slowly(audio, params[0], model_block, model_block - 1), rtol=0, atol=0)


@SCRIPTED
@pytest.mark.parametrize("host_channels", [1, 2])
@pytest.mark.parametrize("is_input_mono", [False, True])
@pytest.mark.parametrize("is_output_mono", [False, True])
@pytest.mark.parametrize(("host_block", "delay"), [(48, 0), (40, 8), (20, 12)])
def test_mono_and_stereo_fit_on_either_side(
    noise: Noise,
    scripted: bool,
    host_channels: int,
    is_input_mono: bool,
    is_output_mono: bool,
    host_block: int,
    delay: int,
) -> None:
    facts = {"is_input_mono": is_input_mono, "is_output_mono": is_output_mono, "native_buffer_sizes": [16]}
    model = queue(PassThrough(nn.Identity(), card=card(**facts)), scripted, host_block)
    audio = noise(host_channels, 480, 0)
    heard = fit(audio, 1 if is_input_mono else 2)
    returned = heard[:1] if is_output_mono else heard.expand(2, -1)
    expected = torch.cat([torch.zeros(host_channels, delay), fit(returned, host_channels)], dim=1)[:, :480]

    played = play(model, audio, None, [host_block] * (480 // host_block))

    assert model.calc_buffering_delay_samples() == delay
    torch.testing.assert_close(played, expected, rtol=0, atol=0)


@SCRIPTED
@pytest.mark.parametrize("host_block", [64, 128, 100])
def test_curves_stay_with_the_audio_they_belong_to(noise: Noise, scripted: bool, host_block: int) -> None:
    model = queue(
        PerSample(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=[GAIN])), scripted, host_block
    )
    audio, params = noise(2, 3200, 0), noise(4, 3200, 1).abs()
    delay = model.calc_buffering_delay_samples()
    gains = -1.0 * (1.0 - params[0]) + 3.0 * params[0]

    played = play(model, audio, params, [host_block] * (3200 // host_block))

    torch.testing.assert_close(played[:, delay:], (audio * gains)[:, : 3200 - delay], rtol=0, atol=0)


@SCRIPTED
@pytest.mark.parametrize("wrapper_class", [Stamped, PerSample])
@pytest.mark.parametrize("host_block", [64, 192, 100])
def test_a_knob_is_a_curve_that_stays(
    noise: Noise, scripted: bool, wrapper_class: type[Stamped], host_block: int
) -> None:
    model = queue(
        wrapper_class(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=[GAIN])), scripted, host_block
    )
    x, knobs = noise(2, host_block, 0), torch.full((4, 1), 0.7)

    from_knobs = [model(x, knobs) for _ in range(4)]
    model.reset()
    from_curves = [model(x, knobs.repeat(1, host_block)) for _ in range(4)]

    torch.testing.assert_close(from_knobs, from_curves, rtol=0, atol=0)


@SCRIPTED
@pytest.mark.parametrize("host_block", [64, 100])
def test_without_parameters_the_defaults_play(noise: Noise, scripted: bool, host_block: int) -> None:
    model = queue(Stamped(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=[GAIN])), scripted, host_block)
    x = noise(2, host_block, 0)

    by_default = [model(x, None) for _ in range(4)]
    model.reset()
    by_hand = [model(x, model.get_default_param_values()) for _ in range(4)]

    torch.testing.assert_close(by_default, by_hand, rtol=0, atol=0)


@SCRIPTED
@pytest.mark.parametrize("host_block", [64, 100])
def test_reset_is_as_good_as_new(noise: Noise, scripted: bool, host_block: int) -> None:
    model = queue(Delaying(nn.Identity(), card(native_buffer_sizes=[64])), scripted, host_block)
    audio = noise(2, host_block * 9, 0)

    first = play(model, audio, None, [host_block] * 9)
    model.reset()
    second = play(model, audio, None, [host_block] * 9)

    torch.testing.assert_close(second, first, rtol=0, atol=0)


@SCRIPTED
@pytest.mark.parametrize("host_block", [1, 64, 100, 512])
def test_an_impulse_comes_when_it_is_reported(scripted: bool, host_block: int) -> None:
    model = queue(Delaying(nn.Identity(), card(native_buffer_sizes=[64])), scripted, host_block)
    impulse = torch.zeros(2, 1024 * host_block if host_block == 1 else 20 * host_block)
    impulse[:, 0] = 1.0

    played = play(model, impulse, None, [host_block] * (impulse.size(1) // host_block))

    delay = model.calc_buffering_delay_samples() + model.calc_model_delay_samples()
    assert played.nonzero().tolist() == [[0, delay], [1, delay]]


@SCRIPTED
@pytest.mark.parametrize("n_samples", [1, 37, 63, 64, 65, 1000])
@pytest.mark.parametrize("host_block", [64, 100])
def test_offline_is_the_stream_without_its_delay(noise: Noise, scripted: bool, n_samples: int, host_block: int) -> None:
    model = queue(Delaying(nn.Identity(), card(native_buffer_sizes=[64])), scripted, host_block)
    audio = noise(1, n_samples, 0)
    model(noise(2, host_block, 1))  # what was played before must not be heard

    offline = model.forward_offline(audio)

    torch.testing.assert_close(offline, audio, rtol=0, atol=0)


@SCRIPTED
def test_offline_keeps_curves_aligned_and_holds_the_last_value(noise: Noise, scripted: bool) -> None:
    model = queue(PerSample(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=[GAIN])), scripted, 100)
    audio, params = noise(2, 250, 0), noise(4, 250, 1).abs()

    offline = model.forward_offline(audio, params)

    gains = -1.0 * (1.0 - params[0]) + 3.0 * params[0]
    torch.testing.assert_close(offline, audio * gains, rtol=0, atol=0)


@SCRIPTED
def test_forward_bt_returns_what_is_ready_without_delay(noise: Noise, scripted: bool) -> None:
    model = queue(PassThrough(nn.Identity(), card=card(native_buffer_sizes=[64])), scripted, 50)
    audio = noise(2, 500, 0)

    outputs = [model.forward_bt(block) for block in audio.split(50, dim=1)]

    n_ready = [0 if y is None else y.size(1) for y in outputs]
    assert n_ready == [50 * (i + 1) // 64 * 64 - 50 * i // 64 * 64 for i in range(10)]
    ready = torch.cat([y for y in outputs if y is not None], dim=1)
    torch.testing.assert_close(ready, audio[:, : 500 // 64 * 64], rtol=0, atol=0)


@SCRIPTED
def test_forward_after_forward_bt_starts_afresh(noise: Noise, scripted: bool) -> None:
    model = queue(PassThrough(nn.Identity(), card=card(native_buffer_sizes=[64])), scripted, 50)
    audio = noise(2, 500, 0)
    model.forward_bt(noise(2, 50, 1))

    played = play(model, audio, None, [50] * 10)

    delay = model.calc_buffering_delay_samples()
    torch.testing.assert_close(played[:, delay:], audio[:, : 500 - delay], rtol=0, atol=0)
    assert not played[:, :delay].any()


@SCRIPTED
def test_a_new_block_size_while_running_starts_afresh(noise: Noise, scripted: bool) -> None:
    model = queue(Delaying(nn.Identity(), card(native_buffer_sizes=[64, 96])), scripted, 50)
    model(noise(2, 50, 1))
    fresh = queue(Delaying(nn.Identity(), card(native_buffer_sizes=[64, 96])), scripted, 30)
    audio = noise(2, 600, 0)

    model.set_daw_sample_rate_and_buffer_size(44_100, 30)

    expected = play(fresh, audio, None, [30] * 20)
    torch.testing.assert_close(play(model, audio, None, [30] * 20), expected, rtol=0, atol=0)


@SCRIPTED
def test_a_fixed_stream_refuses_another_size_and_goes_on(noise: Noise, scripted: bool) -> None:
    model = queue(PassThrough(nn.Identity(), card=card(native_buffer_sizes=[64])), scripted, 50)
    audio = noise(2, 500, 0)
    outputs = []

    for block in audio.split(50, dim=1):
        with pytest.raises((InvalidAudioError, torch.jit.Error), match="blocks of 50 samples, got 49"):
            model(block[:, :49])
        outputs.append(model(block))

    delay = model.calc_buffering_delay_samples()
    torch.testing.assert_close(torch.cat(outputs, dim=1)[:, delay:], audio[:, : 500 - delay], rtol=0, atol=0)


@SCRIPTED
def test_a_variable_stream_refuses_more_than_it_was_told(noise: Noise, scripted: bool) -> None:
    model = queue(PassThrough(nn.Identity(), card=card(native_buffer_sizes=[64])), scripted, 50)
    model.set_daw_sample_rate_and_max_buffer_size(RATE_HZ, 50)
    with pytest.raises((InvalidAudioError, torch.jit.Error), match="blocks of 1 to 50 samples, got 51"):
        model(noise(2, 51, 0))


@SCRIPTED
@pytest.mark.parametrize("setting", [(0, 64), (-48000, 64), (48000, 0), (48000, -1)])
def test_settings_have_to_be_positive(scripted: bool, setting: tuple[int, int]) -> None:
    model = queue(PassThrough(nn.Identity(), card=card()), scripted, 50)
    with pytest.raises((InvalidArgumentError, torch.jit.Error), match="must be above 0"):
        model.set_daw_sample_rate_and_buffer_size(*setting)


@SCRIPTED
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ((48_000, 64, 44_100), r"works at \[48000\] Hz"),
        ((48_000, 64, 48_000, 65), r"works on blocks of \[64\] samples"),
    ],
)
def test_a_setting_that_the_model_cannot_do_raises_and_changes_nothing(
    noise: Noise, scripted: bool, setting: tuple[int, ...], message: str
) -> None:
    facts = {"native_sample_rates": [48_000], "native_buffer_sizes": [64]}
    model = queue(PassThrough(nn.Identity(), card=card(**facts)), scripted, 50)
    audio = noise(2, 500, 0)
    first = model(audio[:, :50])

    with pytest.raises((InvalidArgumentError, torch.jit.Error), match=message):
        model.set_daw_sample_rate_and_buffer_size(*setting)

    played = torch.cat([first, play(model, audio[:, 50:], None, [50] * 9)], dim=1)
    delay = model.calc_buffering_delay_samples()
    torch.testing.assert_close(played[:, delay:], audio[:, : 500 - delay], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"daw_bs": 512.0}, r"daw_bs must be an integer, got 512\.0"),
        ({"daw_sr": 48_000.0}, r"daw_sr must be an integer, got 48000\.0"),
        ({"daw_sr": "48000"}, "daw_sr must be an integer, got '48000'"),
        ({"daw_bs": True}, "daw_bs must be an integer, got True"),
        ({"model_sr": 48_000.0}, r"model_sr must be an integer, got 48000\.0"),
        ({"model_bs": torch.tensor(64)}, r"model_bs must be an integer, got tensor\(64\)"),
    ],
)
def test_settings_have_to_be_integers(setting: dict[str, Any], message: str) -> None:
    wrapper = PassThrough(nn.Identity(), card=card())
    with pytest.raises(InvalidTypeError, match=message):
        SampleQueueWrapper(wrapper, **setting)
    with pytest.raises(InvalidTypeError, match=message):
        SampleQueueWrapper(wrapper).set_daw_sample_rate_and_buffer_size(**{"daw_sr": RATE_HZ, "daw_bs": 64, **setting})


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (nn.Identity, "Identity"),
        (lambda: torch.jit.script(PassThrough(nn.Identity(), card=card())), "RecursiveScriptModule"),
        (lambda: None, "NoneType"),
    ],
    ids=["plain model", "scripted wrapper", "nothing"],
)
def test_only_wrappers_get_a_queue(make: Callable[[], Any], got: str) -> None:
    with pytest.raises(InvalidTypeError, match=f"must be a WaveformToWaveformBase, got {got}; wrap the model first"):
        SampleQueueWrapper(make())


def test_the_best_rate_and_block_are_chosen() -> None:
    wrapper = PassThrough(nn.Identity(), card=card(native_buffer_sizes=[128, 512, 2048]))
    model = SampleQueueWrapper(wrapper, daw_sr=44_100, daw_bs=256)
    assert (model.model_sr, model.model_bs) == (44_100, 512)


@pytest.mark.parametrize("scripted", [False, True])
def test_what_is_returned_is_the_callers_and_what_is_given_is_not_touched(noise: Noise, scripted: bool) -> None:
    model = queue(PassThrough(nn.Identity(), card=card()), scripted, 64)
    x, params = noise(2, 64, 0), noise(4, 64, 1)
    given, curves = x.clone(), params.clone()

    first = model(x, params)
    kept = first.clone()
    x.zero_()
    model(x, params)

    torch.testing.assert_close(first, kept, rtol=0, atol=0)
    torch.testing.assert_close(kept, given, rtol=0, atol=0)
    torch.testing.assert_close(params, curves, rtol=0, atol=0)


class Tangent(PassThrough):
    """Calls once what nothing else calls."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.tanh(x)


@pytest.mark.parametrize("method", ["forward", "forward_bt", "forward_offline"])
def test_a_script_holds_the_model_once(method: str) -> None:
    """TorchScript copies what is called to wherever it is called, and a host waits until all that is optimised."""
    script = queue(Tangent(nn.Identity(), card=card()), scripted=True)
    assert str(getattr(script, method).inlined_graph).count("aten::tanh(") == 1
