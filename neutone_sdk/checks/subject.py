"""The model that is checked, and how a check plays it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor

from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.checks.check import Budget
from neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR
from neutone_sdk.errors import InvalidFileError, ModelOutputError, NeutoneError
from neutone_sdk.rendering import set_up_host
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of, without_deprecation
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper
from neutone_sdk.streaming.schedule import ceil_div, select_best_model_sr
from neutone_sdk.validation import dtype_name

MAX_BLOCK: Final = 1 << 18  # samples; a model may claim any size, and would need memory for it
_MIN_LOOP_SAMPLES: Final = 1 << 15
_MIN_BLOCKS: Final = 3

# Python's and TorchScript's modules have the same methods, but no common type that says so.
Model = Any


@dataclass(frozen=True)
class Setting:
    """What a host tells a model."""

    rate_hz: int
    block: int

    def __str__(self) -> str:
        return f"{self.rate_hz} Hz, blocks of {self.block}"


@dataclass(frozen=True)
class Performance:
    """A drum loop that a model played; it is left reset, with all that it keeps in spite of that."""

    model: Model
    audio: Tensor
    output: Tensor
    delay: int
    was_cut: str  # what had to be left out


class Subject:
    """An exported model.

    Args:
        content: Of the ``.nm`` file.
        metadata: Of the same.
        wrapper: The model in memory that the file was made of, if it is there.
        is_submission: It is to be published: what is a matter of taste otherwise is not here.
    """

    def __init__(
        self,
        content: bytes,
        metadata: dict[str, Any],
        *,
        wrapper: SampleQueueWrapper | None = None,
        is_submission: bool = False,
    ) -> None:
        self.content = content
        self.metadata = metadata
        self.wrapper = wrapper
        self.is_submission = is_submission
        self._performance: Performance | None = None

    def load(self) -> Model:
        """Return the model as a host has it, one that nobody else uses.

        Raises:
            InvalidFileError: Torch cannot load it.
        """
        return load(self.content)

    def load_for(self, setting: Setting) -> Model:
        """Return a model that is set up for a host."""
        model = self.load()
        set_up_host(model, setting.rate_hz, setting.block)
        return model

    @cached_property
    def setting(self) -> Setting:
        """That of a host that suits the model, with the default rate if it is native, the default block."""
        return Setting(select_best_model_sr(DEFAULT_DAW_SR, self.native_rates_hz), DEFAULT_DAW_BS)

    @cached_property
    def native_rates_hz(self) -> list[int]:
        """Empty for any."""
        return list(self.unplayed.get_native_sample_rates())

    @cached_property
    def native_blocks(self) -> list[int]:
        """Empty for any."""
        return sorted(set(self.unplayed.get_native_buffer_sizes()))

    @cached_property
    def n_in_channels(self) -> int:
        """Channels that the model hears."""
        return 1 if self.unplayed.is_input_mono() else 2

    def performance(self, budget: Budget) -> Performance:
        """Return what the file makes of a drum loop; raises as `perform` does. It is played once for all checks."""
        if self._performance is None:
            self._performance = self.perform(self.load(), budget)
        budget.was_cut = self._performance.was_cut
        return self._performance

    def perform(self, model: Model, budget: Budget) -> Performance:
        """Play drums on the file or on the model in memory: some blocks and what it is late by, if there is time.

        Raises:
            InvalidArgumentError: The model cannot be set up for that host.
            ModelOutputError: The model fails.
        """
        block = self.setting.block
        latency = set_up_host(model, self.setting.rate_hz, block)
        n_samples = max(_MIN_LOOP_SAMPLES, _MIN_BLOCKS * latency.model_block) + latency.total_samples
        n_samples = ceil_div(n_samples, block) * block
        audio = self._drums.repeat(1, ceil_div(n_samples, self._drums.size(1)))[:, :n_samples]
        output = play_afresh(model, audio, block, budget=budget)
        return Performance(model, audio[:, : output.size(1)], output, latency.total_samples, budget.was_cut)

    @cached_property
    def _drums(self) -> Tensor:
        """Real audio, stereo."""
        return get_default_audio_samples()[1].audio

    @cached_property
    def unplayed(self) -> Model:
        """For questions that a host may ask at any time, and for one check that plays it."""
        return self.load()


def load(content: bytes) -> Model:
    """Return the model that a file holds.

    Raises:
        InvalidFileError: Torch cannot load it.
    """
    try:
        with without_deprecation():
            return torch.jit.load(io.BytesIO(content), map_location="cpu")
    except (RuntimeError, ValueError, OSError, LookupError) as error:
        msg = f"torch cannot load the file: {message_of(error)}"
        raise InvalidFileError(msg) from error


def play_afresh(
    model: Model, audio: Tensor, block: int, params: Tensor | None = None, budget: Budget | None = None, seed: int = 0
) -> Tensor:
    """Play a clip from silence and reset the model behind it; models that use random numbers get those of the seed."""
    model.reset()
    torch.manual_seed(seed)
    played = play(model, audio, block, params, budget)
    model.reset()
    return played


def play(model: Model, audio: Tensor, block: int, params: Tensor | None = None, budget: Budget | None = None) -> Tensor:
    """Play a clip block by block, from where the model is.

    Args:
        model: Set up for such blocks.
        audio: ``(1 or 2, n)``, ``n`` a multiple of ``block``.
        block: Samples a callback.
        params: None for the defaults, ``(4, 1)``, or curves ``(4, n)``.
        budget: Leave blocks out, but not the first, when it is over.

    Returns:
        Audio ``(1 or 2, up to n)``.

    Raises:
        ModelOutputError: The model raised something, or returned something other than the audio of a block.
    """
    blocks = audio.split(block, dim=1)
    played: list[Tensor] = []
    for index in range(len(blocks)) if budget is None else budget.take(range(len(blocks)), "blocks"):
        knobs = params
        if knobs is not None:  # 1.x files know no single values
            at = index * block
            knobs = knobs.expand(-1, block).contiguous() if knobs.size(1) == 1 else knobs[:, at : at + block]
        # Copies both ways: some models write to what they get, or return it again.
        played.append(call(model, blocks[index].clone(), knobs).clone())
    return torch.cat(played, dim=1)


def call(model: Model, block: Tensor, knobs: Tensor | None = None) -> Tensor:
    """Return what a model makes of a block; raises as `play` does."""
    try:
        return checked(model(block, knobs), block)
    except SCRIPT_ERRORS as error:
        raise ModelOutputError(message_of(error)) from error


def checked(output: object, block: Tensor) -> Tensor:
    """Return what a model made of a block.

    Raises:
        ModelOutputError: That is not audio of the same shape.
    """
    if not isinstance(output, Tensor):
        msg = f"the model returned {type(output).__name__} instead of audio"
        raise ModelOutputError(msg)
    if output.shape != block.shape or output.dtype != torch.float32:
        msg = (
            f"a host that sends {list(block.shape)} wants as much back, float32, and the model returned "
            f"{dtype_name(output)} of shape {list(output.shape)}"
        )
        raise ModelOutputError(msg)
    return output


def reason_of(error: Exception) -> str:
    """Return what went wrong, in one line, whoever raised it."""
    if isinstance(error, NeutoneError):
        return str(error)
    if isinstance(error, SCRIPT_ERRORS):
        return message_of(error)
    return f"{type(error).__name__}: {error}"


def noise(n_channels: int, n_samples: int, peak: float = 1.0, seed: int = 0) -> Tensor:
    """Return uniform noise, another in each channel, the same every time."""
    generator = torch.Generator().manual_seed(seed)
    return peak * (2.0 * torch.rand(n_channels, n_samples, generator=generator) - 1.0)


def evenly_chosen(items: Sequence[int], n_most: int) -> list[int]:
    """Return all items, or of too many as many as allowed, from first to last in even steps."""
    if len(items) <= n_most:
        return list(items)
    return [items[round(index * (len(items) - 1) / (n_most - 1))] for index in range(n_most)]
