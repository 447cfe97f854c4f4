"""What all model blocks ask of their arguments: of the constructor's in Python, of a block of audio scriptable."""

from typing import Any

from torch import Tensor

from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError
from neutone_sdk.validation import check_type, dtype_name


def check_counts(minimum: int, **counts: Any) -> None:
    """Raise unless all are integers of at least ``minimum``. In Python only.

    Raises:
        InvalidTypeError: One is no integer.
        InvalidArgumentError: One is below ``minimum``.
    """
    for name, count in counts.items():
        check_type(count, int, f"{name} must be")
        if count < minimum:
            msg = f"{name} must be at least {minimum}, got {count}"
            raise InvalidArgumentError(msg)


def check_block(x: Tensor, n_channels: int, like: Tensor) -> None:
    """Raise unless ``x`` has shape ``(batch, n_channels, n)``, and the dtype and device of ``like``.

    Raises:
        InvalidTypeError: The dtype or device is another.
        InvalidAudioError: The shape is another.
    """
    if x.dim() != 3 or x.size(1) != n_channels:
        raise InvalidAudioError(
            f"audio must have shape (batch, {n_channels}, samples), got "
            + str(list(x.shape))
            + "; a block has a fixed number of channels"
        )
    if x.dtype != like.dtype or x.device != like.device:
        raise InvalidTypeError(
            "audio must be "
            + dtype_name(like)
            + " on "
            + str(like.device)
            + " as the block is, got "
            + dtype_name(x)
            + " on "
            + str(x.device)
            + "; call .to() of one of them"
        )


def check_batch(batch_size: int, expected: int) -> None:
    """Raise unless a batch is as large as a block was told that it would be.

    Raises:
        InvalidAudioError: It is not.
    """
    if batch_size != expected:
        raise InvalidAudioError(
            f"audio must have a batch of {expected}, as the block was made with, got {batch_size}; call "
            f"reset({batch_size}), or make it with use_dynamic_bs=True"
        )


def check_batch_size(batch_size: int) -> None:
    """Raise unless a stream can have this batch size.

    Raises:
        InvalidArgumentError: It is below 0.
    """
    if batch_size < 0:
        raise InvalidArgumentError(f"batch_size must be at least 0, got {batch_size}")
