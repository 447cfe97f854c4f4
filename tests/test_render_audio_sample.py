"""A clip through a model, in memory or in a file: rates, channels, parameters, delay."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase, resample
from neutone_sdk.audio import AudioSample, get_default_audio_samples, render_audio_sample
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError, ModelOutputError

from .conftest import Noise
from .wrappers import GAIN, Delaying, PassThrough, PerSample, card, queue

RATE_HZ = 44_100
# Resampled to the model's rate and back: what a plucked string has above 20 kHz.
RESAMPLED = 1e-3


def delaying(**facts: Any) -> Delaying:
    return Delaying(nn.Identity(), card(native_buffer_sizes=[2048], **facts))


@pytest.mark.parametrize("kind", ["wrapper", "queue", "file"])
def test_wrappers_queues_and_files_play_the_clip_without_delay(noise: Noise, kind: str) -> None:
    clip = AudioSample(noise(2, 30_001, 0), RATE_HZ)
    model = delaying() if kind == "wrapper" else queue(delaying(), scripted=kind == "file")

    played = render_audio_sample(model, clip)

    assert isinstance(played, AudioSample)
    assert played.sr == RATE_HZ
    torch.testing.assert_close(played.audio, clip.audio, rtol=0, atol=0)


def test_a_model_plays_the_same_again_and_the_clip_stays_as_it_was(noise: Noise) -> None:
    clip = AudioSample(noise(2, 5_000, 0), RATE_HZ)
    before = clip.audio.clone()
    model = queue(delaying(native_sample_rates=[48_000]), True)

    first, second = (render_audio_sample(model, clip).audio for _ in range(2))

    torch.testing.assert_close(second, first, rtol=0, atol=0)
    torch.testing.assert_close(clip.audio, before, rtol=0, atol=0)


class KnowsItsRate(WaveformToWaveformBase):
    """Plays its rate, in MHz."""

    def __init__(self, rates_hz: list[int]) -> None:
        self.rate_hz = 0
        super().__init__(nn.Identity(), card=card(native_sample_rates=rates_hz))
        self.rate_hz = 0

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.rate_hz = sample_rate
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.full_like(x, 1e-6 * self.rate_hz)


@pytest.mark.parametrize(
    ("rates_hz", "chosen_hz"), [([], RATE_HZ), ([48_000, RATE_HZ], RATE_HZ), ([16_000, 48_000], 48_000)]
)
@pytest.mark.parametrize("scripted", [False, True])
def test_the_host_has_the_native_rate_next_to_the_clips(rates_hz: list[int], chosen_hz: int, scripted: bool) -> None:
    model = queue(KnowsItsRate(rates_hz), scripted)
    played = render_audio_sample(model, AudioSample(torch.zeros(2, 20_000), RATE_HZ))
    assert float(played.audio[0, 10_000]) == pytest.approx(1e-6 * chosen_hz)
    assert model.daw_sr == model.model_sr == chosen_hz


@pytest.mark.parametrize("output_sr", [8_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("native_hz", [44_100, 48_000])
def test_the_output_has_the_rate_asked_for_and_the_duration_of_the_clip(output_sr: int, native_hz: int) -> None:
    string = get_default_audio_samples()[0]
    clip = AudioSample(string.audio[:, :50_001], string.sr)

    played = render_audio_sample(delaying(native_sample_rates=[native_hz]), clip, output_sr=output_sr)

    assert (played.sr, played.audio.size(1)) == (output_sr, -(-50_001 * output_sr // string.sr))
    expected = resample(clip.audio.expand(2, -1), string.sr, output_sr, quality="high")
    middle = slice(output_sr // 10, -output_sr // 10)  # the clip's cut end rings
    torch.testing.assert_close(played.audio[:, middle], expected[:, middle], rtol=0, atol=RESAMPLED)


@pytest.mark.parametrize("is_clip_mono", [True, False])
@pytest.mark.parametrize("is_input_mono", [True, False])
@pytest.mark.parametrize("is_output_mono", [True, False])
def test_channels_are_what_the_model_hears_and_plays(
    noise: Noise, is_clip_mono: bool, is_input_mono: bool, is_output_mono: bool
) -> None:
    model = PassThrough(nn.Identity(), card=card(is_input_mono=is_input_mono, is_output_mono=is_output_mono))
    clip = AudioSample(noise(1 if is_clip_mono else 2, 3_000, 0), RATE_HZ)

    played = render_audio_sample(model, clip)

    heard = clip.audio.mean(dim=0, keepdim=True) if is_input_mono else clip.audio.expand(2, -1)
    expected = heard[:1] if is_output_mono else heard.expand(2, -1)
    torch.testing.assert_close(played.audio, expected, rtol=0, atol=0)


def per_sample(**facts: Any) -> PerSample:
    return PerSample(nn.Identity(), card=card(parameters=[GAIN], **facts))


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("scripted", [False, True])
def test_a_knob_holds_for_the_whole_clip(noise: Noise, shape: tuple[int, ...], scripted: bool) -> None:
    clip = AudioSample(noise(2, 3_001, 0), RATE_HZ)
    played = render_audio_sample(queue(per_sample(), scripted), clip, torch.full(shape, 0.75))
    torch.testing.assert_close(played.audio, 2.0 * clip.audio, rtol=0, atol=0)  # 0.75 of -1..3


@pytest.mark.parametrize("delay_samples", [0, 700])
def test_a_curve_stays_with_its_samples(noise: Noise, delay_samples: int) -> None:
    clip = AudioSample(noise(2, 3_001, 0), RATE_HZ)
    curves = noise(4, 3_001, 1).abs()
    model = per_sample(native_buffer_sizes=[2048], look_ahead_samples=delay_samples)
    if delay_samples:
        model.do_forward_pass = lambda x, params: (x * params["gain"])[:, :-delay_samples]  # type: ignore[method-assign]

    played = render_audio_sample(model, clip, curves)

    torch.testing.assert_close(played.audio, clip.audio * (4.0 * curves[0] - 1.0), rtol=0, atol=1e-6)


def test_a_curve_is_held_where_the_model_has_another_rate() -> None:
    """Between two choices of a menu there is nothing."""
    clip = AudioSample(torch.full((2, 9_000), 0.5), RATE_HZ)
    curves = torch.full((4, 9_000), 0.25)
    curves[:, 4_500:] = 1.0
    gains: list[Tensor] = []

    class Watching(PerSample):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            gains.append(params["gain"].clone())
            return x

    render_audio_sample(
        Watching(nn.Identity(), card=card(parameters=[GAIN], native_sample_rates=[48_000])), clip, curves
    )

    gain = torch.cat(gains)
    n_before = -(-4_500 * 48_000 // RATE_HZ)
    assert torch.equal(gain[:n_before], torch.zeros(n_before))  # 0.25 of -1..3
    assert torch.equal(gain[n_before:], torch.full_like(gain[n_before:], 3.0))


def test_without_params_the_knobs_have_their_defaults(noise: Noise) -> None:
    clip = AudioSample(noise(2, 3_000, 0), RATE_HZ)
    torch.testing.assert_close(render_audio_sample(per_sample(), clip).audio, 0.5 * clip.audio, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"text_params": ["loud"]}, InvalidArgumentError, "text_params are for models that render whole clips"),
        ({"tokens_params": [[1]]}, InvalidArgumentError, "tokens_params are for models that render whole clips"),
        ({"params": torch.zeros(3, 1)}, InvalidAudioError, r"params must have shape \(4, 1\).* got \[3, 1\]"),
        ({"params": torch.zeros(4, 7)}, InvalidAudioError, r"params must have shape .*\(4, 100\).* got \[4, 7\]"),
        ({"params": torch.zeros(4, 1).double()}, InvalidTypeError, "params must be float32, got float64"),
        ({"output_sr": 0}, InvalidArgumentError, r"rates must be in 1\.\.768000 Hz, got 44100 and 0"),
        ({"output_sr": 100}, InvalidArgumentError, "at most 256 times the other"),
        ({"output_sr": 44_100.0}, InvalidTypeError, "output_sr must be an integer"),
        ({"input_sample": torch.zeros(2, 100)}, InvalidTypeError, "input_sample must be an AudioSample"),
        ({"model": nn.Identity()}, InvalidTypeError, "model must be a Waveform.*, got Identity"),
        (
            {"model": torch.jit.script(nn.Identity())},
            InvalidTypeError,
            "or a real-time model that load_neutone_model returned",
        ),
    ],
)
def test_what_a_model_cannot_play_is_refused(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    fine: dict[str, Any] = {"model": per_sample(), "input_sample": AudioSample(torch.zeros(2, 100), RATE_HZ)}
    with pytest.raises(kind, match=message):
        render_audio_sample(**(fine | arguments))


def test_no_texts_are_none() -> None:
    clip = AudioSample(torch.ones(1, 100), RATE_HZ)
    played = render_audio_sample(PassThrough(nn.Identity(), card=card()), clip, None, [], [])
    assert torch.equal(played.audio, torch.ones(2, 100))


class Fails(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        raise ValueError("not today")
        return x


def test_a_file_that_fails_says_so() -> None:
    with pytest.raises(ModelOutputError, match="not today"):
        render_audio_sample(queue(Fails(nn.Identity(), card=card()), True), AudioSample(torch.ones(1, 100), RATE_HZ))


def test_the_queue_of_a_wrapper_is_the_same_object(noise: Noise) -> None:
    """What somebody set up stays reachable, and is reset."""
    made = SampleQueueWrapper(delaying(), daw_sr=96_000)
    render_audio_sample(made, AudioSample(noise(2, 1_000, 0), RATE_HZ))
    assert made.daw_sr == RATE_HZ
    assert torch.equal(made.state_dict()["w2w_base.past"], torch.zeros(2, 37))
