"""A random overdrive: a small TCN that nobody trained, after the idea of micro-tcn. Run it to export ``model.nm``.

Every seed is another distortion. The network streams by itself (`causal=True`: no delay), both channels go through it
as a batch, and two knobs condition it.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.filters import FilterType, IIRFilter
from neutone_sdk.tcn_1d import TCN1D
from neutone_sdk.utils import save_neutone_model


class RandomOverdrive(nn.Module):
    """A conditioned TCN with random weights, as loud as what goes in."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.tcn = TCN1D(n_blocks=4, kernel_size=13, n_channels=8, dil_growth=10, cond_dim=2, causal=True)
            noise = 0.3 * torch.randn(1, 1, 48_000)
            with torch.no_grad():
                answer = self.tcn.eval()(noise, torch.full((1, 2), 0.5))
        self.gain = float(noise.std() / answer.std())

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Distort audio ``(channels, 1, n)`` under a condition ``(channels, 2)``."""
        return self.gain * self.tcn(x, condition)

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.tcn.reset()


class RandomOverdriveWrapper(WaveformToWaveformBase):
    """Drives the network, and takes the DC away that it makes."""

    card = ModelCard(
        name="random overdrive",
        authors=["The neutone_sdk developers"],
        short_description="Overdrive by a neural network with random weights.",
        long_description="Nobody trained this network. Turn up the drive, and search for a sound with both conditions.",
        technical_description="TCN of 4 blocks with 8 channels, 13 taps, dilations 1 to 1000, FiLM; then a high-pass.",
        technical_links={"Paper": "https://arxiv.org/abs/2010.04237"},
        tags=["overdrive", "random", "tcn"],
        native_sample_rates=[48_000],
        parameters=[
            ContinuousNeutoneParameter(
                "drive", "Gain before the network, in dB", 0.0, min_value=-24.0, max_value=24.0, smoothing_ms=20.0
            ),
            ContinuousNeutoneParameter("condition 1", "Turns the weights one way", 0.5),
            ContinuousNeutoneParameter("condition 2", "Turns the weights another way", 0.5),
        ],
    )

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.dc_blocker = IIRFilter(FilterType.HIGHPASS, 20.0, 0.7)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Distort one block; the channels are a batch."""
        driven = x * 10.0 ** (params["drive"] / 20.0)
        condition = torch.cat([params["condition 1"], params["condition 2"]]).expand(x.size(0), 2)
        distorted = self.model(driven.unsqueeze(1), condition).squeeze(1)
        return self.dc_blocker(distorted)

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.model.reset()  # type: ignore[operator]
        self.dc_blocker.reset()
        return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("exports/overdrive_random"), help="folder to export to"
    )
    parser.add_argument("--seed", type=int, default=42, help="another number is another sound")
    arguments = parser.parse_args()
    save_neutone_model(RandomOverdriveWrapper(RandomOverdrive(arguments.seed)), arguments.output)
    print(f"exported {arguments.output / 'model.nm'}")
