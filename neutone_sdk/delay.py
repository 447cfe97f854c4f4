"""How late a stream of layers is, and how far it looks back: added up from what the layers say of themselves.

A layer that streams says so by ``get_delay_samples()``: its stream is its clip, that many of its own output samples
later. If it changes the rate, ``get_stride()`` says how many output samples come for how many input samples, and
``get_receptive_field_samples()`` how many input samples an output sample depends on. Chains of such layers
(``nn.Sequential``) add up; anything else in a model must say it for itself.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules import activation
from torch.nn.utils.parametrize import type_before_parametrizations

from neutone_sdk.errors import NeutoneError, NotStreamingError
from neutone_sdk.validation import check_type

_ALONG_A_DIMENSION = (nn.GLU, nn.Softmax, nn.Softmin, nn.LogSoftmax)
_POINTWISE = (
    *(nn.Identity, nn.Dropout, nn.Dropout1d, nn.AlphaDropout, nn.FeatureAlphaDropout, nn.BatchNorm1d),
    *(getattr(nn, name) for name in activation.__all__ if name not in ("MultiheadAttention", "Softmax2d")),
)
# These mix what is last: the channels of frames. Of (batch, channels, samples) that would be time.
_POINTWISE_ON_FRAMES = (nn.Linear, nn.LayerNorm, nn.RMSNorm)
_STOCK_CONVOLUTIONS = (nn.Conv1d, nn.ConvTranspose1d)


class Layer(NamedTuple):
    """What a layer of a chain says of itself.

    Attributes:
        name: As `torch.nn.Module.named_modules` has it.
        delay_samples: In samples of its output.
        up: Output samples
        down: for so many input samples.
        receptive_field_samples: In samples of its input; None if it does not say.
    """

    name: str
    delay_samples: int
    up: int
    down: int
    receptive_field_samples: int | None


class Timing(NamedTuple):
    """What a chain of layers does to time.

    Attributes:
        delay_samples: In samples of its output.
        rate: Output samples for each input sample.
        grid: A stream that is late by a multiple of so many input samples makes an output that is late by a whole
            number of samples and otherwise the same: all strides begin where they did.
    """

    delay_samples: int
    rate: Fraction
    grid: int


def delay_samples(model: nn.Module) -> int:
    """Return by how many samples of its input a model's stream is later than its clip.

    Modules with ``get_delay_samples`` are asked; ``nn.Sequential`` adds up; activations, batch normalisation, linear
    layers, dropout and convolutions of one tap are not late. Any other module counts as 0 if nothing in it is late.

    Raises:
        NotStreamingError: A layer cannot be judged (a stock convolution, a forward of one's own around layers that are
            late); a layer with a stride follows a delay that is no multiple of it; or the total is no whole number of
            input samples.
    """
    timing = timing_of(layers_of(model))
    total = Fraction(timing.delay_samples) / timing.rate
    if total.denominator != 1:
        msg = (
            f"the model is late by {total} samples of its input, {timing.delay_samples} of its output at {timing.rate} "
            "times the rate; a delay has to be a whole number: put a neutone_sdk.alignment.Delay behind the last layer"
        )
        raise NotStreamingError(msg)
    return int(total)


def receptive_field_samples(model: nn.Module) -> int:
    """Return how many samples of its input one output sample of a model depends on, at most.

    Raises:
        NotStreamingError: A layer cannot be judged, as for `delay_samples`, or does not say.
    """
    return receptive_field_of(layers_of(model))


def timing_of(layers: Sequence[Layer]) -> Timing:
    """Return what a chain does to time.

    Raises:
        NotStreamingError: A layer with a stride follows a delay that is no multiple of it.
    """
    delay, rate, grid = 0, Fraction(1), 1
    for layer in layers:
        if delay % layer.down != 0:
            msg = (
                f"{layer.name} takes {layer.down} samples at a time, but what comes to it is late by {delay}: its "
                f"stream would begin its strides elsewhere than its clip; put neutone_sdk.alignment.Delay"
                f"({-delay % layer.down}) before it"
            )
            raise NotStreamingError(msg)
        # The least multiple of the grid that is a whole number of this layer's strides: grid * rate = 0 modulo down.
        strides = rate / layer.down
        grid = math.lcm(grid, strides.denominator)
        rate *= Fraction(layer.up, layer.down)
        delay = delay * layer.up // layer.down + layer.delay_samples
    return Timing(delay, rate, grid)


def receptive_field_of(layers: Sequence[Layer]) -> int:
    """Return how many input samples an output sample of a chain depends on, at most.

    Raises:
        NotStreamingError: A layer does not say it.
    """
    n_samples = 1
    for layer in reversed(layers):
        if layer.receptive_field_samples is None:
            msg = f"{layer.name} does not say how far it looks back: define get_receptive_field_samples() -> int there"
            raise NotStreamingError(msg)
        # A window of n output samples begins and ends (n - 1) * down / up input samples apart.
        n_samples = math.ceil(Fraction((n_samples - 1) * layer.down, layer.up)) + layer.receptive_field_samples
    return n_samples


def layers_of(module: nn.Module, name: str = "") -> list[Layer]:
    """Return the layers of a chain that do something to time, in order.

    Raises:
        NotStreamingError: One of them cannot be judged.
    """
    if hasattr(module, "get_delay_samples"):
        return [_declared(module, name)]
    if is_sequential(module):
        chain = module.named_children()
        return [layer for child, inner in chain for layer in layers_of(inner, f"{name}.{child}" if name else child)]
    if is_pointwise(module) or issubclass(kind_of(module), _POINTWISE_ON_FRAMES):
        return []
    reason = obstacle(module)
    if reason is not None:
        msg = f"{called(module, name)} {reason}"
        raise NotStreamingError(msg)
    late = _late_inside(module)
    if late is not None:
        msg = (
            f"{called(module, name)} has a forward of its own, so what is late in it ({late}) does not tell how late "
            f"it is: define get_delay_samples() -> int in {kind_of(module).__name__}"
        )
        raise NotStreamingError(msg)
    return []


def _late_inside(module: nn.Module, prefix: str = "") -> str | None:
    """Return the name of a module in ``module`` that may be late, with its class; None if there is none."""
    for name, child in module.named_children():
        if may_be_late(child):
            return f"{prefix}{name}: {kind_of(child).__name__}"
        late = None if hasattr(child, "get_delay_samples") else _late_inside(child, f"{prefix}{name}.")
        if late is not None:
            return late
    return None


def kind_of(module: nn.Module) -> type:
    """Return a module's class; of a scripted one that of torch.nn by the same name, of a weight-normed one the bare."""
    if isinstance(module, torch.jit.ScriptModule):
        kind: Any = getattr(nn, module.original_name, type(module))
        return kind if isinstance(kind, type) else type(module)
    return type_before_parametrizations(module)


