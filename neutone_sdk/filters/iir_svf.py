"""State-variable filter, controlled sample by sample."""

import torch
from torch import Tensor, nn

from neutone_sdk.filters import references
from neutone_sdk.validation import check_signal


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
            return references.svf(audio, cutoff, resonance, mix, float(sample_rate))
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
