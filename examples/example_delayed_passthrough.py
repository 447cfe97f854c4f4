"""A model that needs some time, and says so: the host moves its output back to where it belongs."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ModelCard, WaveformToWaveformBase
from neutone_sdk.utils import save_neutone_model

DELAY_SAMPLES = 500


class Delay(nn.Module):
    """Return what came some samples ago."""

    past: Tensor

    def __init__(self, n_samples: int) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(2, n_samples))

    def forward(self, x: Tensor) -> Tensor:
        """Return as many samples as ``x`` has, ``(2, n)``."""
        whole = torch.cat([self.past, x], dim=1)
        self.past = whole[:, x.size(1) :].clone()
        return whole[:, : x.size(1)]

    @torch.jit.export
    def reset(self) -> None:
        """Forget the past."""
        self.past.zero_()


class DelayedPassThroughWrapper(WaveformToWaveformBase):
    """A host that compensates for the reported latency plays exactly its input."""

    card = ModelCard(
        name="delayed pass-through",
        authors=["The neutone_sdk developers"],
        short_description="Changes nothing, late, and reports how late.",
        technical_description="For a test of a host's latency compensation.",
        tags=["test"],
        native_sample_rates=[48_000],
        native_buffer_sizes=[2048],
        delay_samples=DELAY_SAMPLES,  # at the model's rate; or override calc_model_delay_samples
    )

    def reset_model(self) -> bool:
        """Forget the past."""
        self.model.reset()  # type: ignore[operator]
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # noqa: ARG002
        """Delay one block."""
        return self.model(x)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/delayed_passthrough"), help="export to")
    folder = parser.parse_args().output
    save_neutone_model(DelayedPassThroughWrapper(Delay(DELAY_SAMPLES)), folder)
    print(f"exported {folder / 'model.nm'}")
