"""Checks at the door: of types in Python, and, scriptable, of audio and parameter values."""

import reprlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from neutone_sdk.errors import InvalidAudioError, InvalidTypeError


def check_type(value: object, kind: type, subject: str) -> None:
    """Raise unless ``value`` is a ``kind``. For a float an int will do; a bool is no number.

    Args:
        value: What was received.
        kind: What it has to be.
        subject: What the message begins with: ``"daw_bs must be"``.

    Raises:
        InvalidTypeError: It is of another type.
    """
    if not _is_a(value, kind):
        name = _kind_name(kind)
        article = "an" if name[0] in "AEIOUaeiou" else "a"
        msg = f"{subject} {article} {name}, got {shown(value)}"
        raise InvalidTypeError(msg)


def check_list(values: Any, kind: type, subject: str) -> None:
    """Raise unless ``values`` is a list, or the like, of ``kind``. A string is no list of strings.

    Arguments and errors as in `check_type`.
    """
    if not _is_list(values) or not all(_is_a(value, kind) for value in values):
        msg = f"{subject} a list of {_kind_name(kind)}s, got {shown(values)}"
        raise InvalidTypeError(msg)


def shown(value: object) -> str:
    """Return a value as a message quotes it: not more of it than fits there."""
    try:
        return _QUOTING.repr(value)
    except ValueError:  # Python does not write integers of thousands of digits
        return "a number of thousands of digits"


_QUOTING = reprlib.Repr()
_QUOTING.maxstring = _QUOTING.maxother = 80


def _kind_name(kind: type) -> str:
    return {str: "string", int: "integer", float: "number"}.get(kind, kind.__name__)


def _is_list(values: object) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, (str, bytes))


def _is_a(value: object, kind: type) -> bool:
    allowed = (int, float) if kind is float else kind
    return isinstance(value, allowed) and (kind is bool or not isinstance(value, bool))


def dtype_name(x: Tensor) -> str:
    """Return the name of a tensor's dtype; TorchScript itself knows only its number."""
    names = {
        torch.float32: "float32",
        torch.float64: "float64",
        torch.float16: "float16",
        torch.int64: "int64",
        torch.int32: "int32",
        torch.int16: "int16",
        torch.int8: "int8",
        torch.uint8: "uint8",
        torch.bool: "bool",
        torch.bfloat16: "bfloat16",
        torch.complex64: "complex64",
        torch.complex128: "complex128",
    }
    return names.get(x.dtype, "another dtype")


def _layout_name(x: Tensor) -> str:
    names = {
        torch.strided: "strided",
        torch.sparse_coo: "sparse_coo",
        torch.sparse_csr: "sparse_csr",
    }
    return names.get(x.layout, "another layout")


def _check_plain(x: Tensor, what: str, remedy: str) -> None:
    """Raise unless operators can read ``x``. Runs in every callback: nothing is looked up unless it raises."""
    if x.dtype != torch.float32:
        raise InvalidTypeError(what + " must be float32, got " + dtype_name(x) + "; " + remedy)
    if x.layout != torch.strided or not x.is_cpu:
        raise InvalidTypeError(
            what
            + " must be a strided tensor on the CPU, got "
            + _layout_name(x)
            + " on "
            + str(x.device)
            + "; call .to_dense() or .cpu()"
        )


def check_audio(x: Tensor) -> None:
    """Raise unless ``x`` is float32 audio in the CPU's memory of shape ``(1 or 2, n)`` with ``n >= 1``.

    Raises:
        InvalidTypeError: The dtype, layout or device is another.
        InvalidAudioError: The shape is another.
    """
    _check_plain(x, "audio", "scale it to -1..1 and call .float()")
    if x.dim() != 2 or x.size(0) < 1 or x.size(0) > 2 or x.size(1) < 1:
        raise InvalidAudioError(
            "audio must have shape (channels, samples) with 1 or 2 channels and at least 1 sample, got "
            + str(list(x.shape))
        )


def check_signal(x: Tensor) -> None:
    """Raise unless ``x`` is float32 in the CPU's memory of shape ``(channels, n)``, ``channels >= 1``, ``n >= 0``.

    Raises:
        InvalidTypeError: The dtype, layout or device is another.
        InvalidAudioError: The shape is another.
    """
    _check_plain(x, "audio", "scale it to -1..1 and call .float()")
    if x.dim() != 2 or x.size(0) < 1:
        raise InvalidAudioError(
            "audio must have shape (channels, samples) with at least 1 channel, got " + str(list(x.shape))
        )


def check_params(params: Tensor, n_params: int, n_samples: int) -> None:
    """Raise unless ``params`` is float32 of shape ``(n_params, 1)``, knobs, or ``(n_params, n_samples)``, curves.

    Raises:
        InvalidTypeError: The dtype, layout or device is another.
        InvalidAudioError: The shape is another.
    """
    _check_plain(params, "params", "call .float()")
    if params.dim() != 2 or params.size(0) != n_params or (params.size(1) != n_samples and params.size(1) != 1):
        raise InvalidAudioError(
            f"params must have shape ({n_params}, 1), one value a knob, or ({n_params}, {n_samples}), one value a "
            "sample, got " + str(list(params.shape))
        )


def remedy_for_output(shape: list[int], n_channels: int, n_samples: int, look_behind: int, n_given: int) -> str:
    """Say what to change in a ``do_forward_pass`` that returns something else than it has to.

    Args:
        shape: Of what it returns.
        n_channels: That it has to return.
        n_samples: That it has to return.
        look_behind: Samples that came before these.
        n_given: Samples that it got, with look-behind and look-ahead.
    """
    if len(shape) == 3:
        return _remedy_for_third_axis(shape, n_channels, n_samples)
    if len(shape) != 2:
        return "return both axes, (channels, samples)"
    if shape[1] != n_samples and n_given != n_samples:
        look_ahead = n_given - look_behind - n_samples
        start = f"{look_behind}" if look_behind > 0 else ""
        end = f"x.size(1) - {look_ahead}" if look_ahead > 0 else ""
        return (
            f"x has {look_behind} samples of look-behind and {look_ahead} of look-ahead, leave them out: "
            f"y[:, {start}:{end}]"
        )
    if shape[1] != n_samples:
        return "return as many samples as come in; what a layer leaves out, a cached one keeps, or a look-behind brings"
    if shape[0] != n_channels:
        return f"return {n_channels} of them, or let is_output_mono() say otherwise"
    return "call .float()"


def _remedy_for_third_axis(shape: list[int], n_channels: int, n_samples: int) -> str:
    if shape == [1, n_samples, n_channels] and n_samples != n_channels:
        return "take the batch axis off, and put the channels first: y.squeeze(0).t()"
    if shape == [n_channels, 1, n_samples] and n_channels != 1:
        return "take the middle axis off: y.squeeze(1)"
    return "take the batch axis off, for instance by y.squeeze(0)"


def validate_waveform(x: Tensor, is_mono: bool) -> None:
    """Raise unless ``x`` is float32 audio of shape ``(1, n)`` if ``is_mono``, else ``(2, n)``.

    Raises:
        InvalidTypeError: The dtype, layout or device is another.
        InvalidAudioError: The shape is another.
    """
    check_audio(x)
    n_channels = 1 if is_mono else 2
    if x.size(0) != n_channels:
        raise InvalidAudioError(
            f"audio must have shape ({n_channels}, samples), as is_input_mono() says, got {list(x.shape)}"
        )
