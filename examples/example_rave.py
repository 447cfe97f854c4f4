"""RAVE, the real-time audio variational autoencoder, with knobs on its latents. Run it to export ``model.nm``.

With ``-i model.ts`` that model is wrapped: a TorchScript file that RAVE (https://github.com/acids-ircam/RAVE, v1 or v2)
exported for streaming. Without, one of the same shape is built of layers that stream: a filter bank (PQMF) splits the
sound into 16 bands, a strided encoder makes latents of them, a transposed decoder and the filter bank make sound again.
Nobody trained it: its weights are designed, and leave nothing out. Its first 16 latents are the cepstrum of the bands'
levels (1: loudness, 2: brightness, ...), the others are the bands, all at one level. At rest it plays what it hears.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk import CategoricalNeutoneParameter, ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.alignment import Delay
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.conv_transpose import ConvTranspose1dGeneral
from neutone_sdk.delay import delay_samples
from neutone_sdk.errors import InvalidFileError, NeutoneError
from neutone_sdk.residual import Residual, StreamingSequential
from neutone_sdk.utils import save_neutone_model

N_BANDS = 16
HOP = 8  # samples of a band for each latent
FRAME = 2 * HOP  # samples of a band that a latent frame holds
FLOOR = 1e-5  # RMS below which a band counts as silent
REFERENCE = 0.02 / torch.arange(1, N_BANDS + 1).square()  # RMS of bands at level 0: about what music has
LOUDEST = 0.25  # RMS that all bands together have at most: noise at this level has peaks near full scale
CACHES = ("pad", "cache", "gru_state")  # how RAVE's layers call what they remember


def prototype(n_taps: int = 160) -> Tensor:
    """Return a low-pass that cosines make a filter bank with perfect reconstruction, ``(n_taps,)``.

    A Kaiser window's filter comes near it, and Newton's method moves it to the nearest that is one: where, for each k,
    the autocorrelations of every 32nd tap, from k on and from k + 16 on, add up to a pulse (Vaidyanathan, Multirate
    Systems and Filter Banks, section 8.5).
    """
    times = torch.arange(n_taps, dtype=torch.float64) - (n_taps - 1) / 2
    window = torch.kaiser_window(n_taps, periodic=False, beta=8.0, dtype=torch.float64)
    taps = torch.sinc(0.6 / N_BANDS * times) * window
    half = (taps / taps.sum())[: n_taps // 2]

    def flaws(half: Tensor) -> Tensor:
        phases = torch.cat([half, half.flip(0)]).view(-1, 2, N_BANDS)
        lags = [(phases[lag:] * phases[: len(phases) - lag]).sum(dim=(0, 1)) for lag in range(len(phases))]
        return torch.cat([lags[0] - 0.5 / N_BANDS**2, *lags[1:]])

    for _ in range(6):
        half = half - torch.linalg.pinv(torch.autograd.functional.jacobian(flaws, half), rtol=1e-9) @ flaws(half)
    return torch.cat([half, half.flip(0)])


def with_weights(layer: Any, *weights: Tensor) -> Any:
    """Return a layer with its weights, and its bias if it has one, replaced."""
    for parameter, values in zip(layer.parameters(), weights, strict=True):
        parameter.data.copy_(values.reshape(parameter.shape))
    return layer.requires_grad_(requires_grad=False)


def pqmf() -> tuple[Any, Any]:
    """Return analysis and synthesis of a filter bank of 16 bands, at 1/16 of the rate each."""
    taps = prototype()
    times = torch.arange(len(taps)) - (len(taps) - 1) / 2
    band = torch.arange(N_BANDS).unsqueeze(1)
    filters = 2.0 * taps * torch.cos((band + 0.5) * math.pi / N_BANDS * times - (-1.0) ** band * math.pi / 4)
    n_taps, padding = len(taps), (len(taps) - N_BANDS) // 2
    analysis = Conv1dGeneral(1, N_BANDS, n_taps, N_BANDS, padding, bias=False, causal=False)
    synthesis = ConvTranspose1dGeneral(N_BANDS, 1, n_taps, N_BANDS, padding, bias=False, causal=False)
    return with_weights(analysis, filters), with_weights(synthesis, N_BANDS * filters)


class Square(nn.Module):
    """Squares each sample."""

    def forward(self, x: Tensor) -> Tensor:
        """Return as many values as there are."""
        return x.square()


class Log(nn.Module):
    """Takes the logarithm of mean squares."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = FLOOR**2

    def forward(self, power: Tensor) -> Tensor:
        """Return as many values as there are."""
        return torch.log(power + self.floor)