def called(module: nn.Module, name: str) -> str:
    """Return what messages call a module."""
    return f"{name or 'model'}: {kind_of(module).__name__}"


def is_sequential(module: nn.Module) -> bool:
    """Return whether a module runs its children one after the other, and does nothing else."""
    kind = kind_of(module)
    if getattr(module, "original_name", None) == "StreamingSequential":
        return True
    return issubclass(kind, nn.Sequential) and kind.forward is nn.Sequential.forward


def is_pointwise(module: Any) -> bool:
    """Return whether a stock module makes each sample of ``(batch, channels, n)`` from the one at the same place."""
    kind = kind_of(module)
    if kind in _ALONG_A_DIMENSION:
        return module.dim in (1, -2)
    if kind in (nn.BatchNorm1d, nn.SyncBatchNorm):
        return bool(module.track_running_stats)
    if kind is nn.Conv1d:
        no_padding = module.padding in ("same", "valid", (0,))
        return (module.kernel_size, module.stride) == ((1,), (1,)) and no_padding
    return kind in _POINTWISE


def obstacle(module: nn.Module) -> str | None:
    """Return what keeps a stock layer from being played as a stream, and the remedy; None if nothing is known of it."""
    kind = kind_of(module)
    if kind in _STOCK_CONVOLUTIONS:
        return "keeps nothing from block to block; neutone_sdk.to_streaming.to_streaming makes it a layer that does"
    if issubclass(kind, _STOCK_CONVOLUTIONS):
        return "has a forward of its own; define get_delay_samples() -> int in it"
    return next((reason for reason, kinds in _OBSTACLES.items() if issubclass(kind, kinds)), None)


