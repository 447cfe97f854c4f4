"""What follows from the window of a short-time Fourier transform: where its frames end, how they add up again."""

import math

import torch
from torch import Tensor

from neutone_sdk.block_checks import check_counts
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.frames import sum_of_shifts


def check_sizes(n_fft: int, hop_len: int) -> None:
    """Raise unless a transform can have this length and this hop.

    Raises:
        InvalidTypeError: They are no integers.
        InvalidArgumentError: One is below 1, or samples between frames would be left out.
    """
    check_counts(1, n_fft=n_fft, hop_len=hop_len)
    if hop_len > n_fft:
        msg = f"hop_len must be at most n_fft, {n_fft}, or samples would be left out; got {hop_len}"
        raise InvalidArgumentError(msg)


def checked_window(window: Tensor, n_fft: int) -> Tensor:
    """Return a window as float32, if it is one.

    Raises:
        InvalidTypeError: It is no tensor of real numbers.
        InvalidArgumentError: It does not have shape ``(n_fft,)``, a value is not finite, or all are 0.
    """
    if not isinstance(window, Tensor) or not window.is_floating_point():
        got = window.dtype if isinstance(window, Tensor) else type(window).__name__
        msg = f"window must be a tensor of floats, got {got}; torch.hann_window(n_fft) makes one"
        raise InvalidTypeError(msg)
    if window.shape != (n_fft,):
        msg = f"window must have shape ({n_fft},), as n_fft says, got {tuple(window.shape)}"
        raise InvalidArgumentError(msg)
    if not window.isfinite().all() or not window.any():
        msg = "window must be finite and not 0 everywhere; torch.hann_window(n_fft) makes one"
        raise InvalidArgumentError(msg)
    return window.detach().float().clone()


def support(window: Tensor) -> tuple[int, int]:
    """Return where a window begins and ends to be other than 0. Frames need not wait for what lies outside."""
    places = window.nonzero()
    return int(places[0]), int(places[-1]) + 1


def dual_window(window: Tensor, hop_len: int) -> Tensor:
    """Return what to multiply frames with so that they add up to what was cut into them under ``window``.

    The window over the sum of the squares of all windows that lie there: of all such synthesis windows the one that is
    nearest to the analysis window, so a frame that a model has changed fades in and out as well.

    Raises:
        InvalidArgumentError: At some sample all windows are 0, or so small that rounding would be heard.
    """
    squares = sum_of_shifts(window.double().square(), hop_len)
    # Dividing by a sum of squares S magnifies the rounding of the frames, 1e-7, by 1 / sqrt(S): here to 1e-5.
    least = 1e-4 * float(squares.max())
    if float(squares.min()) < least:
        place = int(squares.argmin()) % hop_len
        msg = (
            f"window must not vanish anywhere together with its shifts by hop_len, {hop_len}: {place} samples into a "
            f"hop their squares add up to {float(squares.min()):.3g}, less than 1e-4 of the most; choose a shorter "
            "hop_len, or a window without zeros, such as torch.hamming_window(n_fft)"
        )
        raise InvalidArgumentError(msg)
    return (window.double() / squares).float()


def lag_of(end: int, n_fft: int, hop_len: int, center: bool) -> int:
    """Return for how many samples the latest frame waits when a whole number of hops has come in.

    Args:
        end: Where the window ends to be other than 0.
        n_fft: Length of the transform.
        hop_len: From frame to frame.
        center: Frames have their middle at multiples of ``hop_len``; otherwise the window ends there.
    """
    return (n_fft // 2 - end) % hop_len if center else 0


def frames_late(end: int, n_fft: int, hop_len: int, center: bool) -> int:
    """Return how many frames come out of a stream before the one that is first in the transform of the whole clip.

    Arguments as in `lag_of`. Centred, that one has its middle at the first sample; those before it lie earlier.
    """
    return math.ceil((end - n_fft // 2) / hop_len) - 1 if center else 0


def offline_frames(audio: Tensor, window: Tensor, hop_len: int, center: bool) -> Tensor:
    """Return the spectra of a whole clip with silence around it, complex, ``(n_channels, bins, frames)``.

    Centred there are ``n // hop_len + 1`` frames, with the first in the middle of its first sample; otherwise
    ``n // hop_len``, of which each ends with the window at a multiple of ``hop_len``.
    """
    n_fft = window.size(0)
    end = support(window)[1]
    left = n_fft // 2 if center else end - hop_len
    n_frames = audio.size(1) // hop_len + (1 if center else 0)
    n_done = max(n_frames, 1)  # torch transforms no empty tensors
    right = max(0, (n_done - 1) * hop_len + n_fft - left - audio.size(1))
    frames = torch.nn.functional.pad(audio, [left, right]).unfold(1, n_fft, hop_len).narrow(1, 0, n_done)
    return torch.fft.rfft(frames * window).narrow(1, 0, n_frames).transpose(1, 2)
