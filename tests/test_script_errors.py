"""A model that TorchScript cannot convert: the error names the method, the line, and what to change.

And methods that TorchScript alone could not convert, but this package helps it to.
"""

# mypy: disable-error-code="attr-defined, misc, untyped-decorator, no-untyped-call, no-untyped-def"
# What is wrong below is what TorchScript has to find; it takes comments with "type:" for types.

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import ScriptingError
from neutone_sdk.utils import model_to_torchscript, save_neutone_model

from . import wrappers_future as future
from . import wrappers_unscriptable
from .conftest import Noise
from .wrappers import GAIN, PassThrough, card
from .wrappers_unscriptable import (
    AnnotatesNumpy,
    AsksAnAttribute,
    CallsDecorated,
    CallsHelpersSuper,
    CallsIgnored,
    CountsLayers,
    Delegates,
    FillsAnEmptyList,
    ForgetsElse,
    FormatsNumbers,
    HasComment,
    HasConstant,
    HasIgnoredReset,
    HasInnerFunction,
    Helped,
    ImportsLate,
    KeepsLambda,
    KeepsNumpy,
    LeavesParamsOut,
    ListsLayers,
    MakesAttribute,
    MixesNumbers,
    ReturnsNothing,
    ReturnsTwo,
    SaysItReturnsNothing,
    SetsAndReturnsNothing,
    SetsUnannotatedAndReturnsNothing,
    TakesAnyDict,
    TakesAnything,
    TakesKeywords,
    TakesNumbers,
    Tries,
    UsesLambda,
    UsesNumpy,
    helper,
)


def line_of(function: Callable[..., object], mark: str) -> int:
    """Return the number of the marked line."""
    lines, first = inspect.getsourcelines(function)
    return next(number for number, line in enumerate(lines, first) if line.rstrip().endswith(f"# {mark}"))


def message_about(wrapper: WaveformToWaveformBase, folder: Path) -> str:
    with pytest.raises(ScriptingError) as caught:
        save_neutone_model(wrapper, folder / "new")
    assert list(folder.iterdir()) == []
    return str(caught.value)


