"""A model that TorchScript cannot convert: the error names the method, the line, and what to change."""

# mypy: disable-error-code="attr-defined, no-untyped-call, no-untyped-def"
# What is wrong below is what TorchScript has to find; it takes comments with "type:" for types.

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import ScriptingError
from neutone_sdk.utils import model_to_torchscript

from .wrappers import PassThrough, card


class UsesNumpy(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(np.tanh(x.numpy()))  # HERE


class UsesLambda(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        double = lambda y: 2 * y  # noqa: E731  # HERE
        return double(x)


class MakesAttribute(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.count = 1  # HERE
        return x


class ForgetsElse(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if x.sum() > 0:  # HERE
            y = x
        return y


class ForgetsAnnotation(PassThrough):
    def do_forward_pass(self, x, params):  # noqa: ANN001, ANN201
        return x * params["gain"]  # HERE


class Helped(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return helper(x)  # CALLS


def helper(x: Tensor) -> Tensor:
    return x.no_such_method()  # HERE


class Tries(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        try:  # HERE
            return x
        except ValueError:
            return x


class Delegates(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


class KeepsNumpy(PassThrough):
    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, card=card())
        self.gains = {"a": np.float32(2.0)}

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * self.gains["a"]  # HERE


def line_of(function: Callable[..., object], mark: str) -> int:
    """Return the number of the marked line."""
    code = function.__code__
    lines = Path(code.co_filename).read_text().splitlines()
    return next(
        number for number in range(code.co_firstlineno, len(lines) + 1) if lines[number - 1].endswith(f"# {mark}")
    )


@pytest.mark.parametrize(
    ("wrapper_class", "model", "function", "name", "remedy"),
    [
        (UsesNumpy, nn.Identity(), UsesNumpy.do_forward_pass, "UsesNumpy.do_forward_pass", "instead of NumPy's"),
        (UsesLambda, nn.Identity(), UsesLambda.do_forward_pass, "UsesLambda.do_forward_pass", "instead of the lambda"),
        (MakesAttribute, nn.Identity(), MakesAttribute.do_forward_pass, "MakesAttribute.do_forward_pass", "__init__"),
        (ForgetsElse, nn.Identity(), ForgetsElse.do_forward_pass, "ForgetsElse.do_forward_pass", "before the if"),
        (
            ForgetsAnnotation,
            nn.Identity(),
            ForgetsAnnotation.do_forward_pass,
            "ForgetsAnnotation.do_forward_pass",
            "annotate the argument",
        ),
        (Helped, nn.Identity(), helper, "helper", "annotate where the object comes from"),
        (Delegates, Tries(), Tries.forward, "Tries.forward", "test for the condition"),
        (KeepsNumpy, nn.Identity(), KeepsNumpy.do_forward_pass, "KeepsNumpy.do_forward_pass", "annotate the attribute"),
    ],
)
def test_the_error_names_method_line_and_remedy(
    wrapper_class: type[WaveformToWaveformBase],
    model: nn.Module,
    function: Callable[..., object],
    name: str,
    remedy: str,
) -> None:
    wrapper = wrapper_class(model) if wrapper_class is KeepsNumpy else wrapper_class(model, card=card())

    with pytest.raises(ScriptingError) as caught:
        model_to_torchscript(SampleQueueWrapper(wrapper))

    message = str(caught.value)
    assert message.startswith(f"TorchScript cannot convert {wrapper_class.__name__}\n  in {name} (")
    assert f"{__file__}, line {line_of(function, 'HERE')})" in message.splitlines()[1]
    assert remedy in message.splitlines()[-1]
    assert "sample_queue_wrapper" not in message  # ours is not the line to change


def test_the_error_says_who_called() -> None:
    with pytest.raises(ScriptingError, match=r"called from Helped\.do_forward_pass") as caught:
        model_to_torchscript(SampleQueueWrapper(Helped(nn.Identity(), card=card())))
    assert f"line {line_of(Helped.do_forward_pass, 'CALLS')}" in str(caught.value)
    assert caught.value.__cause__ is not None
