"""Wrappers that many tests play."""

import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.utils import model_to_torchscript, save_neutone_model

# Python's and TorchScript's modules have the same methods, but no common type that says so.
Model = Any


def card(**facts: object) -> ModelCard:
    """Return a card with what it must have, and ``facts``."""
    return ModelCard(**{"name": "test", "authors": ["A. Author"], "short_description": "A test", **facts})  # type: ignore[arg-type]


class PassThrough(WaveformToWaveformBase):
    """Returns what it gets; mono to stereo by repeating, stereo to mono by the left channel."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.sdk_out_channels == x.size(0):
            return x
        if self.sdk_out_channels == 1:
            return x[:1]
        return x.repeat(2, 1)


class Stamped(WaveformToWaveformBase):
    """Shows how audio and knobs arrive: scales each block by its own mean knob and adds its own first sample."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"] + x[:, :1]


class PerSample(WaveformToWaveformBase):
    """Multiplies every sample by its own knob value."""

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"]


class Choosing(WaveformToWaveformBase):
    """Multiplies by the number of the choice."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["mode"]


class Delaying(WaveformToWaveformBase):
    """Delays by 37 samples and says so."""

    def __init__(self, model: nn.Module, card: ModelCard) -> None:
        super().__init__(model, card=card)
        self.past: Tensor
        self.register_buffer("past", torch.zeros(2, 37))

    def reset_model(self) -> bool:
        self.past.zero_()
        return True

    def calc_model_delay_samples(self) -> int:
        return 37

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        whole = torch.cat([self.past, x], dim=1)
        self.past.copy_(whole[:, -37:])
        return whole[:, : x.size(1)]


GAIN = ContinuousNeutoneParameter("gain", "", 0.5, min_value=-1.0, max_value=3.0)


def queue(wrapper: WaveformToWaveformBase, scripted: bool, daw_bs: int = 64) -> Model:
    """Return the wrapper in its queue: in Python, or as a host sees it, out of a file."""
    made = SampleQueueWrapper(wrapper, daw_bs=daw_bs)
    if not scripted:
        return made.eval()
    file = io.BytesIO()
    torch.jit.save(model_to_torchscript(made), file)
    file.seek(0)
    return torch.jit.load(file)


MODEL_BLOCK = 512


class Player(nn.Module):
    """Plays in TorchScript: single samples from Python would take minutes."""

    def __init__(self, wrapper: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.wrapper = wrapper

    def forward(self, audio: Tensor, blocks: list[int], params: Tensor | None = None) -> Tensor:
        """Cut the audio into these blocks, over and over, as long as whole ones fit."""
        played: list[Tensor] = []
        at, i = 0, 0
        while at + blocks[i % len(blocks)] <= audio.size(1):
            n = blocks[i % len(blocks)]
            knobs = None if params is None else params[:, at : at + n]
            played.append(self.wrapper(audio[:, at : at + n], knobs))
            at += n
            i += 1
        return torch.cat(played, dim=1)


def player(wrapper: WaveformToWaveformBase) -> Model:
    return torch.jit.script(Player(torch.jit.script(SampleQueueWrapper(wrapper))))


def resampling_card(model_hz: int, *, block: int = MODEL_BLOCK, mono: bool = True, **facts: object) -> ModelCard:
    return card(
        native_sample_rates=[model_hz], native_buffer_sizes=[block], is_input_mono=mono, is_output_mono=mono, **facts
    )


def delay_of(model: Model) -> int:
    return int(model.calc_buffering_delay_samples() + model.calc_model_delay_samples())


def export_quickly(folder: Path, wrapper: WaveformToWaveformBase) -> Path:
    """Write ``model.nm`` without audio samples."""
    save_neutone_model(wrapper, folder, max_n_samples=0)
    return folder / "model.nm"
