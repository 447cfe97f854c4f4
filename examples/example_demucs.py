"""Drums out of a mix: a waveform U-Net after Demucs, played in long chunks that cross-fade. Exports ``model.nm``.

Its layers are those of PyPI's `demucs` (``pip install "demucs>=4.1"``), made small, or, without that package, the same
written down here. It is not the Demucs that separates records: that one has learnt from hundreds of songs. This one
learns for some seconds, from the three clips of this package, what is not drums in mixes of them; drums are what is
left. On a second of those clips that it was not trained on, drums and rest come out about 8 dB cleaner (SI-SDR) than in
the mix. Above some 3 kHz it takes nearly all for drums, because little else is there in those clips. What sounds
otherwise it separates less well, or not at all: train it on more than these.
"""

import argparse
import importlib.util
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase, resample
from neutone_sdk.alignment import Delay
from neutone_sdk.audio import AudioSample, get_default_audio_samples
from neutone_sdk.overlap_add import OverlapAdd
from neutone_sdk.utils import save_neutone_model

SAMPLE_RATE_HZ = 44_100
CHUNK = 16_384  # what the network sees at once
HOP = 8_192  # from chunk to chunk; the delay is the rest of the chunk
CHANNELS = (2, 16, 48)  # of audio, and of each level of the U-Net
KERNEL, STRIDE = 64, 16

Layers = tuple[nn.ModuleList, nn.ModuleList]


def own_layers() -> Layers:
    """Return what goes down, by strided convolutions, and what comes up again, each with a gated linear unit."""
    encoder, decoder = nn.ModuleList(), nn.ModuleList()
    for above, below in pairwise(CHANNELS):
        down, up = nn.Conv1d(above, below, KERNEL, STRIDE), nn.ConvTranspose1d(below, above, KERNEL, STRIDE)
        encoder.append(nn.Sequential(down, nn.GELU(), nn.Conv1d(below, 2 * below, 1), nn.GLU(dim=1)))
        last = nn.Identity() if above == CHANNELS[0] else nn.GELU()
        decoder.insert(0, nn.Sequential(nn.Conv1d(below, 2 * below, 3, padding=1), nn.GLU(dim=1), up, last))
    for layer in [*encoder.modules(), *decoder.modules()]:
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            shrink = (0.1 / layer.weight.std().detach()).sqrt()  # as Demucs does: it learns sooner
            for parameter in layer.parameters():
                parameter.data *= shrink
    return encoder, decoder


def demucs_layers() -> Layers:
    """Return the same, as `Demucs` of the package has it."""
    from demucs.demucs import Demucs  # noqa: PLC0415  # it need not be installed

    growth = CHANNELS[2] / CHANNELS[1]
    sizes = {"channels": CHANNELS[1], "growth": growth, "depth": 2, "kernel_size": KERNEL, "stride": STRIDE}
    network = Demucs(["rest"], CHANNELS[0], **sizes, dconv_mode=0, resample=False)
    return network.encoder, network.decoder


class UNet(nn.Module):
    """Finds what is not drums: ``(batch, 2, n)`` to the same, ``n`` a multiple of `STRIDE` squared.

    It computes what `Demucs.forward` does, which TorchScript can neither compile nor trace, unlike the layers: audio
    comes in at one level and without DC, and what went down is added to what comes up.
    """

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.encoder, self.decoder = layers
        self.n_padding = (KERNEL - STRIDE) // 2  # on both sides, for whole strides in both levels

    def forward(self, mix: Tensor) -> Tensor:
        """Separate chunks, each by itself."""
        middle = mix.mean(dim=1, keepdim=True)
        mean, level = middle.mean(dim=2, keepdim=True), middle.std(dim=2, keepdim=True)
        x = nn.functional.pad((mix - mean) / (level + 1e-5), [self.n_padding, self.n_padding])
        skips: list[Tensor] = []
        for encode in self.encoder:
            x = encode(x)
            skips.append(x)
        for decode in self.decoder:
            x = decode(x + skips.pop())
        return x[:, :, self.n_padding : self.n_padding + mix.size(2)] * level + mean


