"""Filters for what goes into a model and comes out of it: streaming, scriptable, and exact however audio is cut.

All take audio ``(channels, n)``, float32, on the CPU, any number of channels and samples, and return the same shape,
fresh. A stream with another number of channels starts afresh. Where gradients are asked for - they are enabled, and the
audio or a control requires them - the input is filtered as a signal of its own, from silence, by a slow reference that
torch can differentiate; the stream stays where it is. (The reference leaves NaN where it is.)

State lies in plain attributes, not in buffers: ``module.float()`` must not touch what is float64.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from neutone_sdk import filter_references
from neutone_sdk.constants import DEFAULT_DAW_SR
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.validation import check_list, check_signal, check_type


class FilterType(Enum):
    """What a filter lets pass."""

    LOWPASS = "lowpass"
    HIGHPASS = "highpass"
    BANDPASS = "bandpass"
    BANDSTOP = "bandstop"


def _check_rate(sample_rate: int) -> None:
    if sample_rate < 1 or sample_rate > 768_000:
        raise InvalidArgumentError(f"sample_rate must be in 1..768000 Hz, got {sample_rate}")


def _check_cutoff(name: str, cutoff: float, sample_rate: int) -> None:
    if not (cutoff > 0.0 and cutoff < 0.5 * sample_rate):
        raise InvalidArgumentError(
            f"{name} must be above 0 and below {0.5 * sample_rate} Hz, half the rate of {sample_rate} Hz, got {cutoff}"
        )


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
        _check_types(filt_type=filt_type, cutoffs=cutoffs, sample_rate=sample_rate, filt_size=filt_size)
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
            _check_types(filt_type=filt_type, cutoffs=cutoffs, sample_rate=sample_rate, filt_size=filt_size)
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
            return filter_references.fir(audio, self.taps)
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
        _check_rate(sample_rate)
        is_band = filt_type == FilterType.BANDPASS or filt_type == FilterType.BANDSTOP  # noqa: PLR1714  # TorchScript
        n_cutoffs = 2 if is_band else 1
        if len(cutoffs) != n_cutoffs:
            raise InvalidArgumentError(f"cutoffs must have {n_cutoffs} for a {filt_type.value}, got {cutoffs}")
        for cutoff in cutoffs:
            _check_cutoff("cutoffs", cutoff, sample_rate)
        if is_band and not cutoffs[0] < cutoffs[1]:
            raise InvalidArgumentError(f"cutoffs must have the lower one first, got {cutoffs}")
        if filt_size < 1 or filt_size > 1_048_575 or filt_size % 2 == 0:
            raise InvalidArgumentError(
                f"filt_size must be odd, for a delay of whole samples, in 1..1048575, got {filt_size}"
            )
        taps: Tensor = torch.ops.neutone.fir_design(filt_type.value, cutoffs, float(sample_rate), filt_size)
        return taps


class IIRSVF(nn.Module):
    """State-variable filter whose cutoff, resonance and mix may change with every sample. No delay."""

    state: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.state = torch.zeros(2, 7, dtype=torch.float64)
        self.delay = 0

    def forward(self, audio: Tensor, cutoff: Tensor, resonance: Tensor, mix: Tensor, sample_rate: int) -> Tensor:
        """Filter a block.

        Args:
            audio: ``(channels, n)``, float32.
            cutoff: In Hz, ``(channels or 1, n or 1, 1)``, float32. What lies outside 0 to half the rate is moved to the
                nearest bound; NaN keeps the value before.
            resonance: As a Q (0.7071 is Butterworth's), the same shape.
            mix: How much of band-pass, low-pass and high-pass, ``(channels or 1, n or 1, 3)``. The band-pass has gain 1
                at the cutoff.
            sample_rate: In Hz.

        Returns:
            ``(channels, n)``, fresh.

        Raises:
            InvalidTypeError: ``audio`` is not float32 on the CPU.
            InvalidAudioError: ``audio`` is not 2-D.
            RuntimeError: A shape or dtype of a control is another.
        """
        check_signal(audio)
        needs_gradients = audio.requires_grad or cutoff.requires_grad or resonance.requires_grad or mix.requires_grad
        if torch.is_grad_enabled() and needs_gradients:
            return filter_references.svf(audio, cutoff, resonance, mix, float(sample_rate))
        state = self.state
        if audio.size(0) != state.size(0):
            state = torch.zeros(audio.size(0), 7, dtype=torch.float64)
        filtered: Tensor = torch.ops.neutone.svf(audio, cutoff, resonance, mix, float(sample_rate), state)
        self.state = state
        return filtered

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.state = torch.zeros(self.state.size(0), 7, dtype=torch.float64)


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
        _check_types(filt_type=filt_type, cutoff=cutoff, resonance=resonance, sample_rate=sample_rate)
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
            _check_types(filt_type=filt_type, cutoff=cutoff, resonance=resonance, sample_rate=sample_rate)
        new_type = self.filt_type if filt_type is None else filt_type
        new_cutoff = self.cutoff if cutoff is None else float(cutoff)
        new_resonance = self.resonance if resonance is None else float(resonance)
        new_rate = self.sample_rate if sample_rate is None else sample_rate
        _check_rate(new_rate)
        _check_cutoff("cutoff", new_cutoff, new_rate)
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


class Biquads(nn.Module):
    """Second-order sections in series, in float64: any of SciPy's IIR designs with ``output="sos"``. No delay.

    Args:
        sos: ``(sections, 6)``: b0 b1 b2 a0 a1 a2 in every row, at most 64; a tensor, an array or lists.

    Raises:
        InvalidArgumentError: ``sos`` has another shape, a number that is not finite, an a0 of 0, or a section whose
            poles do not lie inside the unit circle.
    """

    sos: Tensor
    state: Tensor

    def __init__(self, sos: Any) -> None:
        super().__init__()
        self.sos = _checked_sos(sos)
        self.state = torch.zeros(2, self.sos.size(0), 2, dtype=torch.float64)
        self.delay = 0

    def forward(self, audio: Tensor) -> Tensor:
        """Filter a block; see the module for shapes.

        Raises:
            InvalidTypeError: ``audio`` is not float32 on the CPU.
            InvalidAudioError: ``audio`` is not 2-D.
        """
        check_signal(audio)
        if torch.is_grad_enabled() and audio.requires_grad:
            return filter_references.sosfilt(audio, self.sos)
        if audio.size(0) != self.state.size(0):
            self.state = torch.zeros(audio.size(0), self.sos.size(0), 2, dtype=torch.float64)
        filtered: Tensor = torch.ops.neutone.biquad(audio, self.sos, self.state)
        return filtered

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.state = torch.zeros_like(self.state)

    @torch.jit.unused
    def response(self, frequencies_hz: Any, sample_rate: float) -> np.ndarray:
        """Return the complex gain at some frequencies in Hz, at a rate in Hz."""
        frequencies = torch.as_tensor(np.asarray(frequencies_hz, dtype=np.float64)).reshape(-1)
        parts = torch.ops.neutone.sos_response(self.sos, frequencies, float(sample_rate)).numpy()
        return np.asarray(parts[:, 0] + 1j * parts[:, 1])


def _check_types(**arguments: Any) -> None:
    """Raise unless all that is not None is of the type that its name goes with. In Python only."""
    kinds = {"filt_type": FilterType, "filt_size": int, "sample_rate": int, "cutoff": float, "resonance": float}
    for name, value in arguments.items():
        if name == "cutoffs" and value is not None:
            check_list(value, float, "cutoffs must be")
        elif value is not None:
            check_type(value, kinds[name], f"{name} must be")


def _checked_sos(sos: Any) -> Tensor:
    try:
        sections = torch.as_tensor(sos if isinstance(sos, Tensor) else np.asarray(sos, dtype=np.float64))
    except (TypeError, ValueError) as error:
        msg = f"sos must be numbers of shape (sections, 6), got {sos!r}"
        raise InvalidTypeError(msg) from error
    sections = sections.detach().to("cpu", torch.float64).contiguous().clone()
    if sections.ndim != 2 or sections.size(1) != 6 or not 1 <= sections.size(0) <= 64:
        msg = f"sos must have shape (sections, 6) with 1 to 64 sections, got {tuple(sections.shape)}"
        raise InvalidArgumentError(msg)
    for row, section in enumerate(sections.tolist()):
        a0, a1, a2 = section[3:]
        if a0 == 0.0 or not np.isfinite([number / a0 for number in section]).all():
            msg = f"row {row} of sos must have finite numbers and an a0 other than 0, got {section}"
            raise InvalidArgumentError(msg)
        a1, a2 = a1 / a0, a2 / a0
        if not (abs(a2) < 1.0 and (1.0 + a1) + a2 > 0.0 and (1.0 - a1) + a2 > 0.0):  # as csrc/dsp/biquad_section.h
            msg = f"row {row} of sos is unstable: a1 = {a1}, a2 = {a2}; its poles must lie inside the unit circle"
            raise InvalidArgumentError(msg)
    return sections