@pytest.mark.parametrize(
    ("wrapper_class", "model", "function", "name", "remedy"),
    [
        (UsesNumpy, nn.Identity(), UsesNumpy.do_forward_pass, "UsesNumpy.do_forward_pass", "instead of NumPy's"),
        (UsesLambda, nn.Identity(), UsesLambda.do_forward_pass, "UsesLambda.do_forward_pass", "instead of the lambda"),
        (MakesAttribute, nn.Identity(), MakesAttribute.do_forward_pass, "MakesAttribute.do_forward_pass", "__init__"),
        (ForgetsElse, nn.Identity(), ForgetsElse.do_forward_pass, "ForgetsElse.do_forward_pass", "before the if"),
        (Helped, nn.Identity(), helper, "helper", "annotate where the object comes from"),
        (Delegates, Tries(), Tries.forward, "Tries.forward", "test for the condition"),
        (KeepsNumpy, nn.Identity(), KeepsNumpy.do_forward_pass, "KeepsNumpy.do_forward_pass", "annotate the attribute"),
        (
            LeavesParamsOut,
            nn.Identity(),
            LeavesParamsOut.do_forward_pass,
            "LeavesParamsOut.do_forward_pass",
            "declare it as def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor])",
        ),
        (
            TakesNumbers,
            nn.Identity(),
            TakesNumbers.do_forward_pass,
            "TakesNumbers.do_forward_pass",
            "params: dict[str, torch.Tensor]",
        ),
        (
            TakesAnyDict,
            nn.Identity(),
            TakesAnyDict.do_forward_pass,
            "TakesAnyDict.do_forward_pass",
            "params: dict[str, torch.Tensor]",
        ),
        (
            ReturnsTwo,
            nn.Identity(),
            ReturnsTwo.do_forward_pass,
            "ReturnsTwo.do_forward_pass",
            "-> torch.Tensor, and keep to these types",
        ),
        (
            SaysItReturnsNothing,
            nn.Identity(),
            SaysItReturnsNothing.reset_model,
            "SaysItReturnsNothing.reset_model",
            "declare it as def reset_model(self) -> bool",
        ),
        (
            ReturnsNothing,
            nn.Identity(),
            ReturnsNothing.reset_model,
            "ReturnsNothing.reset_model",
            "return a value on every path",
        ),
        (
            SetsAndReturnsNothing,
            nn.Identity(),
            SetsAndReturnsNothing.set_model_sample_rate_and_buffer_size,
            "SetsAndReturnsNothing.set_model_sample_rate_and_buffer_size",
            "n_samples: int) -> bool",
        ),
        (
            SetsUnannotatedAndReturnsNothing,
            nn.Identity(),
            SetsUnannotatedAndReturnsNothing.set_model_sample_rate_and_buffer_size,
            "SetsUnannotatedAndReturnsNothing.set_model_sample_rate_and_buffer_size",
            "return a value on every path",
        ),
        (
            CallsHelpersSuper,
            nn.Identity(),
            CallsHelpersSuper.quieter,
            "CallsHelpersSuper.quieter",
            "another name than super()",
        ),
        (
            HasIgnoredReset,
            nn.Identity(),
            HasIgnoredReset.reset_model,
            "HasIgnoredReset.reset_model",
            "remove @torch.jit.ignore",
        ),
        (
            CallsIgnored,
            nn.Identity(),
            CallsIgnored.do_forward_pass,
            "CallsIgnored.do_forward_pass",
            "call the method only if not torch.jit.is_scripting()",
        ),
        (
            CallsDecorated,
            nn.Identity(),
            CallsDecorated.do_forward_pass,
            "CallsDecorated.do_forward_pass",
            "remove the decorator",
        ),
        (AnnotatesNumpy, nn.Identity(), None, "AnnotatesNumpy", "a type that TorchScript knows"),
        (HasComment, nn.Identity(), HasComment.do_forward_pass, "HasComment.do_forward_pass", "reword the comment"),
    ],
)
def test_the_error_names_method_line_and_remedy(
    wrapper_class: type[WaveformToWaveformBase],
    model: nn.Module,
    function: Callable[..., object] | None,
    name: str,
    remedy: str,
    tmp_path: Path,
) -> None:
    has_own_card = wrapper_class in (KeepsNumpy, AnnotatesNumpy)
    wrapper = wrapper_class(model) if has_own_card else wrapper_class(model, card=card())

    message = message_about(wrapper, tmp_path)

    assert message.startswith(f"TorchScript cannot convert {wrapper_class.__name__}\n  in {name} (")
    assert (
        f"{wrappers_unscriptable.__file__}, line {line_of(function or wrapper_class, 'HERE')})"
        in message.splitlines()[1]
    )
    assert remedy in message.splitlines()[-1]
    assert "sample_queue_wrapper" not in message  # ours is not the line to change
    assert "fault of neutone_sdk" not in message


