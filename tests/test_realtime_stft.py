"""The streaming transform: what goes in comes out, exactly as late as it says; filters work as on a whole clip."""

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_sdk.scripting import SCRIPT_ERRORS

from .conftest import Noise

EXACT = 1e-5  # float32 through a transform, its inverse, and, here, a logarithm
WINDOWS: dict[str, Callable[[int], Tensor]] = {
    "hann": torch.hann_window,
    "hamming": torch.hamming_window,
    "ones": torch.ones,
    "padded": lambda n: torch.nn.functional.pad(torch.hann_window(n // 2), [n // 4, n - n // 2 - n // 4]),
    "rising": lambda n: torch.linspace(0.2, 1.0, n),
}


def play(stft: Any, audio: Tensor, mask: Tensor | None = None) -> Tensor:
    """Filter a stream in the domain of its spectrogram."""
    blocks = []
    n_new_frames = int(stft.n_new_frames)
    for block in audio.split(n_new_frames * stft.hop_len, dim=1):
        spec = stft.audio_to_spec(block)
        blocks.append(stft.spec_to_audio(spec if mask is None else spec * mask))
    return torch.cat(blocks, dim=1)


def late(audio: Tensor, n_samples: int) -> Tensor:
    return torch.nn.functional.pad(audio, [n_samples, 0])[:, : audio.size(1)]


def pair(**arguments: Any) -> list[Any]:
    """Return the module in Python, and out of a file."""
    stft = RealtimeSTFT(**arguments)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(copy.deepcopy(stft)), file)
    file.seek(0)
    return [stft, torch.jit.load(file)]


@st.composite
def transforms(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of any transform whose overlapping windows are nowhere all small."""
    n_fft = draw(st.sampled_from([8, 31, 64, 150]))
    window = draw(st.sampled_from(sorted(WINDOWS)))
    longest = {"hann": n_fft // 2, "padded": n_fft // 4}.get(window, n_fft)
    hop_len = draw(st.integers(1, longest))
    model_io_n_frames = draw(st.integers(1, 6))
    power = draw(st.sampled_from([None, 1.0, 2.0]))
    return {
        "model_io_n_frames": model_io_n_frames,
        "io_n_ch": draw(st.integers(1, 3)),
        "io_n_samples": hop_len * draw(st.integers(1, model_io_n_frames)),
        "n_fft": n_fft,
        "hop_len": hop_len,
        "window": WINDOWS[window](n_fft),
        "center": draw(st.booleans()),
        "power": power,
        "logarithmize": power is not None and draw(st.booleans()),
        "ensure_pos_spec": draw(st.booleans()),
    }


@settings(deadline=None, max_examples=80)
@given(arguments=transforms(), seed=st.integers(0, 2**32 - 1))
def test_unchanged_spectrograms_become_the_input_as_late_as_declared(
    arguments: dict[str, Any], seed: int, noise: Noise
) -> None:
    stft = RealtimeSTFT(**arguments)
    n_blocks = 3 + 3 * stft.n_fft // stft.io_n_samples
    audio = noise(stft.io_n_ch, n_blocks * stft.io_n_samples, seed)

    expected = late(audio, stft.calc_model_delay_samples())
    allowed = 2.0 * EXACT if arguments["logarithmize"] else EXACT  # float32 logarithms
    torch.testing.assert_close(play(stft, audio), expected, rtol=0, atol=allowed)


@settings(deadline=None, max_examples=60)
@given(arguments=transforms(), seed=st.integers(0, 2**32 - 1))
def test_a_model_sees_the_latest_frames_of_the_spectrogram_of_the_whole(
    arguments: dict[str, Any], seed: int, noise: Noise
) -> None:
    stft = RealtimeSTFT(**arguments)
    n_new, n_context = stft.io_n_samples // stft.hop_len, stft.model_io_n_frames
    audio = noise(stft.io_n_ch, (3 + 3 * stft.n_fft // stft.io_n_samples) * stft.io_n_samples, seed)
    n_silent = n_context * stft.hop_len  # a whole number of hops, so that frames lie alike
    whole = stft.audio_to_spec_offline(torch.nn.functional.pad(audio, [n_silent + stft.n_fft * stft.hop_len, 0]))
    end = int(stft.window.nonzero()[-1]) + 1
    n_late = -(-(end - stft.n_fft // 2) // stft.hop_len) - 1 if stft.center else 0

    for i, block in enumerate(audio.split(stft.io_n_samples, dim=1)):
        last = stft.n_fft + n_context + (i + 1) * n_new - n_late
        expected = whole[:, :, last - n_context : last]
        torch.testing.assert_close(stft.audio_to_spec(block), expected, rtol=1e-5, atol=EXACT)


@pytest.mark.parametrize("hop_len", [16, 32, 48])
def test_offline_is_the_transform_of_torch_with_silence_around(hop_len: int, noise: Noise) -> None:
    audio = noise(2, 1000, 0)
    stft = RealtimeSTFT(
        io_n_samples=hop_len, n_fft=128, hop_len=hop_len, window=torch.hamming_window(128), logarithmize=False
    )

    expected = torch.stft(audio, 128, hop_len, window=stft.window, pad_mode="constant", return_complex=True).abs()

    torch.testing.assert_close(stft.audio_to_spec_offline(audio), expected, rtol=0, atol=EXACT)


def test_without_center_a_frame_ends_with_each_hop(noise: Noise) -> None:
    audio = noise(1, 640, 0)
    stft = RealtimeSTFT(io_n_ch=1, io_n_samples=64, n_fft=256, hop_len=64, center=False, power=None, logarithmize=False)

    spec = stft.audio_to_spec_offline(audio)

    assert spec.shape == (1, 129, 10)
    expected = torch.fft.rfft(audio[0, 64:320] * torch.hann_window(256)).real
    torch.testing.assert_close(spec[0, :, 4], expected, rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        pytest.param({"logarithmize": False}, lambda z: z.abs(), id="magnitudes"),
        pytest.param({"logarithmize": False, "power": 3.0}, lambda z: z.abs() ** 3, id="cubes"),
        pytest.param({"ensure_pos_spec": False}, lambda z: z.abs().clamp(min=0.1).log10(), id="logarithms"),
        pytest.param({}, lambda z: z.abs().clamp(min=0.1).log10() + 1.0, id="positive logarithms"),
        pytest.param({"logarithmize": False, "power": None}, lambda z: z.real, id="real parts"),
    ],
)
def test_scales(scale: dict[str, Any], expected: Any, noise: Noise) -> None:
    audio = noise(2, 64, 0)
    stft = RealtimeSTFT(1, 2, 64, 64, 64, torch.ones(64), center=False, eps=0.1, **scale)

    spec = stft.audio_to_spec(audio)[:, :, 0]

    torch.testing.assert_close(spec, expected(torch.fft.rfft(audio)), rtol=1e-5, atol=EXACT)


@pytest.mark.parametrize("io_n_samples", [128, 512])
def test_a_filter_of_bins_works_as_on_the_whole_clip(io_n_samples: int, noise: Noise) -> None:
    audio = torch.nn.functional.pad(noise(2, 7680, 0), [512, 0])  # torch has no frames before the first sample
    mask = torch.linspace(0.0, 2.0, 257)[None, :, None]
    window = torch.hann_window(512)
    spectra = torch.stft(audio, 512, 128, window=window, pad_mode="constant", return_complex=True)
    expected = torch.istft(spectra * mask, 512, 128, window=window, length=8192)

    for stft in pair(io_n_samples=io_n_samples, n_fft=512, hop_len=128, logarithmize=False):
        delay = stft.calc_model_delay_samples()
        filtered = play(stft, audio, mask)
        torch.testing.assert_close(filtered[:, delay:], expected[:, :-delay], rtol=0, atol=EXACT)


def test_what_changes_from_block_to_block_makes_no_step() -> None:
    """A constant under a gain that jumps between 0 and 1 moves no faster than the windows do."""
    stft = RealtimeSTFT(io_n_ch=1, io_n_samples=128, n_fft=512, hop_len=128, logarithmize=False)

    blocks = [stft.spec_to_audio(stft.audio_to_spec(torch.ones(1, 128)) * (i // 3 % 2)) for i in range(60)]

    output = torch.cat(blocks, dim=1)
    steepest = 8.0 / 512  # of a sum of Hann's windows squared, over the sum of all
    assert output.max() > 0.9
    assert output.diff().abs().max() < steepest


def test_each_frame_is_put_out_once(noise: Noise) -> None:
    stft = RealtimeSTFT(io_n_samples=128, n_fft=512, hop_len=128, logarithmize=False)
    audio = noise(2, 4096, 0)
    newest = torch.zeros(1, 1, 16)
    newest[:, :, -1] = 1.0

    assert torch.equal(play(copy.deepcopy(stft), audio, newest), play(stft, audio))


@pytest.mark.parametrize(
    ("window", "hop_len", "center", "delay"),
    [
        pytest.param("hann", 512, True, 1535, id="begins with one 0"),
        pytest.param("hann", 512, False, 1535, id="the same, causal"),
        pytest.param("hamming", 512, True, 1536, id="begins with none"),
        pytest.param("hamming", 2048, False, 0, id="no overlap"),
        pytest.param("hamming", 2048, True, 1024, id="no overlap, the middle at a hop"),
        pytest.param("padded", 256, True, 767, id="zeros around"),
        pytest.param("hann", 600, False, 1447, id="any hop"),
        pytest.param("hann", 600, True, 1447 + 176, id="waits for the next hop"),
    ],
)
def test_delay_is_the_least(window: str, hop_len: int, center: bool, delay: int) -> None:
    stft = RealtimeSTFT(io_n_samples=hop_len, hop_len=hop_len, window=WINDOWS[window](2048), center=center)

    assert (stft.calc_model_delay_samples(), stft.get_delay_samples()) == (delay, delay)
    click = torch.zeros(2, 10 * hop_len)
    click[:, 5] = 1.0
    torch.testing.assert_close(play(stft, click), late(click, delay), rtol=0, atol=EXACT)


@pytest.mark.parametrize("fade_n_samples", [0, 128, 384])
def test_fade_of_older_code_changes_nothing(fade_n_samples: int, noise: Noise) -> None:
    audio = noise(2, 4096, 0)

    assert torch.equal(play(RealtimeSTFT(fade_n_samples=fade_n_samples), audio), play(RealtimeSTFT(), audio))


def test_writing_into_what_is_returned_harms_nothing(noise: Noise) -> None:
    audio = noise(2, 8192, 0)
    expected = play(RealtimeSTFT(), audio)

    for stft in pair():
        blocks = []
        for block in audio.split(512, dim=1):
            given_block = block.clone()
            spec = stft.audio_to_spec(given_block)
            given_block.fill_(torch.nan)
            kept = spec.clone()
            output = stft.spec_to_audio(spec)
            assert torch.equal(spec, kept)
            spec.fill_(torch.nan)
            blocks.append(output.clone())
            output.fill_(torch.nan)
        assert torch.equal(torch.cat(blocks, dim=1), expected)


def test_later_blocks_leave_earlier_results_alone(noise: Noise) -> None:
    stft = RealtimeSTFT()
    audio = noise(2, 1024, 0)
    spec = stft.audio_to_spec(audio[:, :512])
    output = stft.spec_to_audio(spec)
    kept_spec, kept_output = spec.clone(), output.clone()

    stft.spec_to_audio(stft.audio_to_spec(audio[:, 512:]))
    stft.reset()

    assert torch.equal(spec, kept_spec)
    assert torch.equal(output, kept_output)


def test_reset_and_another_block_size_start_afresh(noise: Noise) -> None:
    audio = noise(2, 8192, 0)
    for stft in pair(io_n_samples=1024):
        first = play(stft, audio)
        stft.reset()
        assert torch.equal(play(stft, audio), first)
        stft.set_buffer_size(2048)
        assert int(stft.n_new_frames) == 4
        assert torch.equal(play(stft, audio), play(RealtimeSTFT(io_n_samples=2048), audio))


def test_script_and_frozen_script_are_as_python(noise: Noise) -> None:
    class Filter(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stft = RealtimeSTFT(power=2.0)

        @torch.jit.export
        def resize(self, n_samples: int) -> None:
            self.stft.set_buffer_size(n_samples)

        def forward(self, x: Tensor) -> Tensor:
            spec = self.stft.audio_to_spec(x)
            spec *= 0.9
            return self.stft.spec_to_audio(spec)

    audio = noise(2, 16_384, 0)
    eager = Filter().eval()
    frozen = torch.jit.freeze(torch.jit.script(Filter().eval()), preserved_attrs=["resize"])
    for module in (eager, frozen):
        module.resize(1024)
    for block in audio.split(1024, dim=1):
        torch.testing.assert_close(frozen(block), eager(block), rtol=0, atol=1e-6)


def test_sounds_out_of_silence_have_phase_0() -> None:
    stft = RealtimeSTFT(1, 1, 64, 64, 64, torch.ones(64), center=False, logarithmize=False)
    stft.audio_to_spec(torch.zeros(1, 64))

    output = stft.spec_to_audio(torch.ones(1, 33, 1))

    click = torch.zeros(1, 64)
    click[:, 0] = 1.0
    torch.testing.assert_close(output, click, rtol=0, atol=1e-6)


def test_reset_forgets_phases(noise: Noise) -> None:
    stft = RealtimeSTFT(logarithmize=False)
    spec = stft.audio_to_spec(noise(2, 512, 0))

    stft.reset()

    assert torch.equal(stft.spec_to_audio(spec), RealtimeSTFT(logarithmize=False).spec_to_audio(spec))


@pytest.mark.parametrize("scale", [{"power": 1.0}, {"power": None, "logarithmize": False}])
def test_without_phases_frames_are_even(scale: dict[str, Any], noise: Noise) -> None:
    stft = RealtimeSTFT(1, 1, 64, 64, 64, torch.ones(64), center=False, use_phase_info=False, **scale)

    frame = stft.spec_to_audio(stft.audio_to_spec(noise(1, 64, 0)))

    torch.testing.assert_close(frame[:, 1:], frame[:, 1:].flip(1), rtol=0, atol=EXACT)


def test_gradients_flow_and_end_at_the_block(noise: Noise) -> None:
    gain = torch.ones(1, requires_grad=True)
    stft = RealtimeSTFT(io_n_samples=2048, logarithmize=False)
    audio = noise(2, 4096, 0)

    for block in audio.split(2048, dim=1):
        stft.spec_to_audio(stft.audio_to_spec(block) * gain).sum().backward()
    offline = audio.clone().requires_grad_()
    stft.audio_to_spec_offline(offline).sum().backward()

    assert gain.grad is not None
    assert gain.grad.abs() > 0
    assert offline.grad is not None
    assert offline.grad.abs().sum() > 0


def test_the_window_of_a_checkpoint_is_taken(noise: Noise) -> None:
    audio = noise(2, 8192, 0)
    stft = RealtimeSTFT()

    stft.load_state_dict({"window": torch.hamming_window(2048)})

    assert list(stft.state_dict()) == ["window"]
    assert torch.equal(play(stft, audio), play(RealtimeSTFT(window=torch.hamming_window(2048)), audio))


def test_sizes_for_wrappers() -> None:
    for stft in pair(model_io_n_frames=3, io_n_samples=128, n_fft=512, hop_len=128):
        assert stft.calc_min_buffer_size() == 128
        assert stft.calc_max_buffer_size() == 384
        assert stft.calc_supported_buffer_sizes() == [128, 256, 384]
        assert stft.get_receptive_field_samples() == 3 * 128 + 511


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(2, 511), r"shape \(2, 512\), got \[2, 511\]"),
        (torch.zeros(2, 0), r"shape \(2, 512\), got \[2, 0\]"),
        (torch.zeros(2, 1024), "call set_buffer_size"),
        (torch.zeros(1, 512), r"shape \(2, samples\), got \[1, 512\]"),
        (torch.zeros(512), r"shape \(2, samples\), got \[512\]"),
        (torch.zeros(2, 512, dtype=torch.float64), "must be float32 on cpu as the block is, got float64"),
    ],
)
def test_bad_blocks_are_refused_and_leave_the_stream_alone(bad: Tensor, message: str, noise: Noise) -> None:
    audio = noise(2, 4096, 0)
    expected = play(RealtimeSTFT(), audio)
    for stft in pair():
        with pytest.raises((ValueError, TypeError, *SCRIPT_ERRORS), match=message):
            stft.audio_to_spec(bad)
        with pytest.raises((ValueError, *SCRIPT_ERRORS), match=r"spec must have shape \[2, 1025, 16\]"):
            stft.spec_to_audio(torch.zeros(2, 1025, 15))
        assert torch.equal(play(stft, audio), expected)
