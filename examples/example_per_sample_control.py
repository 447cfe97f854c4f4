"""A filter sweep by knobs that reach the model with every sample: smoothed, so that no step is heard."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import CategoricalNeutoneParameter, ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.filters import IIRSVF
from neutone_sdk.utils import save_neutone_model


class SweptFilterWrapper(WaveformToWaveformBase):
    """``smoothing_ms`` makes curves of ``cutoff`` and ``resonance``; the menu comes as one number a block."""

    card = ModelCard(
        name="swept filter",
        authors=["The neutone_sdk developers"],
        short_description="State-variable filter with smooth knobs.",
        technical_description="neutone_sdk.filters.IIRSVF with cutoff and resonance for every sample.",
        tags=["filter"],
        parameters=[
            ContinuousNeutoneParameter(
                "cutoff", "In octaves above 20 Hz", 6.0, min_value=0.0, max_value=9.5, smoothing_ms=30.0
            ),
            ContinuousNeutoneParameter(
                "resonance", "Q", 2.0, min_value=0.5, max_value=20.0, smoothing_ms=30.0, smoothing="linear"
            ),
            CategoricalNeutoneParameter("kind", "What passes", 3, 1, labels=["band", "low", "high"]),
        ],
    )

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.rate_hz = 48_000

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:  # noqa: ARG002
        """Remember the rate."""
        self.rate_hz = sample_rate
        return True

    def reset_model(self) -> bool:
        """Empty the filter."""
        self.model.reset()  # type: ignore[operator]
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Filter one block."""
        cutoff_hz = 20.0 * 2.0 ** params["cutoff"]  # (n,)
        mix = torch.zeros(1, 1, 3)
        mix[0, 0, int(params["kind"])] = 1.0  # (1,)
        return self.model(x, cutoff_hz[None, :, None], params["resonance"][None, :, None], mix, self.rate_hz)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/per_sample_control"), help="export to")
    folder = parser.parse_args().output
    save_neutone_model(SweptFilterWrapper(IIRSVF()), folder)
    print(f"exported {folder / 'model.nm'}")
