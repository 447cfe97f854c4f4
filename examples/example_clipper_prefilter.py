"""A clipper behind a filter that keeps out what it should not hear, at whatever rate the host runs."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.filters import FilterType, FIRFilter
from neutone_sdk.utils import save_neutone_model


class Clipper(nn.Module):
    """Amplify and clip."""

    def forward(self, x: Tensor, drive: Tensor) -> Tensor:
        """Return ``x`` times ``drive``, cut off at plus and minus 1."""
        return torch.clip(x * drive, -1.0, 1.0)


class PrefilteredClipperWrapper(WaveformToWaveformBase):
    """The filter is tuned when the host says its rate, and its delay is reported to the host."""

    card = ModelCard(
        name="clipper with prefilter",
        authors=["The neutone_sdk developers"],
        short_description="Hard clipper that hears only 80 Hz to 8 kHz.",
        technical_description="A linear-phase band-pass of 257 taps before torch.clip.",
        tags=["clipper", "filter"],
        parameters=[
            ContinuousNeutoneParameter("drive", "Gain before clipping, in dB", 12.0, min_value=0.0, max_value=36.0)
        ],
    )

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.prefilter = FIRFilter(FilterType.BANDPASS, cutoffs=[80.0, 8_000.0], filt_size=257)

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """Return the delay of the filter; the clipper has none."""
        return self.prefilter.delay

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:  # noqa: ARG002
        """Move the filter's band to where it is at this rate; nothing above 0.45 of it."""
        self.prefilter.set_parameters(cutoffs=[80.0, min(8_000.0, 0.45 * sample_rate)], sample_rate=sample_rate)
        return True

    def reset_model(self) -> bool:
        """Empty the filter."""
        self.prefilter.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Filter and clip one block."""
        return self.model(self.prefilter(x), 10.0 ** (params["drive"] / 20.0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/clipper_prefilter"), help="export to")
    folder = parser.parse_args().output
    save_neutone_model(PrefilteredClipperWrapper(Clipper()), folder)
    print(f"exported {folder / 'model.nm'}")
