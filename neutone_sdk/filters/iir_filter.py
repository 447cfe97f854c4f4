"""Filter of second order, for constant settings."""

from typing import Final

import torch
from torch import Tensor, nn

from neutone_sdk.constants import DEFAULT_DAW_SR
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.filters.filter_type import FilterType
from neutone_sdk.filters.iir_svf import IIRSVF
from neutone_sdk.filters.settings import check_cutoff, check_rate, check_types
from neutone_sdk.validation import check_signal


class IIRFilter(nn.Module):
    """Filter of second order without delay, for constant settings; they may change at run time without a click.

    Args:
        filt_type: What passes.
        cutoff: In Hz: the corner, or the centre.
        resonance: As a Q: 0.7071 is Butterworth's; centre over width for band-pass and band-stop. Above 0.
        sample_rate: See :class:`FIRFilter`.

    Attributes:
        delay: 0.

    Raises:
        InvalidTypeError: An argument is of another type.
        InvalidArgumentError: The cutoff does not lie between 0 and half the rate, or the resonance is not above 0.
    """

    FADE_SECONDS: Final = 0.02  # see FIRFilter

    start: Tensor
    target: Tensor

    def __init__(
        self, filt_type: FilterType, cutoff: float, resonance: float, *, sample_rate: int = DEFAULT_DAW_SR
    ) -> None:
        super().__init__()
        check_types(filt_type=filt_type, cutoff=cutoff, resonance=resonance, sample_rate=sample_rate)
        self.svf = IIRSVF()
        self.delay = 0
        self.filt_type = filt_type
        self.cutoff = float(cutoff)
        self.resonance = float(resonance)
        self.sample_rate = sample_rate
        # Cutoff, resonance and mix, (1, 1, 5): where a change began, and where it goes.
        self.start = torch.zeros(1, 1, 5)
        self.target = torch.zeros(1, 1, 5)
        self.n_fade = 1
        self.n_faded = 1
        self.is_running = False
        self.set_parameters()

    @torch.jit.export
    def set_parameters(
        self,
        filt_type: FilterType | None = None,
        cutoff: float | None = None,
        resonance: float | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Change what is given, within 20 ms; raises as the constructor does, and then nothing has changed."""
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            check_types(filt_type=filt_type, cutoff=cutoff, resonance=resonance, sample_rate=sample_rate)
        new_type = self.filt_type if filt_type is None else filt_type
        new_cutoff = self.cutoff if cutoff is None else float(cutoff)
        new_resonance = self.resonance if resonance is None else float(resonance)
        new_rate = self.sample_rate if sample_rate is None else sample_rate
        check_rate(new_rate)
        check_cutoff("cutoff", new_cutoff, new_rate)
        if not (new_resonance > 0.0 and new_resonance <= 1e6):
            raise InvalidArgumentError(f"resonance must be above 0 and at most 1e6, got {new_resonance}")
        mix = [0.0, 1.0, 1.0]  # what is not band
        if new_type == FilterType.LOWPASS:
            mix = [0.0, 1.0, 0.0]
        elif new_type == FilterType.HIGHPASS:
            mix = [0.0, 0.0, 1.0]
        elif new_type == FilterType.BANDPASS:
            mix = [1.0, 0.0, 0.0]
        target = torch.tensor([[[new_cutoff, new_resonance, mix[0], mix[1], mix[2]]]])
        start = target
        if self.is_running:
            start = self._settings(torch.full((1,), self.n_faded))
            start[:, :, 0] *= new_rate / self.sample_rate  # where the filter is, in Hz of the new rate
        self.start = start
        self.target = target
        self.n_fade = max(1, int(new_rate * self.FADE_SECONDS))
        self.n_faded = 0 if self.is_running else self.n_fade
        self.filt_type = new_type
        self.cutoff = new_cutoff
        self.resonance = new_resonance
        self.sample_rate = new_rate

    def forward(self, audio: Tensor) -> Tensor:
        """Filter a block; see the module for shapes.

        Raises:
            InvalidTypeError: ``audio`` is not float32 on the CPU.
            InvalidAudioError: ``audio`` is not 2-D.
        """
        check_signal(audio)
        if torch.is_grad_enabled() and audio.requires_grad:
            return self._filter(audio, self.target)
        if audio.size(0) != self.svf.state.size(0):
            self.n_faded = self.n_fade
        self.is_running = True
        n_left = min(self.n_fade - self.n_faded, audio.size(1))
        if n_left == 0:
            return self._filter(audio, self.target)
        settings = self._settings(torch.arange(1, audio.size(1) + 1) + self.n_faded)
        self.n_faded += n_left
        return self._filter(audio, settings)

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio, and end a change."""
        self.svf.reset()
        self.n_faded = self.n_fade
        self.is_running = False

    def _filter(self, audio: Tensor, settings: Tensor) -> Tensor:
        filtered: Tensor = self.svf(
            audio, settings[:, :, :1], settings[:, :, 1:2], settings[:, :, 2:], self.sample_rate
        )
        return filtered

    def _settings(self, n_since: Tensor) -> Tensor:
        """Return ``(1, n, 5)`` for samples since a change began, of which each decides its own, to the last bit."""
        rest = (1.0 - n_since.float() / self.n_fade).clamp(min=0.0)[None, :, None]
        rest = rest * rest * (3.0 - 2.0 * rest)  # level at both ends: a kink could be heard
        return self.target + rest * (self.start - self.target)