@pytest.mark.parametrize(
    ("model", "function", "remedy"),
    [
        (TakesAnything(), TakesAnything.cut, "annotate the argument"),
        (TakesKeywords(), TakesKeywords.forward, "no **kwargs"),
        (AsksAnAttribute(), AsksAnAttribute.forward, "past = self.past; if past is not None"),
        (FillsAnEmptyList(), FillsAnEmptyList.forward, "sizes: list[int] = []"),
        (FormatsNumbers(), FormatsNumbers.forward, "out of the f-string"),
        (HasInnerFunction(), HasInnerFunction.forward, "top of the file, or make it a method"),
        (CountsLayers(), CountsLayers.forward, "for layer in self.layers"),
        (ListsLayers(), ListsLayers.forward, "nn.ModuleList"),
        (ImportsLate(), ImportsLate.forward, "import at the top"),
        (KeepsLambda(), KeepsLambda.forward, "def instead of the lambda"),
        (HasConstant(), HasConstant.forward, "Final[int]"),
        (MixesNumbers(), MixesNumbers.forward, "one type throughout"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_remedy_fits_the_line(
    model: nn.Module, function: Callable[..., object], remedy: str, tmp_path: Path
) -> None:
    message = message_about(Delegates(model, card=card()), tmp_path)
    assert f"{wrappers_unscriptable.__file__}, line {line_of(function, 'HERE')})" in message.splitlines()[1]
    assert remedy in message.splitlines()[-1]
    assert len(message) < 1200  # torch lists all variants of an operator


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
def test_weight_norm_of_the_old_kind_is_removed_and_then_converts(tmp_path: Path) -> None:
    conv = torch.nn.utils.weight_norm(nn.Conv1d(2, 2, 1))
    message = message_about(Delegates(nn.Sequential(conv), card=card()), tmp_path)
    assert message.splitlines()[-1].startswith("  change: call torch.nn.utils.remove_weight_norm")

    torch.nn.utils.remove_weight_norm(conv)
    x = torch.rand(2, 2048)
    script = model_to_torchscript(SampleQueueWrapper(Delegates(nn.Sequential(conv), card=card())))
    assert torch.equal(script(x), conv(x))


def test_the_error_says_who_called() -> None:
    with pytest.raises(ScriptingError, match=r"called from Helped\.do_forward_pass") as caught:
        model_to_torchscript(SampleQueueWrapper(Helped(nn.Identity(), card=card())))
    assert f"line {line_of(Helped.do_forward_pass, 'CALLS')}" in str(caught.value)
    assert caught.value.__cause__ is not None


WITHOUT_SOURCE = """
class WithoutSource(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x
"""


def test_a_class_without_source_is_told_to_get_a_file(tmp_path: Path) -> None:
    names = dict(globals())
    exec(WITHOUT_SOURCE, names)  # noqa: S102
    message = message_about(names["WithoutSource"](nn.Identity(), card=card()), tmp_path)
    assert "in WithoutSource.do_forward_pass (<string>, line 3)" in message
    assert "put the class into a .py file" in message.splitlines()[-1]
    assert "fault of neutone_sdk" not in message


class LeavesTypesOut(PassThrough):
    def __init__(self) -> None:
        super().__init__(nn.Identity(), card=card(parameters=[GAIN]))
        self.rate_hz = 1

    def set_model_sample_rate_and_buffer_size(self, sample_rate, n_samples):  # noqa: ANN001, ANN201
        self.rate_hz = sample_rate // 48_000
        return True

    def do_forward_pass(self, x, params):  # noqa: ANN001, ANN201
        return x * params["gain"] * self.rate_hz


class AsksItsBases(LeavesTypesOut):
    def reset_model(self) -> bool:
        return super().reset_model() or True

    def aggregate_params(self, params: Tensor) -> Tensor:
        return super(AsksItsBases, self).aggregate_params(params)  # noqa: UP008  # many write it like this

    def calc_model_delay_samples(self) -> int:
        return super().calc_model_delay_samples()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return -super().do_forward_pass(x, params)


class Padded(nn.Conv1d):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(F.pad(x, (self.kernel_size[0] - 1, 0))))


class Nested(PassThrough):
    """Decorated modules: twice in one container, once more under another name, and none at all."""

    def __init__(self) -> None:
        conv = Padded(2, 2, 3)
        super().__init__(nn.Sequential(conv, nn.Sequential(), Padded(2, 2, 3), conv), card=card())
        self.first = conv
        self.absent: nn.Module | None
        self.register_module("absent", None)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x) + self.first(x)


@pytest.mark.parametrize("make", [LeavesTypesOut, AsksItsBases, Nested, future.Wrapper])
def test_what_only_python_understands_is_written_out_for_torchscript(
    make: Callable[[], WaveformToWaveformBase], noise: Noise
) -> None:
    wrapper = make()
    classes = [type(module) for module in wrapper.modules()]
    x, params = noise(2, 2048, 0), noise(4, 2048, 1).abs()
    in_memory = SampleQueueWrapper(wrapper)

    script = model_to_torchscript(SampleQueueWrapper(wrapper))

    torch.testing.assert_close(script(x, params), in_memory(x, params), rtol=0, atol=0)
    assert script.calc_model_delay_samples() == 0
    assert [type(module) for module in wrapper.modules()] == classes
    weights = {parameter.data_ptr() for parameter in wrapper.parameters()}
    assert {parameter.data_ptr() for parameter in script.parameters()} == weights