def clips(*, held_out: bool) -> list[Tensor]:
    """Return the clips of this package, stereo: their first quarters, held out, or what is behind these to train on."""
    whole = [resample(clip.audio, clip.sr, SAMPLE_RATE_HZ).expand(2, -1) for clip in get_default_audio_samples()]
    return [clip[:, : clip.size(1) // 4] if held_out else clip[:, clip.size(1) // 4 :] for clip in whole]


def held_out_stems() -> tuple[Tensor, Tensor]:
    """Return drums, and a string with a pad, all of which training leaves out."""
    string, drums, pad = clips(held_out=True)
    n_samples = min(string.size(1), drums.size(1), pad.size(1))
    return drums[:, :n_samples], 0.7 * (string[:, :n_samples] + pad[:, :n_samples])


def some(clip: Tensor, share: float, n_pieces: int) -> Tensor:
    """Cut pieces out of a clip, at many levels, some with their channels swapped; all but a share are silent."""
    starts = torch.randint(clip.size(1) - CHUNK, (n_pieces,)).tolist()
    pieces = torch.stack([clip[:, at : at + CHUNK].roll(at % 2, dims=0) for at in starts])
    levels = 10.0 ** torch.empty(n_pieces, 1, 1).uniform_(-0.5, 0.3)
    return pieces * levels * (torch.rand(n_pieces, 1, 1) < share)


def trained(network: nn.Module, n_steps: int) -> nn.Module:
    """Train on mixes of drums with a string, a pad, or both."""
    string, drums, pad = clips(held_out=False)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    for _ in range(n_steps):
        rest = some(string, 0.7, 4) + some(pad, 0.7, 4)
        mix = rest + some(drums, 0.9, 4)
        error = (network(mix) - rest) / (mix.std(dim=(1, 2), keepdim=True) + 1e-3)
        optimizer.zero_grad()
        error.abs().mean().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network.eval()


def si_sdr_db(estimate: Tensor, target: Tensor) -> float:
    """Return the scale-invariant signal-to-distortion ratio."""
    aimed = (estimate * target).sum() / target.square().sum() * target
    return float(10.0 * torch.log10(aimed.square().sum() / (aimed - estimate).square().sum()))


def report(stream: OverlapAdd) -> None:
    """Print how much cleaner both stems are than the mix."""
    drums, rest = held_out_stems()
    with torch.no_grad():
        found = stream.forward_offline(drums + rest)
    for name, estimate, target in (("drums", drums + rest - found, drums), ("rest", found, rest)):
        before, after = si_sdr_db(drums + rest, target), si_sdr_db(estimate, target)
        print(f"SI-SDR of the {name}: {before:.1f} dB in the mix, {after:.1f} dB separated")


class SeparatorWrapper(WaveformToWaveformBase):
    """Mixes the stems anew. Nothing gets lost: both at 0 dB are the input."""

    card = ModelCard(
        name="drum separator",
        authors=["The neutone_sdk developers"],
        short_description="Takes drums and the rest of a mix apart.",
        long_description="Turn drums or the rest up or down. A small network that learnt from three clips: do not "
        "expect clean stems of your records.",
        technical_description="A waveform U-Net after Demucs, on chunks of 0.37 s that overlap by half and cross-fade.",
        technical_links={"Paper": "https://arxiv.org/abs/1911.13254"},
        tags=["separation", "drums", "demucs"],
        native_sample_rates=[SAMPLE_RATE_HZ],
        native_buffer_sizes=[HOP],
        parameters=[
            ContinuousNeutoneParameter(
                "drums", "Level of the drums, in dB", 0.0, min_value=-60.0, max_value=12.0, smoothing_ms=20.0
            ),
            ContinuousNeutoneParameter(
                "rest", "Level of all else, in dB", -20.0, min_value=-60.0, max_value=12.0, smoothing_ms=20.0
            ),
        ],
    )

    def __init__(self, model: OverlapAdd) -> None:
        super().__init__(model)  # the delay that is reported is the one that OverlapAdd says it has
        self.late = Delay(model.get_delay_samples(), cached=True)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Separate one block; the mix and the knobs wait for what is found in it."""
        gains = 10.0 ** (torch.stack([params["drums"], params["rest"]]) / 20.0)
        rest = self.model(x)
        late = self.late(torch.cat([x, gains]).unsqueeze(0)).squeeze(0)
        return late[2] * (late[:2] - rest) + late[3] * rest

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.model.reset()  # type: ignore[operator]
        self.late.reset()
        return True


def main() -> None:
    """Train, report, export."""
    layers = {"demucs": demucs_layers, "own": own_layers}
    has_demucs = importlib.util.find_spec("demucs") is not None
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/demucs"), help="where to export to")
    parser.add_argument("--steps", type=int, default=200, help="of training")
    parser.add_argument("--layers", choices=layers, default="demucs" if has_demucs else "own", help="whose to use")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    network = trained(UNet(layers[arguments.layers]()), arguments.steps)
    stream = OverlapAdd(network, CHUNK, HOP, block_samples=HOP)
    print(f"layers: {arguments.layers}, trained for {arguments.steps} steps")
    report(stream)
    drums, rest = held_out_stems()
    mix = AudioSample(drums + rest, SAMPLE_RATE_HZ)
    save_neutone_model(SeparatorWrapper(stream), arguments.output, audio_sample_pairs=[mix])
    print(f"delay: {stream.get_delay_samples()} samples at {SAMPLE_RATE_HZ} Hz, besides the wait for blocks of {HOP}")
    print(f"exported {arguments.output / 'model.nm'}")


if __name__ == "__main__":
    main()
