"""Models of which each fails one check, and only that."""

import io
import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, SampleQueueWrapper, __version__
from neutone_sdk.checks import Subject
from neutone_sdk.scripting import without_deprecation
from neutone_sdk.utils import model_to_torchscript

from .wrappers import Delaying, PassThrough, card


def content_of(queue: SampleQueueWrapper, metadata: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    with without_deprecation():
        torch.jit.save(model_to_torchscript(queue), file, _extra_files={"metadata.json": json.dumps(metadata)})
    return file.getvalue()


def subject_of(
    wrapper: PassThrough | Delaying,
    queue: type[SampleQueueWrapper] = SampleQueueWrapper,
    *,
    in_memory: bool = True,
    is_submission: bool = False,
    **facts: object,
) -> Subject:
    """Return an exported model; ``facts`` replace what its metadata says."""
    made = queue(wrapper, daw_bs=2048).eval()
    metadata = {**wrapper.to_metadata(), "flavour": "native", "required_ops": {"neutone": __version__}, **facts}
    content = content_of(made, metadata)
    return Subject(content, metadata, wrapper=made if in_memory else None, is_submission=is_submission)


class FadesWhenSaved(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x

    @torch.jit.export
    def __getstate__(self) -> tuple[float, bool]:
        return (0.5 * self.gain, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[float, bool]) -> None:
        self.gain = state[0]
        self.training = state[1]


class Wrapping(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


class DiffersWhenScripted(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return 0.5 * x
        return x


class AnswersWithAnInteger(SampleQueueWrapper):
    @torch.jit.export
    def get_wet_default_value(self) -> int:
        return 1


class CannotPlayLongBlocks(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[:, :2048]


class CannotPlayAt96kHz(PassThrough):
    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        if sample_rate == 96_000:
            raise ValueError("that is too fast for me")
        return True


class NeedsADifferenceOfChannels(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if bool(x.abs().max() > 0.0) and torch.equal(x[0], x[1]):
            raise ValueError("where is the side signal?")
        return x


class WritesToItsInput(SampleQueueWrapper):
    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        y = super().forward(x, params)
        x.zero_()
        return y


class WritesToItsKnobs(SampleQueueWrapper):
    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        y = super().forward(x, params)
        if params is not None:
            params.zero_()
        return y


class ReturnsTheSameTensor(SampleQueueWrapper):
    last: Tensor

    def __init__(self, w2w_base: PassThrough, daw_bs: int) -> None:
        super().__init__(w2w_base, daw_bs=daw_bs)
        self.register_buffer("last", torch.zeros(0))

    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        y = super().forward(x, params)
        if self.last.size() != y.size():
            self.last = torch.zeros_like(y)
        self.last.copy_(y)
        return self.last


class DividesByAKnob(PassThrough):
    def __init__(self) -> None:
        super().__init__(nn.Identity(), card=card(parameters=[ContinuousNeutoneParameter("size", "", 0.5)]))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x / params["size"]


class QuieterOffline(SampleQueueWrapper):
    @torch.jit.export
    def forward_offline(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        return 0.5 * x


class Late(Delaying):
    def calc_model_delay_samples(self) -> int:
        return 0


class KeepsItsPast(Delaying):
    def reset_model(self) -> bool:
        return True


class HasABias(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + 0.01


class DividesByTheLevel(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x / x.square().mean()


class KeepsEverything(PassThrough):
    past: list[Tensor]

    def __init__(self) -> None:
        super().__init__(nn.Identity(), card=card())
        self.past = []

    def reset_model(self) -> bool:
        self.past.clear()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.past.append(x.mean(dim=0)[:256].clone())
        return x


def plain(wrapper: type[PassThrough], **facts: object) -> Callable[[], Subject]:
    return lambda: subject_of(wrapper(nn.Identity(), card=card(**facts)))


# From what a model does to the check that catches it, and what that says.
Case = tuple[Callable[[], Subject], str, str]
FAILING: dict[str, Case] = {
    "fades when it is saved": (
        lambda: subject_of(Wrapping(FadesWhenSaved(), card=card()), in_memory=False),
        "reloads",
        "the file and the same file saved once more play the same audio differently, by up to",
    ),
    "differs when it is scripted": (
        plain(DiffersWhenScripted),
        "same-as-memory",
        "the model in memory and the exported file play the same audio differently, by up to",
    ),
    "a method of another type": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), AnswersWithAnInteger),
        "host-methods",
        r"get_wet_default_value must be \(\) -> float, got \(\) -> int",
    ),
    "native operators in a portable file": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), flavour="portable"),
        "flavour",
        r"portable, but it calls neutone::\w+, .*neutone::stream_exchange",
    ),
    "one native block that it cannot play": (
        plain(CannotPlayLongBlocks, native_buffer_sizes=[2048, 3000]),
        "native-blocks",
        r"^48000 Hz, blocks of 3000: do_forward_pass must return float32 audio of shape \(2, 3000\)",
    ),
    "a rate that it cannot play": (
        plain(CannotPlayAt96kHz),
        "rates-and-blocks",
        "^96000 Hz, blocks of 64: that is too fast for me; .* and 3 more$",
    ),
    "mono": (plain(NeedsADifferenceOfChannels), "mono-stereo", "^mono: where is the side signal"),
    "writes to the host's audio": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), WritesToItsInput),
        "host-buffers",
        "callback 0 wrote to the host's audio",
    ),
    "a knob at 0": (
        lambda: subject_of(DividesByAKnob()),
        "parameters",
        "^all at 0: .* of 8192 samples are no finite numbers; 'size' at 0: ",
    ),
    "other audio offline": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), QuieterOffline),
        "offline",
        "block by block and the same file offline play the same audio differently",
    ),
    "a reset that forgets nothing": (
        lambda: subject_of(KeepsItsPast(nn.Identity(), card())),
        "reset",
        r"the same file after reset\(\) play the same audio differently.*; what it keeps: past$",
    ),
    "a delay that is not reported": (
        lambda: subject_of(Late(nn.Identity(), card())),
        "delay",
        r"reported 0 samples, measured 37 .* the output is 37 samples later than the host thinks",
    ),
    "a bias": (plain(HasABias), "clean-output", "on silence the output has a DC offset of 0.01; .* 10 s of zeros"),
    "state that grows": (
        lambda: subject_of(KeepsEverything()),
        "memory",
        r"what it keeps grows from \d+ to \d+ bytes between block 200 and 1000: w2w_base.past$",
    ),
}

OTHERS: dict[str, Case] = {
    "operators that are not announced": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), required_ops={}),
        "flavour",
        "native, but it calls neutone::.*, which the file does not announce",
    ),
    "metadata with the wrong channels": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), is_input_mono="True"),
        "mono-stereo",
        "the metadata says is_input_mono: True, the model False",
    ),
    "writes to the host's knobs": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), WritesToItsKnobs),
        "host-buffers",
        "callback 0 wrote to the host's knobs",
    ),
    "returns the same tensor again": (
        lambda: subject_of(PassThrough(nn.Identity(), card=card()), ReturnsTheSameTensor),
        "host-buffers",
        "of 4 blocks that the host kept 3 changed in later callbacks",
    ),
    "no number on silence": (
        plain(DividesByTheLevel),
        "clean-output",
        "^on silence 98304 samples are no finite numbers, the first in 0",
    ),
}
