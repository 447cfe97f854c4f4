"""An optical compressor with a slow release, learnt by a gated convolutional network. Run it to export ``model.nm``.

The network's convolutions see 11 samples. What a compressor has to know of the last second is in their temporal
modulation: an LSTM that takes one step in 64 samples, conditioned by the knob. It is trained as it plays, chunk after
chunk of a stream, with a state that lasts and the delay that it has: gradients reach back a third of a second.

The compressor is a known one, and the error that is printed is measured on music that was not trained on, so it can be
believed. More steps leave less (`--steps`).
"""

import argparse
import math
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  # as everyone calls it
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.filters import FilterType, IIRFilter
from neutone_sdk.gcn_1d import GCN1D
from neutone_sdk.utils import save_neutone_model

SAMPLE_RATE_HZ = 44_100
CLIP_SAMPLES = 4 * SAMPLE_RATE_HZ
CHUNK_SAMPLES = 16_384
CONTROL_SAMPLES = 32  # from one value of the compressor's gain to the next
MODULATION_SAMPLES = 64
DRIVE = 4.0  # before the network, whose weights are of that size
AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of peak reduction, to train with


def compressed(audio: Tensor, amount: Tensor) -> Tensor:
    """Return what the compressor makes of audio ``(batch, n)`` at peak reductions ``(batch,)`` of 0..1.

    It takes away two thirds of what is above the threshold, 0 to -36 dB. Half of that answers in 10 ms and lets go in
    60 ms, the other half takes 200 ms and half a second. A valve follows.
    """
    level_db = 20.0 * F.max_pool1d(audio.abs(), CONTROL_SAMPLES).clamp(min=1e-5).log10()
    target_db = 2.0 / 3.0 * (level_db + 36.0 * amount[:, None]).clamp(min=0.0)
    times_ms = torch.tensor([[[10.0], [200.0]], [[60.0], [500.0]]])
    attack, release = 1.0 - torch.exp(-CONTROL_SAMPLES / (1e-3 * SAMPLE_RATE_HZ * times_ms))
    halves_db = torch.zeros(2, audio.size(0))
    reductions_db = []
    for now_db in target_db.unbind(1):
        change_db = now_db - halves_db
        halves_db = halves_db + torch.where(change_db > 0.0, attack, release) * change_db
        reductions_db.append(halves_db.mean(dim=0))
    curves_db = F.interpolate(torch.stack(reductions_db, dim=1)[:, None], size=audio.size(1), mode="linear")[:, 0]
    return torch.tanh(1.5 * audio * 10.0 ** (-curves_db / 20.0)) / 1.5


def levels() -> Tensor:
    """Return gains for four seconds that jump between 0 and -30 dB."""
    steps = [10.0 ** (-1.5 * torch.rand(1)).expand(int(torch.randint(2_000, 30_000, (1,)))) for _ in range(100)]
    return torch.cat(steps)[:CLIP_SAMPLES]


def burst() -> Tensor:
    """Return four seconds of a chord, of which some notes are louder than others, or of noise."""
    if torch.rand(1) < 0.5:
        lowpass = IIRFilter(FilterType.LOWPASS, 300.0 * 20.0 ** float(torch.rand(1)), 0.7, sample_rate=SAMPLE_RATE_HZ)
        sound = lowpass(torch.randn(1, CLIP_SAMPLES))[0]
    else:
        cycles = 80.0 * 16.0 ** torch.rand(4, 1) * torch.arange(CLIP_SAMPLES) / SAMPLE_RATE_HZ + torch.rand(4, 1)
        sound = (torch.rand(4, 1) ** 3 * torch.sin(2.0 * math.pi * cycles)).sum(dim=0)
    return sound / sound.abs().max()


def network() -> GCN1D:
    """Return a network that remembers for long before it is trained."""
    gcn = GCN1D(
        n_blocks=2,
        n_channels=4,
        dil_growth=4,
        kernel_size=3,
        cond_dim=1,
        tfilm_block_size=MODULATION_SAMPLES,
        recurrent_in_time=True,
    )
    for name, bias in gcn.named_parameters():
        if name.endswith("rnn.bias_hh_l0"):
            # Units begin as averages over 2 to 300 steps: Tallec and Ollivier (2018), arXiv:1804.11188.
            take_in, keep, value, give_out = bias.data.view(4, -1)
            keep.copy_(math.log(10.0) * torch.linspace(0.3, 2.5, keep.numel())[torch.randperm(keep.numel())])
            take_in.copy_(-keep)
            value.uniform_(-1.0, 1.0)
            give_out.fill_(1.0)
    return gcn


