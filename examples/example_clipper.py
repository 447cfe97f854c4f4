"""The shortest wrapper: a hard clipper with two knobs. Run it to export ``model.nm``."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.utils import save_neutone_model


class Clipper(nn.Module):
    """Amplify and clip."""

    def forward(self, x: Tensor, drive: Tensor, ceiling: Tensor) -> Tensor:
        """Return ``x`` times ``drive``, cut off at plus and minus ``ceiling``."""
        return torch.clip(x * drive, -ceiling, ceiling)


class ClipperWrapper(WaveformToWaveformBase):
    """Says what the model is, and how the knobs reach it."""

    card = ModelCard(
        name="clipper",
        authors=["The neutone_sdk developers"],
        short_description="Hard clipper.",
        long_description="Amplifies and cuts off what is too loud, in the way of an overdriven converter.",
        technical_description="torch.clip, without oversampling.",
        tags=["clipper", "distortion"],
        parameters=[
            ContinuousNeutoneParameter("drive", "Gain before clipping, in dB", 12.0, min_value=0.0, max_value=36.0),
            ContinuousNeutoneParameter("ceiling", "Level to clip at, in dB", -12.0, min_value=-36.0, max_value=0.0),
        ],
    )

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Clip one block."""
        return self.model(x, 10.0 ** (params["drive"] / 20.0), 10.0 ** (params["ceiling"] / 20.0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/clipper"), help="folder to export to")
    folder = parser.parse_args().output
    save_neutone_model(ClipperWrapper(Clipper()), folder)
    print(f"exported {folder / 'model.nm'}")
