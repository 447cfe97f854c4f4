"""The same network with caches and with a look-behind: microseconds per callback of each, and their ratio.

Run as ``python -m benchmarks.look_behind``. With a look-behind every callback computes the past again, so the network
has ``(look_behind + n) / n`` times the samples to work on. Neither is late.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from neutone_sdk import ModelCard, SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.tcn_1d import TCN1D
from neutone_sdk.utils import model_to_torchscript

SIZES = (128, 512, 2048)
DIL_GROWTHS = (4, 8)
N_ROUNDS = 200


CARD = ModelCard(name="tcn", authors=["-"], short_description="-", is_input_mono=True, is_output_mono=True)


class Cached(WaveformToWaveformBase):
    """Keeps the past of every layer."""

    card = CARD

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # noqa: ARG002  # there are none
        """Return the next block."""
        return self.model(x.unsqueeze(0)).squeeze(0)

    def reset_model(self) -> bool:
        """Forget the past."""
        self.model.reset()  # type: ignore[operator]
        return True


class LookingBehind(WaveformToWaveformBase):
    """Computes the past anew in every block."""

    card = CARD

    def __init__(self, model: TCN1D) -> None:
        super().__init__(model)
        self.n_past = model.get_receptive_field_samples() - 1

    def get_look_behind_samples(self) -> int:
        """Return as many samples as the network hears beside the one that it computes."""
        return self.n_past

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # noqa: ARG002  # there are none
        """Return the end of what the network makes of both."""
        return self.model(x.unsqueeze(0)).squeeze(0)[:, self.n_past :]


def microseconds(make: Callable[[TCN1D], WaveformToWaveformBase], dil_growth: int, n_samples: int) -> float:
    """Return the quickest of many callbacks: another process can only slow one down."""
    network = TCN1D(n_blocks=4, n_channels=16, dil_growth=dil_growth, causal=True)
    script = model_to_torchscript(SampleQueueWrapper(make(network), daw_bs=n_samples))
    x = torch.rand(1, n_samples) - 0.5
    best = float("inf")
    with torch.inference_mode():
        for _ in range(N_ROUNDS):
            start = time.perf_counter()
            script(x)
            best = min(best, time.perf_counter() - start)
    return best * 1e6


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{'receptive field':>16} {'n':>6} {'cached':>8} {'behind':>8} {'times':>6} {'samples':>8}")
    for dil_growth in DIL_GROWTHS:
        n_field = TCN1D(n_blocks=4, n_channels=1, dil_growth=dil_growth).get_receptive_field_samples()
        for n_samples in SIZES:
            cached, behind = (microseconds(make, dil_growth, n_samples) for make in (Cached, LookingBehind))
            ratio = (n_field - 1 + n_samples) / n_samples
            print(f"{n_field:>16} {n_samples:>6} {cached:8.0f} {behind:8.0f} {behind / cached:6.1f} {ratio:8.1f}")


if __name__ == "__main__":
    main()
