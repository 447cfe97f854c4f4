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
            f"audio must have shape (batch, {n_channels}, samples), got {list(x.shape)}; a block has a fixed number of "
            "channels"
        )
    _check_like(x, like)


def check_stream(audio: Tensor, n_channels: int, like: Tensor) -> None:
    """Raise unless ``audio`` has shape ``(n_channels, n)``, and the dtype and device of ``like``.

    Raises:
        InvalidTypeError: The dtype or device is another.
        InvalidAudioError: The shape is another.
    """
    if audio.dim() != 2 or audio.size(0) != n_channels:
        raise InvalidAudioError(f"audio must have shape ({n_channels}, samples), got {list(audio.shape)}")
    _check_like(audio, like)


def _check_like(audio: Tensor, like: Tensor) -> None:
    """Raise unless ``audio`` has the dtype and device of ``like``, a tensor of the block.

    Raises:
        InvalidTypeError: The dtype or device is another.
    """
    if audio.dtype != like.dtype or audio.device != like.device:
        raise InvalidTypeError(
            f"audio must be {dtype_name(like)} on {like.device} as the block is, got {dtype_name(audio)} on "
            f"{audio.device}; call .to() of one of them"
        )


def check_condition(cond: Tensor, n_batch: int, cond_dim: int) -> None:
    """Raise unless ``cond`` has shape ``(n_batch or 1, cond_dim)``.

    Raises:
        InvalidAudioError: The shape is another.
    """
    if cond.dim() != 2 or cond.size(1) != cond_dim or (cond.size(0) != n_batch and cond.size(0) != 1):
        raise InvalidAudioError(
            f"cond must have shape ({n_batch}, {cond_dim}) or (1, {cond_dim}), one for all samples of a block, got "
            + str(list(cond.shape))
        )


def starts_stream(batch_size: int, current: int, expected: int, use_dynamic_bs: bool) -> bool:
    """Return whether a batch of this size starts a new stream. Scriptable.

    Args:
        batch_size: Of the block that came.
        current: Of the stream so far; 0 if there is none yet.
        expected: Of the first stream, without ``use_dynamic_bs``.
        use_dynamic_bs: Whether the size may change.

    Raises:
        InvalidAudioError: The size is another, and may not change.
    """
    if batch_size == current:
        return False
    allowed = expected if current == 0 else current
    if not use_dynamic_bs and batch_size != allowed:
        raise InvalidAudioError(
            f"audio must have a batch of {allowed}, as the block was made for, got {batch_size}; call "
            f"reset({batch_size}), or make it with use_dynamic_bs=True"
        )
    return True


def next_batch_size(batch_size: int | None, current: int) -> int:
    """Return the batch size that a new stream has: the one that is asked for, or that of the stream before. Scriptable.

    Raises:
        InvalidArgumentError: It is below 0.
    """
    if batch_size is None:
        return current
    if batch_size < 0:
        raise InvalidArgumentError(f"batch_size must be at least 0, got {batch_size}")
    return batch_size


def adopt_stock_names(state_dict: dict[str, Any], prefix: str, layer: str) -> None:
    """Rename the weights of a stock layer into those of the submodule ``layer``."""
    for name in ("weight", "bias"):
        if prefix + name in state_dict:
            state_dict[f"{prefix}{layer}.{name}"] = state_dict.pop(prefix + name)


def check_groups(groups: int, in_channels: int, out_channels: int) -> None:
    """Raise unless ``groups`` divides both numbers of channels.

    Raises:
        InvalidTypeError: It is no integer.
        InvalidArgumentError: It does not divide them.
    """
    check_counts(1, groups=groups)
    if in_channels % groups or out_channels % groups:
        msg = f"groups must divide in_channels, {in_channels}, and out_channels, {out_channels}; got {groups}"
        raise InvalidArgumentError(msg)
