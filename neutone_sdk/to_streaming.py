"""From a trained stack of stock layers to one that plays a stream, without training it again."""

import copy
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn.utils.weight_norm import WeightNorm

from neutone_sdk.alignment import Delay, SilentStart
from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.conv_transpose import ConvTranspose1dGeneral
from neutone_sdk.delay import called, is_pointwise, is_sequential, kind_of, layers_of, obstacle
from neutone_sdk.errors import NotStreamingError
from neutone_sdk.residual import Residual, StreamingSequential
from neutone_sdk.validation import check_type


def to_streaming(model: nn.Module) -> StreamingSequential:
    """Return a copy of a stack of layers, cached and in eval mode, that plays block after block what it plays at once.

    Taken are ``nn.Sequential`` within each other, of ``nn.Conv1d`` and ``nn.ConvTranspose1d`` with zero padding or
    none, layers that make each sample from the one at the same place (activations, batch normalisation, dropout),
    `Residual` of such, and layers that stream already, if they keep the length of a clip. Weight norm is worked into
    the weights.

    However a stream is cut, its sample ``i`` is, to rounding, sample ``i - delay_samples(result)`` of what ``model``
    in eval mode makes of the clip, from the first sample on: every layer hears silence before, as its padding is. The
    last samples of a clip, which a delay keeps back, depend on the padding on the right: a stream that goes on is
    another clip there. A layer without padding shortens the clip; what is missing counts as missing in front.

    Where a layer with a stride follows a delay that is no multiple of it, an `alignment.Delay` is put before it. The
    names of the layers stay as they are, also in the state dict, but the weights of a convolution get another prefix,
    as in `Conv1dGeneral`; a state dict of ``model`` loads too.

    Raises:
        InvalidTypeError: ``model`` is no module.
        NotStreamingError: A layer cannot be played as a stream; the message names it, the reason and the remedy.
    """
    check_type(model, nn.Module, "model must be")
    with torch.random.fork_rng(devices=[]), torch.no_grad():  # the weights of new layers are random at first
        layers, _ = _converted(model, "", _Place())
    ((_, first), *_) = layers
    result = first if isinstance(first, StreamingSequential) else StreamingSequential(OrderedDict(layers))
    for weight in model.parameters():
        result.to(device=weight.device, dtype=weight.dtype)  # also buffers that follow no weight
        break
    result.prepare_for_inference()
    return result


@dataclass(frozen=True)
class _Place:
    """Where the stream is beside the clip, before a layer.

    Attributes:
        delay: Samples that the stream is late by since the beginning of the branch, a clip's end being its end.
        missing: Samples that layers left out in front of the clip since then.
        late: Sample 0 of the clip is this one of the stream.
        is_silent: Whether the stream is silent before that.
    """

    delay: int = 0
    missing: int = 0
    late: int = 0
    is_silent: bool = False

    def after(self, up: int, down: int, delay: int, missing: int) -> "_Place":
        """Return where it is behind a layer of a stride, whose own delay and missing samples are given."""
        return _Place(
            self.delay * up // down + delay,
            self.missing * up // down + missing,
            self.late * up // down + delay + missing,
        )


_Named = list[tuple[str, nn.Module]]


def _converted(module: nn.Module, name: str, place: _Place) -> tuple[_Named, _Place]:
    """Return what plays a module's part in a stream, by the names within its parent, and where the stream is then."""
    _check_hooks(module, name)
    own_name = name.rpartition(".")[2] or "0"
    if is_sequential(module):
        children: _Named = []
        for child, inner in module.named_children():
            layers, place = _converted(inner, f"{name}.{child}" if name else child, place)
            children += layers
        return [(own_name, StreamingSequential(OrderedDict(children)))], place
    if kind_of(module) is Residual:
        return _residual(module, name, own_name, place)
    kind = kind_of(module)
    if kind is nn.Conv1d:
        return _conv(module, name, own_name, place)
    if kind is nn.ConvTranspose1d:
        return _conv_transpose(module, own_name, place)
    if is_pointwise(module):
        return [(own_name, copy.deepcopy(module))], replace(place, is_silent=False)
    if hasattr(module, "set_cached") and hasattr(module, "get_delay_samples"):
        return _streaming(module, name, own_name, place)
    reason = obstacle(module) or (
        "has a forward of its own, which nobody but its author can cut into blocks: build the model of nn.Sequential "
        "and neutone_sdk.residual.Residual, or of layers that stream"
    )
    msg = f"{called(module, name)} {reason}"
    raise NotStreamingError(msg)


def _check_hooks(module: nn.Module, name: str) -> None:
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]  # noqa: SLF001
    stranger = next((hook for hook in hooks if not isinstance(hook, WeightNorm)), None)
    if stranger is not None:
        msg = f"{called(module, name)} has a hook ({stranger!r}), which a copy does not run; remove it before"
        raise NotStreamingError(msg)


def _copy_weights(stock: Any, inner: Any) -> None:
    """Copy the weights of a stock layer to another."""
    for hook in stock._forward_pre_hooks.values():  # noqa: SLF001  # weight norm: the weights may be those of before
        hook(stock, None)  # the latest step of training
    inner.to(device=stock.weight.device, dtype=stock.weight.dtype)
    inner.weight.copy_(stock.weight)
    if stock.bias is not None:
        inner.bias.copy_(stock.bias)