def _modules(*names: str) -> tuple[type, ...]:
    return tuple(getattr(nn, name) for name in names)


_OBSTACLES = {
    "takes (batch, n, channels), returns a pair, and starts afresh in every block (a bidirectional one even reads them "
    "backwards); use a recurrent layer that keeps its state": (nn.RNNBase,),
    "looks at the whole clip for its statistics; nn.BatchNorm1d with track_running_stats=True keeps its own": _modules(
        "InstanceNorm1d", "LazyInstanceNorm1d", "GroupNorm", "BatchNorm1d", "LocalResponseNorm"
    ),
    "looks at the whole clip, which a stream does not have": _modules(
        "AdaptiveAvgPool1d", "AdaptiveMaxPool1d", "MultiheadAttention", "Transformer", "TransformerEncoder"
    ),
    "keeps nothing from block to block; use an nn.Conv1d with a stride": _modules(
        "AvgPool1d", "MaxPool1d", "LPPool1d", "Fold", "Unfold"
    ),
    "keeps nothing from block to block; put it into a module that does, and defines get_delay_samples() -> int": (
        _modules("Conv2d", "Conv3d", "ConvTranspose2d", "ConvTranspose3d")
    ),
    "interpolates by the length of what it gets, which is a block and no clip; use nn.ConvTranspose1d": _modules(
        "Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"
    ),
    "pads the edges of a clip, which a stream does not have; give zero padding to the convolution behind it": _modules(
        "ReflectionPad1d", "ReplicationPad1d", "CircularPad1d", "ConstantPad1d", "ZeroPad1d"
    ),
    "works along time; its dim has to be 1, the channels": _ALONG_A_DIMENSION,
    "mixes all samples of a clip of (batch, channels, n); use an nn.Conv1d with one tap": _POINTWISE_ON_FRAMES,
}


def _declared(module: Any, name: str) -> Layer:
    """Return what a module says of itself.

    Raises:
        NotStreamingError: It fails, or says something else than a count.
    """
    name = name or type(module).__name__
    try:
        delay = module.get_delay_samples()
        check_type(delay, int, f"{name}.get_delay_samples() must return")
        up, down = module.get_stride() if hasattr(module, "get_stride") else (1, 1)
    except NotStreamingError:
        raise
    except NeutoneError as error:
        raise NotStreamingError(str(error)) from error
    except Exception as error:  # a stranger's method of the same name
        msg = f"{name} cannot say how late it is: {error}; get_delay_samples() has to return an int"
        raise NotStreamingError(msg) from error
    if delay < 0 or up < 1 or down < 1:
        msg = (
            f"{name} must be late by at least 0 samples and have strides of at least 1, got {delay} samples and "
            f"{up} output samples for {down} input samples"
        )
        raise NotStreamingError(msg)
    return Layer(name, delay, up, down, _declared_receptive_field(module))


def _declared_receptive_field(module: Any) -> int | None:
    try:
        return int(module.get_receptive_field_samples())
    except (AttributeError, NotStreamingError, torch.jit.Error):  # not known, which does not matter for a delay
        return None


def may_be_late(module: Any) -> bool:
    """Return whether a module says that it is late or changes the rate, or is a stock convolution.

    Raises:
        NotStreamingError: It fails to say it.
    """
    if hasattr(module, "get_delay_samples"):
        layer = _declared(module, "")
        return layer.delay_samples != 0 or layer.up != layer.down
    return kind_of(module) in _STOCK_CONVOLUTIONS and not is_pointwise(module)
