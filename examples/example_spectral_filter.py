"""A notch drawn into the spectrogram: how to wrap a model that works on STFT frames. Run it to export ``model.nm``."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_sdk.utils import save_neutone_model

SAMPLE_RATE_HZ = 44_100


class Notch(nn.Module):
    """Take a band out of a magnitude spectrogram."""

    def __init__(self, n_bins: int) -> None:
        super().__init__()
        self.octaves: Tensor
        frequencies_hz = torch.linspace(0.0, SAMPLE_RATE_HZ / 2, n_bins).clamp(min=1.0)
        self.register_buffer("octaves", frequencies_hz.log2().unsqueeze(1))

    def forward(self, spec: Tensor, center_hz: Tensor, width_octaves: Tensor, depth_db: Tensor) -> Tensor:
        """Return ``(channels, bins, frames)`` with a bell-shaped notch, at its deepest ``depth_db`` deep."""
        distance = (self.octaves - center_hz.log2()) / (0.5 * width_octaves)
        return spec * 10.0 ** (-depth_db / 20.0 * torch.exp2(-distance.square()))


class SpectralFilterWrapper(WaveformToWaveformBase):
    """Turns blocks into frames of a spectrogram, and frames into blocks."""

    card = ModelCard(
        name="spectral notch",
        authors=["The neutone_sdk developers"],
        short_description="Takes a band out of the sound.",
        long_description="A notch filter that works on the spectrogram: move it, widen it, deepen it.",
        technical_description="STFT of 2048 samples, Hann, hop 512; the delay is that of the window less a hop.",
        tags=["filter", "stft"],
        native_sample_rates=[SAMPLE_RATE_HZ],
        parameters=[
            ContinuousNeutoneParameter("center", "Middle of the notch, in Hz", 1000.0, min_value=50.0, max_value=10e3),
            ContinuousNeutoneParameter("width", "Width at half depth, in octaves", 1.0, min_value=0.1, max_value=4.0),
            ContinuousNeutoneParameter("depth", "Depth, in dB", 40.0, min_value=0.0, max_value=80.0),
        ],
    )

    def __init__(self, stft: RealtimeSTFT) -> None:
        super().__init__(Notch(stft.n_fft // 2 + 1))
        self.stft = stft

    def get_native_buffer_sizes(self) -> list[int]:
        """Return all blocks of whole hops."""
        return self.stft.calc_supported_buffer_sizes()

    def calc_model_delay_samples(self) -> int:
        """Return the delay of the STFT."""
        return self.stft.calc_model_delay_samples()

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:  # noqa: ARG002
        """Expect blocks of this size."""
        self.stft.set_buffer_size(n_samples)
        return True

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.stft.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Filter one block."""
        spec = self.model(self.stft.audio_to_spec(x), params["center"], params["width"], params["depth"])
        return self.stft.spec_to_audio(spec)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/spectral_filter"), help="where to export to")
    folder = parser.parse_args().output
    save_neutone_model(SpectralFilterWrapper(RealtimeSTFT(n_fft=2048, hop_len=512, logarithmize=False)), folder)
    print(f"exported {folder / 'model.nm'}")
