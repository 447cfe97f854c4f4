"""Layers one after the other, and side by side in time, for clips and for streams; as `neutone_sdk.conv` has it."""

import math
from collections import OrderedDict
from fractions import Fraction

import torch
from torch import Tensor, nn

from neutone_sdk.alignment import Delay, Surplus
from neutone_sdk.cached_layer import CachedLayer
from neutone_sdk.delay import Timing, layers_of, receptive_field_of, timing_of
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, NotStreamingError
from neutone_sdk.validation import check_type


class StreamingSequential(nn.Sequential):
    """``nn.Sequential`` whose streaming layers can be told together, also in TorchScript, what to do.

    How late it is depends on what comes before it, if there are strides: ask `neutone_sdk.delay.delay_samples`.
    """

    @torch.jit.export
    def is_cached(self) -> bool:
        """Return whether all layers that know blocks of a stream expect them."""
        is_cached = True
        for layer in self:
            if hasattr(layer, "is_cached"):
                is_cached = layer.is_cached() and is_cached  # type: ignore[operator]
        return is_cached

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Expect blocks of a stream, which starts now, or clips."""
        for layer in self:
            if hasattr(layer, "set_cached"):
                layer.set_cached(cached)  # type: ignore[operator]

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches."""
        for layer in self:
            if hasattr(layer, "reset"):
                layer.reset(batch_size)  # type: ignore[operator]

    def prepare_for_inference(self) -> None:
        """Expect blocks of a stream, which starts now, and leave training mode."""
        for layer in self:
            if hasattr(layer, "prepare_for_inference"):
                layer.prepare_for_inference()  # type: ignore[operator]
        self.eval()


def streaming_sequential(module: nn.Module) -> nn.Module:
    """Return a plain ``nn.Sequential``, and those in it, as `StreamingSequential` of the same layers by the same names.

    Any other module is returned as it is.
    """
    if type(module) is not nn.Sequential:
        return module
    children = [(name, streaming_sequential(child)) for name, child in module.named_children()]
    return StreamingSequential(OrderedDict(children)).train(module.training)