def error_ratio(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean error-to-signal ratio of all 23 ms: soft sounds behind loud ones show the release."""
    errors, powers = (x.unfold(-1, 1024, 1024).square().mean(dim=-1) for x in (output - target, target))
    return (errors / (powers + 1e-6)).mean()


def trained(n_steps: int) -> GCN1D:
    """Train on bursts, in the order of time, with a stream for each of four clips at once."""
    gcn = network()
    gcn.set_cached(True)
    dry = torch.stack([burst() * levels() for _ in range(24)])
    late = [gcn.get_delay_samples(), 0]
    wet = torch.stack([F.pad(compressed(dry, torch.full((24,), amount)), late) for amount in AMOUNTS])
    optimizer = torch.optim.Adam(gcn.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=n_steps, pct_start=0.1)
    n_chunks = CLIP_SAMPLES // CHUNK_SAMPLES
    for step in range(n_steps):
        if step % n_chunks == 0:
            gcn.reset(4)
            clips, knobs = torch.randint(24, (4,)), torch.randint(len(AMOUNTS), (4,))
        chunk = slice(step % n_chunks * CHUNK_SAMPLES, (step % n_chunks + 1) * CHUNK_SAMPLES)
        output = gcn(DRIVE * dry[clips, None, chunk], torch.tensor(AMOUNTS)[knobs, None])
        loss = error_ratio(output[:, 0], wet[knobs, clips, chunk])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(gcn.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    gcn.set_cached(False)
    return gcn.eval()


def report(gcn: GCN1D) -> None:
    """Print how far the network is from the compressor, on music and at positions of the knob that it does not know."""
    music = torch.stack([clip.audio.mean(dim=0)[:CLIP_SAMPLES] * levels() for clip in get_default_audio_samples()])
    for amount in (0.4, 0.6, 0.9):
        target = compressed(music, torch.full((3,), amount))
        with torch.no_grad():
            learnt = gcn(DRIVE * music[:, None], torch.full((3, 1), amount))[:, 0]
        fixed = (music * target).sum() / music.square().sum() * music
        error, least = (100.0 * float(error_ratio(output, target)) for output in (learnt, fixed))
        print(f"peak reduction {amount:.0%}: error-to-signal ratio {error:.1f} %; with a fixed gain {least:.0f} %")


class CompressorWrapper(WaveformToWaveformBase):
    """Puts the knob into the network, and a capacitor behind it: networks make DC. The delay is the network's."""

    card = ModelCard(
        name="opto compressor",
        authors=["The neutone_sdk developers"],
        short_description="A compressor that lets go slowly, learnt by a gated network.",
        long_description="Evens out the level. The gain comes back within a second after loud sounds.",
        technical_description="GCN of 2 blocks with 4 channels; in each an LSTM modulates blocks of 64 samples.",
        technical_links={"Paper": "https://arxiv.org/abs/2211.00497"},
        tags=["compressor", "gcn", "dynamics"],
        is_input_mono=True,
        is_output_mono=True,
        native_sample_rates=[SAMPLE_RATE_HZ],
        parameters=[
            ContinuousNeutoneParameter("peak reduction", "How much is taken away, in percent", 60.0, 0.0, 100.0)
        ],
    )

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.drive = DRIVE
        self.capacitor = IIRFilter(FilterType.HIGHPASS, 15.0, 0.7, sample_rate=SAMPLE_RATE_HZ)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Compress one block of ``(1, n)``."""
        amount = params["peak reduction"].unsqueeze(0) / 100.0
        return self.capacitor(self.model(self.drive * x.unsqueeze(0), amount).squeeze(0))

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.model.reset()  # type: ignore[operator]
        self.capacitor.reset()
        return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/gcn"), help="folder to export to")
    parser.add_argument("--steps", type=int, default=400, help="of training")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = trained(arguments.steps)
    report(model)
    save_neutone_model(CompressorWrapper(model), arguments.output)
    print(f"exported {arguments.output / 'model.nm'}, which is {model.get_delay_samples()} samples late")
