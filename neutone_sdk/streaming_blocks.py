"""What a wrapper does with the streaming blocks in its model: lets them play streams, and asks how late they are."""

import warnings
from collections.abc import Iterator
from typing import Any

from torch import nn

from neutone_sdk.delay import delay_samples, may_be_late
from neutone_sdk.errors import NotStreamingError


def play_streams(model: nn.Module) -> None:
    """Put the blocks in a model that know clips and streams in cached mode; those that are stay where they are.

    None is, if one of them is made for windows: cached, it would return samples that its caller does not expect.
    """
    blocks = list(_blocks(model))
    if any(_is_for_windows(block) for block in blocks):
        return
    for block in blocks:
        if not block.is_cached():
            block.set_cached(True)


def derived_delay_samples(model: nn.Module, *, warns: bool = True) -> int:
    """Return how late a model is by what its layers say; 0 if none says that it is, or if they do not play a stream.

    Warns:
        UserWarning: Layers say that they are late, but not what this makes of the model.
    """
    if not all(block.is_cached() for block in _blocks(model)):
        return 0
    try:
        if not any(may_be_late(module) for module in model.modules() if hasattr(module, "get_delay_samples")):
            return 0
        return delay_samples(model)
    except NotStreamingError as error:
        msg = (
            f"the model's delay is taken for 0 samples, because it cannot be derived from its layers: {error}; or "
            "state it: ModelCard(delay_samples=...), or calc_model_delay_samples() of the wrapper"
        )
        if warns:
            warnings.warn(msg, UserWarning, stacklevel=2)
        return 0


def _blocks(model: nn.Module) -> Iterator[Any]:
    """Yield all modules with the two modes of this package's blocks, the outer ones first."""
    for module in model.modules():
        if all(hasattr(module, name) for name in ("is_cached", "set_cached", "reset")):
            yield module


def _is_for_windows(block: Any) -> bool:
    """Return whether a convolution leaves out samples of what it gets, for lack of padding, and is not cached yet."""
    if not all(hasattr(block, name) for name in ("padding_l", "padding_r", "padded_kernel_size", "stride")):
        return False
    is_short = block.padding_l + block.padding_r <= block.padded_kernel_size - block.stride
    return is_short and not block.is_cached()
