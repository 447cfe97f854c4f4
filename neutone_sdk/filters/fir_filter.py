"""Filter with linear phase."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from neutone_sdk.constants import DEFAULT_DAW_SR
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.filters import references
from neutone_sdk.filters.filter_type import FilterType
from neutone_sdk.filters.settings import check_cutoff, check_rate, check_types
from neutone_sdk.validation import check_signal


class FIRFilter(nn.Module):
    """Filter with linear phase: a sinc under Kaiser's window. All frequencies are late by ``delay`` samples.

    Args:
        filt_type: What passes.
        cutoffs: In Hz: one for low-pass and high-pass, the lower and the upper edge for band-pass and band-stop. The
            gain there is one half.
        filt_size: Number of taps, odd. The more, the steeper: from pass to stop it takes about
            ``8 * sample_rate / filt_size`` Hz.
        sample_rate: In Hz. A wrapper tells it by ``set_parameters(sample_rate=...)`` in
            ``set_model_sample_rate_and_buffer_size``.

    Attributes:
        delay: ``filt_size // 2``, in samples, exactly.

    Raises:
        InvalidTypeError: An argument is of another type.
        InvalidArgumentError: A cutoff does not lie between 0 and half the rate, the lower one not below the upper one,
            there are too few or too many of them, or ``filt_size`` is even or outside 1..1048575.
    """

    # In which parameters change at run time: soon enough for a hand on a knob, too slow for a click.
    FADE_SECONDS: Final = 0.02

    taps: Tensor
    table: Tensor
    history: Tensor
    state: Tensor

    def __init__(
        self,
        filt_type: FilterType,
        cutoffs: Sequence[float],
        filt_size: int = 257,
        *,
        sample_rate: int = DEFAULT_DAW_SR,
    ) -> None:
        super().__init__()
        check_types(filt_type=filt_type, cutoffs=cutoffs, sample_rate=sample_rate, filt_size=filt_size)
        self.filt_type = filt_type
        self.cutoffs = [float(cutoff) for cutoff in cutoffs]
        self.filt_size = filt_size
        self.sample_rate = sample_rate
        self.delay = filt_size // 2
        self.is_running = False
        self._start(self._design(filt_type, self.cutoffs, sample_rate, filt_size), 2)

    @torch.jit.export
    def set_parameters(
        self,
        filt_type: FilterType | None = None,
        cutoffs: list[float] | None = None,
        sample_rate: int | None = None,
        filt_size: int | None = None,
    ) -> None:
        """Change what is given; raises as the constructor does, and then nothing has changed.

        The new filter fades in over 20 ms. With another ``filt_size``, which has another delay, it starts afresh.
        """
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            check_types(filt_type=filt_type, cutoffs=cutoffs, sample_rate=sample_rate, filt_size=filt_size)
        new_type = self.filt_type if filt_type is None else filt_type
        new_cutoffs = self.cutoffs if cutoffs is None else [float(cutoff) for cutoff in cutoffs]
        new_rate = self.sample_rate if sample_rate is None else sample_rate
        new_size = self.filt_size if filt_size is None else filt_size
        taps = self._design(new_type, new_cutoffs, new_rate, new_size)
        if new_size == self.filt_size and self.is_running:
            n_fade = int(new_rate * self.FADE_SECONDS)
            torch.ops.neutone.fir_set_taps(taps, n_fade, self.table, self.history, self.state)
            self.taps = taps
        else:
            self._start(taps, self.history.size(0))
        self.filt_type = new_type
        self.cutoffs = new_cutoffs
        self.sample_rate = new_rate
        self.filt_size = new_size
        self.delay = new_size // 2

    def forward(self, audio: Tensor) -> Tensor:
        """Filter a block; see the module for shapes.

        Raises:
            InvalidTypeError: ``audio`` is not float32 on the CPU.
            InvalidAudioError: ``audio`` is not 2-D.
        """
        check_signal(audio)
        if torch.is_grad_enabled() and audio.requires_grad:
            return references.fir(audio, self.taps)
        if audio.size(0) != self.history.size(0):
            self._start(self.taps, audio.size(0))
        self.is_running = True
        filtered: Tensor = torch.ops.neutone.fir(audio, self.table, self.history, self.state)
        return filtered

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio, and end a fade."""
        torch.ops.neutone.fir_reset(self.table, self.history, self.state)
        self.is_running = False

    def _start(self, taps: Tensor, n_channels: int) -> None:
        self.taps = taps
        self.table, self.history, self.state = torch.ops.neutone.new_fir(taps, n_channels)
        self.is_running = False

    def _design(self, filt_type: FilterType, cutoffs: list[float], sample_rate: int, filt_size: int) -> Tensor:
        check_rate(sample_rate)
        is_band = filt_type == FilterType.BANDPASS or filt_type == FilterType.BANDSTOP  # noqa: PLR1714  # TorchScript
        n_cutoffs = 2 if is_band else 1
        if len(cutoffs) != n_cutoffs:
            raise InvalidArgumentError(f"cutoffs must have {n_cutoffs} for a {filt_type.value}, got {cutoffs}")
        for cutoff in cutoffs:
            check_cutoff("cutoffs", cutoff, sample_rate)
        if is_band and not cutoffs[0] < cutoffs[1]:
            raise InvalidArgumentError(f"cutoffs must have the lower one first, got {cutoffs}")
        if filt_size < 1 or filt_size > 1_048_575 or filt_size % 2 == 0:
            raise InvalidArgumentError(
                f"filt_size must be odd, for a delay of whole samples, in 1..1048575, got {filt_size}"
            )
        taps: Tensor = torch.ops.neutone.fir_design(filt_type.value, cutoffs, float(sample_rate), filt_size)
        return taps