def _aligned(name: str, own_name: str, place: _Place, grid: int) -> tuple[_Named, _Place]:
    """Make what comes before strides of ``grid`` samples begin where those of the clip do."""
    if place.missing % grid != 0:
        msg = (
            f"{name} takes {grid} samples at a time, and the layers before it leave out {place.missing} samples of "
            f"the clip, no multiple of that: give them padding, for instance half their kernel"
        )
        raise NotStreamingError(msg)
    n_samples = -place.delay % grid
    if n_samples == 0:
        return [], place
    later = replace(place, delay=place.delay + n_samples, late=place.late + n_samples)
    return [(f"{own_name}_delay", Delay(n_samples))], later


def _silence(own_name: str, place: _Place, remembers: bool = True) -> _Named:
    """Let a layer that remembers hear silence before the clip, as it does in its padding."""
    if not remembers or place.is_silent or place.late == 0:
        return []
    return [(f"{own_name}_start", SilentStart(place.late))]


def _conv(stock: Any, name: str, own_name: str, place: _Place) -> tuple[_Named, _Place]:
    padding = stock.padding if isinstance(stock.padding, str) else stock.padding[0]
    layer = Conv1dGeneral(
        stock.in_channels,
        stock.out_channels,
        stock.kernel_size[0],
        stride=stock.stride[0],
        padding=padding,
        dilation=stock.dilation[0],
        bias=stock.bias is not None,
        causal=False,
        groups=stock.groups,
    )
    if stock.padding_mode != "zeros" and layer.padding_l + layer.padding_r > 0:
        msg = (
            f"{called(stock, name)} pads with padding_mode={stock.padding_mode!r}, what the edges of a clip are like; "
            "a stream has none, and begins with silence: train it with padding_mode='zeros'"
        )
        raise NotStreamingError(msg)
    if layer.padding_l > layer.padded_kernel_size:
        msg = (
            f"{called(stock, name)} has more padding, {layer.padding_l}, than its kernel reaches over, "
            f"{layer.padded_kernel_size}, so its first output is due before the first input; give it less"
        )
        raise NotStreamingError(msg)
    _copy_weights(stock, layer.conv1d)
    delays, place = _aligned(called(stock, name), own_name, place, layer.stride)
    start = _silence(own_name, place, layer.padded_kernel_size > 0)
    missing = (layer.padded_kernel_size - layer.padding_l - layer.padding_r) // layer.stride
    return [*delays, *start, (own_name, layer)], place.after(1, layer.stride, layer.get_delay_samples(), missing)


def _conv_transpose(stock: Any, own_name: str, place: _Place) -> tuple[_Named, _Place]:
    layer = ConvTranspose1dGeneral(
        stock.in_channels,
        stock.out_channels,
        stock.kernel_size[0],
        stride=stock.stride[0],
        padding=stock.padding[0],
        output_padding=stock.output_padding[0],
        dilation=stock.dilation[0],
        bias=stock.bias is not None,
        causal=False,
        groups=stock.groups,
    )
    _copy_weights(stock, layer.conv_transpose1d)
    start = _silence(own_name, place, layer.n_tail > 0)
    return [*start, (own_name, layer)], place.after(layer.stride, 1, layer.get_delay_samples(), 0)


def _streaming(module: Any, name: str, own_name: str, place: _Place) -> tuple[_Named, _Place]:
    (layer,) = layers_of(module, name or own_name)
    delays, place = _aligned(called(module, name), own_name, place, layer.down)
    start = _silence(own_name, place, layer.receptive_field_samples != 1)
    after = place.after(layer.up, layer.down, layer.delay_samples, _missing_of(module))
    return [*delays, *start, (own_name, copy.deepcopy(module))], after


def _missing_of(module: Any) -> int:
    if isinstance(module, Conv1dGeneral):
        return (module.padded_kernel_size - module.padding_l - module.padding_r) // module.stride
    return 0


def _residual(module: Any, name: str, own_name: str, place: _Place) -> tuple[_Named, _Place]:
    """Both branches begin at the same place, a multiple of the strides of both, and hear the same silence before."""
    result, _ = _branches(module, name, place)
    up, down = result.get_stride()
    delays, place = _aligned(called(module, name), own_name, place, down)
    start = _silence(own_name, place)
    result, missing = _branches(module, name, place)
    return [*delays, *start, (own_name, result)], place.after(up, down, result.get_delay_samples(), missing)


def _branches(module: Any, name: str, place: _Place) -> tuple[Residual, int]:
    """Return both branches converted, and how much they leave out of a clip together."""
    start = _Place(late=place.late, is_silent=True)
    sides = []
    missing = []
    for side in ("branch", "shortcut"):
        ((_, layer),), end = _converted(getattr(module, side), f"{name}.{side}" if name else side, start)
        sides.append(layer)
        missing.append(end.missing)
    return Residual(sides[0], sides[1], combine=module.combine), max(missing)
