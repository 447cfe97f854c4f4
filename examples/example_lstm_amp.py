"""A guitar amplifier learnt by an LSTM, whose state goes on from block to block. Run it to export ``model.nm``.

The amplifier is a known one, a high-pass into tanh into a low-pass, so the error that is printed can be believed. Some
seconds of training leave 2 % of error; more leave less (`--steps`).
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.filters import FilterType, IIRFilter
from neutone_sdk.recurrent import CachedLSTM
from neutone_sdk.utils import save_neutone_model

SAMPLE_RATE_HZ = 44_100
SEQUENCE = 512


class LstmAmp(nn.Module):
    """An LSTM that says by how much the output differs from the input: ``(batch, 1, n)`` to the same."""

    def __init__(self, hidden_size: int = 12) -> None:
        super().__init__()
        self.lstm = CachedLSTM(1, hidden_size)
        self.mix = nn.Conv1d(hidden_size, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Run clips, or the next block of a stream."""
        return x + self.mix(self.lstm(4.0 * x))

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.lstm.reset()


def amplified(audio: Tensor) -> Tensor:
    """Return what the amplifier makes of audio ``(1, n)``."""
    before = IIRFilter(FilterType.HIGHPASS, 120.0, 0.7, sample_rate=SAMPLE_RATE_HZ)
    behind = IIRFilter(FilterType.LOWPASS, 6000.0, 0.7, sample_rate=SAMPLE_RATE_HZ)
    return behind(torch.tanh(6.0 * before(audio)))


def trained(n_steps: int) -> LstmAmp:
    """Train on a plucked string and a pad, at many levels; print the error-to-signal ratio."""
    torch.manual_seed(0)
    model = LstmAmp()
    string, _, pad = (clip.audio.mean(dim=0, keepdim=True) for clip in get_default_audio_samples())
    dry = torch.cat([level * clip for clip in (string, pad) for level in (1.0, 0.3, 0.1)], dim=1)
    wet = amplified(dry)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    for _ in range(n_steps):
        starts = torch.randint(dry.size(1) - SEQUENCE, (32,)).tolist()
        x, target = (torch.stack([clip[:, at : at + SEQUENCE] for at in starts]) for clip in (dry, wet))
        # The first samples of a cut have no past: they count for nothing.
        loss = (model(x) - target)[..., 128:].square().mean() / target[..., 128:].square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        error = (model(dry[None]) - wet).square().mean() / wet.square().mean()
    print(f"error-to-signal ratio after {n_steps} steps: {100.0 * float(error):.1f} %")
    return model


class LstmAmpWrapper(WaveformToWaveformBase):
    """Gives the amplifier an input gain, and a capacitor behind it: networks make DC."""

    card = ModelCard(
        name="lstm amp",
        authors=["The neutone_sdk developers"],
        short_description="A guitar amplifier, learnt by a recurrent network.",
        long_description="Plays like the amplifier that it was trained on. Turn the gain up for more distortion.",
        technical_description="LSTM of 12 units with a residual path, trained on a high-pass, tanh and a low-pass.",
        tags=["amp", "guitar", "lstm"],
        is_input_mono=True,
        is_output_mono=True,
        native_sample_rates=[SAMPLE_RATE_HZ],
        parameters=[
            ContinuousNeutoneParameter(
                "gain", "Gain before the amplifier, in dB", 0.0, min_value=-24.0, max_value=12.0, smoothing_ms=20.0
            )
        ],
    )

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.capacitor = IIRFilter(FilterType.HIGHPASS, 15.0, 0.7, sample_rate=SAMPLE_RATE_HZ)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Amplify one block of ``(1, n)``."""
        driven = x * 10.0 ** (params["gain"] / 20.0)
        return self.capacitor(self.model(driven.unsqueeze(0)).squeeze(0))

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.model.reset()  # type: ignore[operator]
        self.capacitor.reset()
        return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/lstm_amp"), help="where to export to")
    parser.add_argument("--steps", type=int, default=400, help="of training")
    arguments = parser.parse_args()
    save_neutone_model(LstmAmpWrapper(trained(arguments.steps)), arguments.output)
    print(f"exported {arguments.output / 'model.nm'}")
