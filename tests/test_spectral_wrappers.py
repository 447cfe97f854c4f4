"""Spectrograms, mel bands and long chunks inside a wrapper: exported in both flavours, a host hears the same."""

# What a wrapper calls self.model is any module.
# mypy: disable-error-code="operator"

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.cached_mel_spec import CachedMelSpec
from neutone_sdk.overlap_add import OverlapAdd
from neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .conftest import Noise
from .wrappers import card, queue

SAME = 1e-5  # of a filter over 1025 bins, whose transforms round in float32


class Damp(nn.Module):
    """Works in place, as filters of 1.x do."""

    def forward(self, spec: Tensor, amount: Tensor) -> Tensor:
        if amount == 0.0:
            return spec
        spec[:, 10:, :] *= 1.0 - amount
        return spec


class SpectralFilter(WaveformToWaveformBase):
    """As the 1.x example is written."""

    card = card(
        name="spectral",
        parameters=[ContinuousNeutoneParameter("amount", "of what is taken away", 0.75)],
        native_sample_rates=[44_100],
    )

    def __init__(self, model: nn.Module, io_n_ch: int = 2) -> None:
        super().__init__(model)
        self.stft = RealtimeSTFT(model_io_n_frames=8, io_n_ch=io_n_ch, logarithmize=False, fade_n_samples=384)
        self.stft.set_buffer_size(self.stft.calc_min_buffer_size())

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return self.stft.calc_supported_buffer_sizes()

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return self.stft.calc_model_delay_samples()

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.stft.set_buffer_size(n_samples)
        return True

    def reset_model(self) -> bool:
        self.stft.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        spec = self.stft.audio_to_spec(x)
        return self.stft.spec_to_audio(self.model.forward(spec, params["amount"]))


class ByBands(WaveformToWaveformBase):
    """Scales each block by how loud its latest mel frame was."""

    def __init__(self, model: nn.Module, card: ModelCard) -> None:
        super().__init__(model, card=card)
        self.loudness = 0.0

    def reset_model(self) -> bool:
        self.model.reset()
        self.loudness = 0.0
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        bands = self.model(x)
        if bands.size(2) > 0:
            self.loudness = float(bands[:, :, -1].mean().log1p())
        return x * self.loudness


class InChunks(WaveformToWaveformBase):
    """A model of chunks of 1000 samples."""

    def calc_model_delay_samples(self) -> int:
        return self.model.get_delay_samples()

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.model.set_buffer_size(n_samples)
        return True

    def reset_model(self) -> bool:
        self.model.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


def exported(wrapper: WaveformToWaveformBase, folder: Path, flavour: str, **options: Any) -> Any:
    save_neutone_model(wrapper, folder, flavour=flavour, max_n_samples=0, speed_benchmark=False, **options)
    return load_neutone_model(folder / "model.nm")[0]


def play(script: Any, audio: Tensor, host_block: int, rate_hz: int) -> Tensor:
    script.set_daw_sample_rate_and_buffer_size(rate_hz, host_block)
    script.reset()
    n_whole = audio.size(1) // host_block * host_block
    with torch.no_grad():
        return torch.cat([script(block) for block in audio[:, :n_whole].split(host_block, dim=1)], dim=1)


def delay_of(script: Any) -> int:
    return int(script.calc_buffering_delay_samples() + script.calc_model_delay_samples())


@pytest.mark.parametrize("flavour", ["native", "portable"])
def test_a_spectral_filter_plays_like_offline_and_as_late_as_reported(
    flavour: str, tmp_path: Path, noise: Noise
) -> None:
    script = exported(SpectralFilter(Damp()), tmp_path, flavour)
    audio = nn.functional.pad(noise(2, 10 * 1024 - 2048, 0), [2048, 0])
    window = torch.hann_window(2048)
    spectra = torch.stft(audio, 2048, 512, window=window, pad_mode="constant", return_complex=True)
    spectra[:, 10:] *= 0.25
    expected = torch.istft(spectra, 2048, 512, window=window, length=audio.size(1))

    for host_block in (512, 1024, 320):
        played = play(script, audio, host_block, 44_100)
        delay = delay_of(script)
        assert script.calc_model_delay_samples() == 1535
        torch.testing.assert_close(played[:, delay:], expected[:, : played.size(1) - delay], rtol=0, atol=SAME)


def test_a_frozen_spectral_filter_takes_other_block_sizes(tmp_path: Path, noise: Noise) -> None:
    plain = queue(SpectralFilter(Damp()), scripted=False)
    frozen = exported(SpectralFilter(Damp()), tmp_path, "native", freeze=True)
    audio = noise(2, 8192, 0)

    for host_block in (2048, 512):
        expected = play(plain, audio, host_block, 44_100)
        torch.testing.assert_close(play(frozen, audio, host_block, 44_100), expected, rtol=0, atol=SAME)


def test_mel_bands_in_a_portable_file(tmp_path: Path, noise: Noise) -> None:
    mel_spec = CachedMelSpec(48_000, 2, 1024, 256, n_mels=40)
    script = exported(ByBands(mel_spec, card(is_input_mono=False, is_output_mono=False)), tmp_path, "portable")
    audio = noise(2, 8000, 0)
    whole = mel_spec.forward_offline(nn.functional.pad(audio, [1024, 0]))
    blocks = []
    for i, block in enumerate(audio.split(100, dim=1)):
        latest = whole[:, :, (1024 + (i + 1) * 100 - 512) // 256]
        blocks.append(block * latest.mean().log1p())

    torch.testing.assert_close(play(script, audio, 100, 48_000), torch.cat(blocks, dim=1), rtol=1e-4, atol=1e-5)


def test_a_model_of_chunks_in_a_portable_file(tmp_path: Path, noise: Noise) -> None:
    convolution = nn.Conv1d(2, 2, 9, padding=4)
    overlap_add = OverlapAdd(convolution, 1000, 500, block_samples=100)
    wrapper = InChunks(overlap_add, card=card(is_input_mono=False, is_output_mono=False))
    script = exported(wrapper, tmp_path, "portable")
    audio = noise(2, 4000, 0)
    with torch.no_grad():
        whole = overlap_add.forward_offline(audio)

    for host_block, delay in ((500, 500), (200, 900), (441, 999)):
        played = play(script, audio, host_block, 48_000)
        assert delay_of(script) == delay
        torch.testing.assert_close(played[:, delay:], whole[:, : played.size(1) - delay], rtol=0, atol=SAME)
