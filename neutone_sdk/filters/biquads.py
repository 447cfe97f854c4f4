"""Second-order sections in series."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.filters import references
from neutone_sdk.validation import check_signal


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
            return references.sosfilt(audio, self.sos)
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