class Autoencoder(nn.Module):
    """What a RAVE export is, with designed weights: ``encode``, ``decode``, and buffers that describe them."""

    cepstrum: Tensor
    reference: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.n_bands, self.frame, self.loudest = N_BANDS, FRAME, LOUDEST
        self.register_buffer("reference", REFERENCE.unsqueeze(1))
        n = torch.arange(N_BANDS)
        cosines = torch.cos(math.pi / N_BANDS * torch.outer(n, n + 0.5)) * math.sqrt(2.0 / N_BANDS)
        cosines[0] *= math.sqrt(0.5)
        self.register_buffer("cepstrum", cosines)
        of_each_band: Any = {"stride": HOP, "bias": False, "causal": False, "groups": N_BANDS}
        smooth = Conv1dGeneral(N_BANDS, N_BANDS, 2 * FRAME, padding=FRAME - HOP // 2, **of_each_band)
        hann = torch.hann_window(2 * FRAME) / FRAME
        levels = nn.Sequential(
            Square(),
            with_weights(smooth, hann.repeat(N_BANDS, 1)),
            Log(),
            with_weights(nn.Conv1d(N_BANDS, N_BANDS, 1), 0.5 * cosines, -cosines @ REFERENCE.log()),
        )
        cut = Conv1dGeneral(N_BANDS, N_BANDS * FRAME, FRAME, padding=HOP // 2, **of_each_band)
        join = ConvTranspose1dGeneral(N_BANDS * FRAME, N_BANDS, FRAME, padding=HOP // 2, **of_each_band)
        window = torch.sin(math.pi / FRAME * (torch.arange(FRAME) + 0.5)).diag().repeat(N_BANDS, 1)
        analysis, synthesis = pqmf()
        in_step = Delay(-analysis.get_delay_samples() % HOP)  # what is strided has to be late by whole strides
        frames = Residual(levels, with_weights(cut, window), combine="cat")
        self.encoder = StreamingSequential(analysis, in_step, frames)
        self.decoder = StreamingSequential(with_weights(join, window), synthesis)
        self.delay_samples = delay_samples(nn.Sequential(self.encoder, self.decoder))
        n_latents, ratio = N_BANDS * (1 + FRAME), N_BANDS * HOP
        self.register_buffer("sampling_rate", torch.tensor(48_000))
        self.register_buffer("encode_params", torch.tensor([1, 1, n_latents, ratio]))
        self.register_buffer("decode_params", torch.tensor([n_latents, ratio, 1, 1]))

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        """Return the latents of audio, ``(batch, 1, n)``: ``(batch, latents, n / ratio)``."""
        z = self.encoder(x)
        return torch.cat([z[:, : self.n_bands], z[:, self.n_bands :] / self.gains(z)], dim=1)

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        """Return audio of latents."""
        return self.decoder(z[:, self.n_bands :] * self.gains(z))

    @torch.jit.export
    def gains(self, z: Tensor) -> Tensor:
        """Return how loud latents say that the bands are, all together no louder than the limit."""
        rms = self.reference * torch.exp(self.cepstrum.T @ z[:, : self.n_bands])
        rms = rms / (torch.linalg.vector_norm(rms, dim=1, keepdim=True) / self.loudest).clamp(min=1.0)
        return rms.repeat_interleave(self.frame, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return audio as it was, late."""
        return self.decode(self.encode(x))

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return how late a stream is."""
        return self.delay_samples

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.encoder.reset()
        self.decoder.reset()


class RaveWrapper(WaveformToWaveformBase):
    """Plays any RAVE export, and turns the knobs of its latents."""

    def __init__(self, model: Any, card: ModelCard) -> None:
        super().__init__(model, card=card)
        self.caches = list(CACHES)
        self.ratio = int(model.encode_params[3])

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Encode, change the latents, decode. Knobs come for each sample; a latent gets what it has of them."""
        z = self.model.encode(x.unsqueeze(0))  # type: ignore[operator]
        z = z + params["chaos"][:: self.ratio] * torch.randn_like(z)
        chosen = min(int(params["latent"]), z.size(1) - 1)
        z[:, chosen] = z[:, chosen] * params["scale"][:: self.ratio] + params["bias"][:: self.ratio]
        return self.model.decode(z).squeeze(0)  # type: ignore[operator]

    def reset_model(self) -> bool:
        """Forget all audio: exports have no method for it, so look for what their layers remember."""
        if hasattr(self.model, "reset"):
            self.model.reset()  # type: ignore[operator]
        else:
            for module in self.model.modules():
                for name, buffer in module.named_buffers():
                    if name in self.caches:
                        buffer.zero_()
        return True


def card(model: Any, name: str, delay: int | None) -> ModelCard:
    """Return the facts about a model that encodes and decodes; without a delay, its layers are asked for it."""
    (n_inputs, _, n_latents, ratio), (_, _, n_outputs, _) = model.encode_params.tolist(), model.decode_params.tolist()
    menu = [str(latent) for latent in range(1, min(max(n_latents, 2), 16) + 1)]
    return ModelCard(
        name=name[:30],
        authors=["The neutone_sdk developers"],  # whoever trained the model
        short_description="An autoencoder with knobs on what it hears in a sound.",
        long_description="Choose a latent, scale it and shift it. Chaos is noise on all of them.",
        technical_description="Filter bank (PQMF), strided encoder, latents, transposed decoder, in the shape of RAVE.",
        technical_links={"Paper": "https://arxiv.org/abs/2111.05011", "RAVE": "https://github.com/acids-ircam/RAVE"},
        tags=["autoencoder", "latent", "RAVE"],
        is_input_mono=n_inputs == 1,
        is_output_mono=n_outputs == 1,
        native_sample_rates=[int(model.sampling_rate if hasattr(model, "sampling_rate") else model.sr)],
        native_buffer_sizes=[ratio * 2**i for i in range(12) if i == 0 or ratio * 2**i <= 8192],
        delay_samples=delay,
        parameters=[
            CategoricalNeutoneParameter("latent", "That the next two knobs change", len(menu), 0, menu),
            ContinuousNeutoneParameter("scale", "Times the latent", 1.0, max_value=2.0, smoothing_ms=20.0),
            ContinuousNeutoneParameter("bias", "Added to it", 0.0, min_value=-4.0, max_value=4.0, smoothing_ms=20.0),
            ContinuousNeutoneParameter("chaos", "Noise added to all latents", 0.0, smoothing_ms=20.0),
        ],
    )


def load_export(path: Path) -> Any:
    """Return the model in a file that RAVE exported.

    Raises:
        InvalidFileError: It is none, or one that cannot play block by block.
    """
    try:
        model: Any = torch.jit.load(path, map_location="cpu").eval()
    except (OSError, RuntimeError, ValueError) as error:
        msg = f"{path} is no TorchScript file ({str(error).splitlines()[0]}); give one that RAVE exported"
        raise InvalidFileError(msg) from error
    lacking = [name for name in ("encode", "decode", "encode_params", "decode_params") if not hasattr(model, name)]
    if not (hasattr(model, "sampling_rate") or hasattr(model, "sr")):
        lacking.append("sampling_rate or sr")
    if lacking:
        msg = f"{path} is no RAVE export: it has no {', no '.join(lacking)}"
        raise InvalidFileError(msg)
    n_channels = int(max(model.encode_params[0], model.decode_params[2]))
    if n_channels > 2:
        msg = f"{path} has {n_channels} channels, hosts have 1 or 2; export it with --channels 2"
        raise InvalidFileError(msg)
    if not any(name.rpartition(".")[2] in CACHES for name, _ in model.named_buffers()):
        msg = f"{path} remembers nothing from block to block; export it again with --streaming"
        raise InvalidFileError(msg)
    return model


@torch.no_grad()
def measured_delay(model: Any, n_clicks: int = 8) -> int:
    """Return by how many samples the middle of what a click changes is later than the click: exports do not tell."""
    (n_channels, _, _, ratio) = model.encode_params.tolist()
    silence = torch.zeros(1, n_channels, 64 * ratio)

    def play(x: Tensor) -> Tensor:
        torch.manual_seed(0)  # exports add noise
        return model.decode(model.encode(x)).sum(dim=(0, 1))

    late = []
    for i in range(n_clicks):
        play(silence)  # forget the click before
        quiet = play(silence)
        at = 16 * ratio + i * ratio // n_clicks
        changes = play(silence.index_fill(2, torch.tensor(at), 0.5)).sub(quiet).square().cumsum(0)
        late.append(int(torch.searchsorted(changes, 0.5 * changes[-1])) - at)
    return max(0, round(sum(late) / n_clicks))


def main() -> None:
    """Build or load, wrap, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--input", type=Path, help="a model that RAVE exported (.ts)")
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/rave"), help="where to export to")
    arguments = parser.parse_args()
    try:
        model = load_export(arguments.input) if arguments.input else Autoencoder()
        name, delay = (arguments.input.stem, measured_delay(model)) if arguments.input else ("rave, designed", None)
        wrapper = RaveWrapper(model, card(model, name, delay))
        wrapper.reset_model()
        save_neutone_model(wrapper, arguments.output)
    except NeutoneError as error:
        sys.exit(f"Error: {error}")
    print(f"exported {arguments.output / 'model.nm'}, late by {wrapper.calc_model_delay_samples()} samples")


if __name__ == "__main__":
    main()