class Residual(CachedLayer):
    """Runs two branches on the same input and adds them, or puts their channels together, aligned in time.

    Cached, the branch that is earlier is delayed until both stand for the same sample. Uncached, a branch that shortens
    a clip is understood to leave out its first samples, so the other one loses as many.

    The branches may hold stock convolutions while the block is trained; `neutone_sdk.to_streaming` converts them.

    Args:
        branch: Of ``(batch, channels, n)``, a chain that `neutone_sdk.delay.delay_samples` can judge.
        shortcut: The other branch; None for the input itself.
        combine: ``"add"``, or ``"cat"`` for the channels of ``branch`` and, behind them, those of ``shortcut``.

    Raises:
        InvalidTypeError: A branch is no module.
        InvalidArgumentError: ``combine`` is another word, or the branches make different numbers of samples.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module | None = None, combine: str = "add") -> None:
        super().__init__()
        check_type(branch, nn.Module, "branch must be")
        if combine not in ("add", "cat"):
            msg = f"combine must be 'add' or 'cat', got {combine!r}"
            raise InvalidArgumentError(msg)
        self.branch = streaming_sequential(branch)
        self.shortcut = nn.Identity() if shortcut is None else streaming_sequential(shortcut)
        self.combine = combine
        self.cached = False
        self.obstacle = ""
        self.up, self.down, self.delay_samples, self.receptive_field = 1, 1, 0, -1
        late = [0, 0]
        try:
            late = self._align()
        except NotStreamingError as error:  # a block in training may well have stock layers
            self.obstacle = str(error)
        self.branch_delay = Delay(self.delay_samples - late[0])
        self.shortcut_delay = Delay(self.delay_samples - late[1])
        self.branch_surplus = Surplus(self.up)
        self.shortcut_surplus = Surplus(self.up)

    def _align(self) -> list[int]:
        """Find out about both branches together, and return by how much each is late by itself."""
        chains = [layers_of(self.branch, "branch"), layers_of(self.shortcut, "shortcut")]
        timings = [timing_of(chain) for chain in chains]
        check_same_rate(*timings)
        rate, grid = timings[0].rate, math.lcm(timings[0].grid, timings[1].grid)
        self.up, self.down = int(rate * grid), grid
        late = [timing.delay_samples for timing in timings]
        self.delay_samples = max(late)
        try:
            self.receptive_field = max(
                receptive_field_of(chain) + math.ceil(Fraction(self.delay_samples - own) / rate)
                for chain, own in zip(chains, late, strict=True)
            )
        except NotStreamingError:  # known to be late, not known how far it looks back
            self.receptive_field = -1
        return late

    def forward(self, x: Tensor) -> Tensor:
        """Run a clip, or the next block of the stream.

        Args:
            x: ``(batch, channels, n)``; cached, ``n`` may be 0.

        Returns:
            ``(batch, channels, n)``, times the branches' rate, fresh.

        Raises:
            InvalidAudioError: Uncached, a branch makes more samples than its rate says, or the shapes do not fit.
        """
        branch, shortcut = self.branch(x), self.shortcut(x)
        if self.cached:
            branch, shortcut = self.branch_delay(branch), self.shortcut_delay(shortcut)
            if self.down > 1:
                branch, shortcut = self._matched(branch, shortcut)
        elif branch.size(2) != shortcut.size(2):
            n_whole = (x.size(2) * self.up + self.down - 1) // self.down
            n_outputs = min(branch.size(2), shortcut.size(2))
            if max(branch.size(2), shortcut.size(2)) > n_whole:
                raise InvalidAudioError(
                    f"the branches make {branch.size(2)} and {shortcut.size(2)} samples of {x.size(2)}, which are not "
                    f"to be more than {n_whole}; give them padding that keeps the length"
                )
            branch = branch.narrow(2, branch.size(2) - n_outputs, n_outputs)
            shortcut = shortcut.narrow(2, shortcut.size(2) - n_outputs, n_outputs)
        if self.combine == "cat":
            return torch.cat([branch, shortcut], dim=1)
        return branch + shortcut

    def _matched(self, branch: Tensor, shortcut: Tensor) -> tuple[Tensor, Tensor]:
        """Return as many samples of both as there are: strides give theirs as soon as their first input is there."""
        branch, shortcut = self.branch_surplus(branch), self.shortcut_surplus(shortcut)
        n_outputs = min(branch.size(2), shortcut.size(2))
        self.branch_surplus.hold(branch.narrow(2, n_outputs, branch.size(2) - n_outputs))
        self.shortcut_surplus.hold(shortcut.narrow(2, n_outputs, shortcut.size(2) - n_outputs))
        return branch.narrow(2, 0, n_outputs), shortcut.narrow(2, 0, n_outputs)

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Expect blocks of a stream, which starts now, or clips.

        Raises:
            NotStreamingError: Streams are expected, and a branch does not say how late it is.
        """
        if cached and self.obstacle != "":
            raise NotStreamingError("the branches cannot be aligned: " + self.obstacle)
        self.cached = cached
        if hasattr(self.branch, "set_cached"):
            self.branch.set_cached(cached)  # type: ignore[operator]
        if hasattr(self.shortcut, "set_cached"):
            self.shortcut.set_cached(cached)  # type: ignore[operator]
        self.branch_delay.set_cached(cached)
        self.shortcut_delay.set_cached(cached)
        self.branch_surplus.reset(None)
        self.shortcut_surplus.reset(None)

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Start a new stream; with a ``batch_size``, one of such batches."""
        if hasattr(self.branch, "reset"):
            self.branch.reset(batch_size)  # type: ignore[operator]
        if hasattr(self.shortcut, "reset"):
            self.shortcut.reset(batch_size)  # type: ignore[operator]
        self.branch_delay.reset(batch_size)
        self.shortcut_delay.reset(batch_size)
        self.branch_surplus.reset(batch_size)
        self.shortcut_surplus.reset(batch_size)

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Return by how many samples a stream is later than a clip: as much as the later branch.

        Raises:
            NotStreamingError: A branch does not say how late it is.
        """
        if self.obstacle != "":
            raise NotStreamingError("the branches cannot be aligned: " + self.obstacle)
        return self.delay_samples

    @torch.jit.export
    def get_stride(self) -> tuple[int, int]:
        """Return how many output samples come for how many input samples, whole strides of both branches."""
        return self.up, self.down

    @torch.jit.export
    def get_receptive_field_samples(self) -> int:
        """Return how many input samples an output sample depends on, at most.

        Raises:
            NotStreamingError: A branch does not say it.
        """
        if self.receptive_field < 0:
            raise NotStreamingError("a branch does not say how far it looks back: " + self.obstacle)
        return self.receptive_field


def check_same_rate(branch: Timing, shortcut: Timing) -> None:
    """Raise unless two branches make equally many samples.

    Raises:
        InvalidArgumentError: They do not.
    """
    if branch.rate != shortcut.rate:
        msg = (
            f"the branches must make equally many samples, got {branch.rate} for each sample of the input from branch "
            f"and {shortcut.rate} from shortcut; give them the same strides"
        )
        raise InvalidArgumentError(msg)
