"""A model in RAVE's shape, of the layers of PyPI's ``cached-conv`` that RAVE itself is made of."""

from collections.abc import Callable
from typing import Any

import cached_conv as cc
import torch
from torch import Tensor, nn

N_BANDS = 4
STRIDES = (2, 2)
N_LATENTS = 6
RATIO = N_BANDS * STRIDES[0] * STRIDES[1]


def conv(in_ch: int, out_ch: int, n_taps: int, stride: int = 1, delay: int = 0) -> Any:
    padding = cc.get_padding(n_taps, stride)
    return cc.Conv1d(in_ch, out_ch, n_taps, stride=stride, padding=padding, cumulative_delay=delay)


def upsampling(in_ch: int, out_ch: int, stride: int, delay: int) -> Any:
    padding = stride // 2
    return cc.ConvTranspose1d(in_ch, out_ch, 2 * padding + stride, stride, padding, cumulative_delay=delay)


class Residual(nn.Module):
    """Adds what a layer makes, in step with what it gets."""

    def __init__(self, n_channels: int, delay: int) -> None:
        super().__init__()
        layer = conv(n_channels, n_channels, 3)
        self.aligned = cc.AlignBranches(layer, nn.Identity(), delays=[layer.cumulative_delay, 0])
        self.cumulative_delay = layer.cumulative_delay + delay

    def forward(self, x: Tensor) -> Tensor:
        changed, same = self.aligned(x)
        return changed + same


class RaveShaped(nn.Module):
    """``encode`` and ``decode`` as exports of RAVE have them; no ``reset``, no word of how late it is."""

    def __init__(self) -> None:
        super().__init__()
        bands = conv(1, N_BANDS, 8, N_BANDS)
        first = conv(N_BANDS, 8, 5, STRIDES[0], bands.cumulative_delay)
        residual = Residual(8, first.cumulative_delay)
        last = conv(8, N_LATENTS, 3, STRIDES[1], residual.cumulative_delay)
        self.encoder = cc.CachedSequential(bands, first, nn.LeakyReLU(0.2), residual, last)
        second = upsampling(N_LATENTS, 8, STRIDES[1], last.cumulative_delay)
        residual = Residual(8, second.cumulative_delay)
        third = upsampling(8, 8, STRIDES[0], residual.cumulative_delay)
        self.net = cc.CachedSequential(second, nn.LeakyReLU(0.2), residual, third)
        self.synth = cc.AlignBranches(conv(8, N_BANDS, 3), conv(8, N_BANDS, 5))  # waveform, loudness
        self.bands = upsampling(N_BANDS, 1, N_BANDS, third.cumulative_delay + self.synth.cumulative_delay)
        self.cumulative_delay = int(self.bands.cumulative_delay)
        self.sr = 48_000
        self.register_buffer("encode_params", torch.tensor([1, 1, N_LATENTS, RATIO]))
        self.register_buffer("decode_params", torch.tensor([N_LATENTS, RATIO, 1, 1]))

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        waveform, loudness = self.synth(self.net(z))
        return self.bands(torch.tanh(waveform) * torch.sigmoid(loudness))

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


def rave_shaped(*, cached: bool = True, plays: bool = True, make: Callable[[], nn.Module] = RaveShaped) -> Any:
    """Return a model with random weights, always the same; cached, it has been played if it ``plays``."""
    was_cached = cc.USE_BUFFER_CONV
    cc.use_cached_conv(cached)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = make().eval()
    finally:
        cc.use_cached_conv(was_cached)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            # Torch's own are so small that little is heard; and a bias would make a tone of silence.
            weights.mul_(0.0 if name.endswith("bias") else 2.0)
        if cached and plays:
            model(torch.zeros(1, 1, 4 * RATIO))  # cached-conv makes its caches now
    return model
