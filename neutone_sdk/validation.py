"""Checks of audio and parameter values at the door of a model. All are scriptable."""

import torch
from torch import Tensor

from neutone_sdk.errors import InvalidAudioError, InvalidTypeError


def dtype_name(x: Tensor) -> str:
    """Return the name of a tensor's dtype; TorchScript itself knows only its number."""
    names = {
        torch.float32: "float32",
        torch.float64: "float64",
        torch.float16: "float16",
        torch.int64: "int64",
        torch.int32: "int32",
        torch.int16: "int16",
    }
    return names.get(x.dtype, "another dtype")


def check_audio(x: Tensor) -> None:
    """Raise unless ``x`` is float32 audio of shape ``(1 or 2, n)`` with ``n >= 1``.

    Raises:
        InvalidTypeError: The dtype is another.
        InvalidAudioError: The shape is another.
    """
    if x.dtype != torch.float32:
        raise InvalidTypeError("audio must be float32, got " + dtype_name(x) + "; scale it to -1..1 and call .float()")
    if x.dim() != 2 or x.size(0) < 1 or x.size(0) > 2 or x.size(1) < 1:
        raise InvalidAudioError(
            "audio must have shape (channels, samples) with 1 or 2 channels and at least 1 sample, got "
            + str(list(x.shape))
        )


def check_params(params: Tensor, n_params: int, n_samples: int) -> None:
    """Raise unless ``params`` is float32 of shape ``(n_params, 1)``, knobs, or ``(n_params, n_samples)``, curves.

    Raises:
        InvalidTypeError: The dtype is another.
        InvalidAudioError: The shape is another.
    """
    if params.dtype != torch.float32:
        raise InvalidTypeError("params must be float32, got " + dtype_name(params) + "; call .float()")
    if params.dim() != 2 or params.size(0) != n_params or (params.size(1) != n_samples and params.size(1) != 1):
        raise InvalidAudioError(
            f"params must have shape ({n_params}, 1), one value a knob, or ({n_params}, {n_samples}), one value a "
            "sample, got " + str(list(params.shape))
        )


def validate_waveform(x: Tensor, is_mono: bool) -> None:
    """Raise unless ``x`` is float32 audio of shape ``(1, n)`` if ``is_mono``, else ``(2, n)``.

    Raises:
        InvalidTypeError: The dtype is another.
        InvalidAudioError: The shape is another.
    """
    check_audio(x)
    n_channels = 1 if is_mono else 2
    if x.size(0) != n_channels:
        raise InvalidAudioError(f"audio must have {n_channels} channels, got {x.size(0)}")
