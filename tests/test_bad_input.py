"""A wrapper that is not well defined is refused with one clear error, and its export leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import (
    ContinuousNeutoneParameter,
    DiscreteTokensNeutoneParameter,
    NeutoneParameter,
    SampleQueueWrapper,
    TextNeutoneParameter,
    WaveformToWaveformBase,
)
from neutone_sdk.errors import (
    ExportError,
    InvalidArgumentError,
    InvalidParameterError,
    InvalidTypeError,
    ModelOutputError,
    NeutoneError,
    ScriptingError,
)
from neutone_sdk.utils import model_to_torchscript, save_neutone_model

from .helpers_existing import ExistingWrapper, Halve, export


def knob(name: str) -> NeutoneParameter:
    return ContinuousNeutoneParameter(name, "text", 0.5)


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        pytest.param(
            lambda: [knob(name) for name in "abcde"],
            InvalidParameterError,
            r"at most 4 parameters, got 5: \['a', 'b', 'c', 'd', 'e'\]",
            id="five",
        ),
        pytest.param(
            lambda: [knob("gain"), knob("mix"), knob("gain")],
            InvalidParameterError,
            "two parameters are called 'gain'.* rename one",
            id="one name for two",
        ),
        pytest.param(
            lambda: [ContinuousNeutoneParameter("gain", "text", 7.0, -6.0, 6.0)],
            InvalidParameterError,
            r"'gain': default_value 7\.0 is outside \[-6\.0, 6\.0\]",
            id="default out of range",
        ),
        pytest.param(
            lambda: [NeutoneParameter("gain", "text", 1.5)],
            InvalidParameterError,
            r"'gain': default_value 1\.5 is outside \[0\.0, 1\.0\]",
            id="plain, default out of range",
        ),
        pytest.param(
            lambda: [NeutoneParameter("gain", "text", "half")],
            InvalidTypeError,
            "'gain': default_value must be a number, got 'half'",
            id="plain, default no number",
        ),
        pytest.param(
            lambda: [TextNeutoneParameter("prompt", "text")],
            InvalidParameterError,
            "continuous and categorical parameters only.* whole clips",
            id="text",
        ),
        pytest.param(
            lambda: [DiscreteTokensNeutoneParameter("tokens", "text")],
            InvalidParameterError,
            "continuous and categorical parameters only.* whole clips",
            id="tokens",
        ),
        pytest.param(
            lambda: ["gain"],
            InvalidParameterError,
            "continuous and categorical parameters only, got 'gain'",
            id="no parameter",
        ),
        pytest.param(
            lambda: None, InvalidTypeError, r"get_neutone_parameters\(\) must return a list, got None", id="no list"
        ),
    ],
)
def test_parameters_are_checked_at_construction(
    parameters: Callable[[], Any], kind: type[NeutoneError], message: str
) -> None:
    class Parametrised(ExistingWrapper):
        def get_neutone_parameters(self) -> list[NeutoneParameter]:
            return parameters()

    with pytest.raises(kind, match=message):
        Parametrised(Halve())


REQUIRED_GETTERS = [
    "get_model_name",
    "get_model_authors",
    "get_model_short_description",
    "get_model_long_description",
    "get_technical_description",
    "get_tags",
    "get_model_version",
    "is_experimental",
    "is_input_mono",
    "is_output_mono",
    "get_native_sample_rates",
    "get_native_buffer_sizes",
]


@pytest.mark.parametrize("getter", REQUIRED_GETTERS)
def test_missing_getter_is_named_at_construction(getter: str) -> None:
    incomplete = type("Incomplete", (ExistingWrapper,), {getter: getattr(WaveformToWaveformBase, getter)})

    with pytest.raises(InvalidTypeError, match=rf"Incomplete must define {getter}; or .*card = ModelCard\("):
        incomplete(Halve())


def test_all_missing_getters_are_named_at_once() -> None:
    class Empty(WaveformToWaveformBase):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return x

    with pytest.raises(InvalidTypeError, match=r"must define .*; or .*card = ModelCard\(") as caught:
        Empty(Halve())

    assert all(getter in str(caught.value) for getter in REQUIRED_GETTERS)
    assert "get_citation" not in str(caught.value)  # has a default


def test_missing_forward_pass_is_named_at_construction() -> None:
    class Passless(ExistingWrapper):
        do_forward_pass = WaveformToWaveformBase.do_forward_pass

    with pytest.raises(TypeError, match=r"abstract method '?do_forward_pass"):
        Passless(Halve())


BAD_FACTS = [
    ("get_model_name", None, InvalidTypeError, r"must return a string, got None"),
    ("get_model_version", 1.0, InvalidTypeError, r"must return a string, got 1\.0"),
    ("get_citation", ["cite"], InvalidTypeError, r"must return a string, got \['cite'\]"),
    ("get_model_authors", "A. Author", InvalidTypeError, r"must return a list of strings, got 'A\. Author'"),
    ("get_tags", ["fuzz", 3], InvalidTypeError, r"must return a list of strings, got \['fuzz', 3\]"),
    ("get_technical_links", ["https://"], InvalidTypeError, r"must return a dict from str to str, got \['https://'\]"),
    ("get_technical_links", {"Paper": 3}, InvalidTypeError, r"must return a dict from str to str, got \{'Paper': 3\}"),
    ("is_experimental", "no", InvalidTypeError, r"must return a bool, got 'no'"),
    ("is_input_mono", 1, InvalidTypeError, r"must return a bool, got 1"),
    ("is_output_mono", None, InvalidTypeError, r"must return a bool, got None"),
    ("get_wet_default_value", "1.0", InvalidTypeError, r"must return a number, got '1\.0'"),
    ("get_output_gain_default_value", True, InvalidTypeError, r"must return a number, got True"),
    ("get_look_behind_samples", 2.0, InvalidTypeError, r"must return an integer, got 2\.0"),
    ("get_look_behind_samples", -1, InvalidArgumentError, r"must return at least 0, got -1"),
    ("get_native_sample_rates", 48000, InvalidTypeError, r"must return a list of integers, got 48000"),
    ("get_native_sample_rates", [44100.0], InvalidTypeError, r"must return a list of integers, got \[44100\.0\]"),
    ("get_native_sample_rates", [48000, 0], InvalidArgumentError, r"must return numbers above 0.*got \[48000, 0\]"),
    ("get_native_sample_rates", [-48000], InvalidArgumentError, r"must return numbers above 0.*got \[-48000\]"),
    ("get_native_buffer_sizes", [0], InvalidArgumentError, r"must return numbers above 0.*got \[0\]"),
    ("get_native_buffer_sizes", [512, -1], InvalidArgumentError, r"must return numbers above 0.*got \[512, -1\]"),
]


def says(getter: str, answer: object) -> WaveformToWaveformBase:
    """A wrapper whose ``getter`` answers ``answer``."""
    wrapper = type("Says", (ExistingWrapper,), {getter: lambda self: answer})(Halve())
    assert isinstance(wrapper, WaveformToWaveformBase)
    return wrapper


@pytest.mark.parametrize(("getter", "answer", "kind", "message"), BAD_FACTS)
def test_bad_fact_is_refused_by_export(
    getter: str, answer: object, kind: type[NeutoneError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=rf"Says\.{getter}\(\) {message}"):
        save_neutone_model(says(getter, answer), tmp_path / "new" / "folder")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda wrapper: wrapper(torch.zeros(2, 64)),
        lambda wrapper: wrapper.set_sample_rate_and_buffer_size(48000, 64),
        lambda wrapper: wrapper.to_metadata(),
        SampleQueueWrapper,
        model_to_torchscript,
    ],
    ids=["forward", "set", "to_metadata", "SampleQueueWrapper", "model_to_torchscript"],
)
def test_bad_fact_is_refused_at_first_use(use: Callable[[WaveformToWaveformBase], object]) -> None:
    with pytest.raises(InvalidTypeError, match=r"get_native_buffer_sizes\(\) must return a list of integers, got 512"):
        use(says("get_native_buffer_sizes", 512))


class Returns(nn.Module):
    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong

    def forward(self, x: Tensor) -> Tensor:
        if self.wrong == "short":
            return x[:, 1:]
        if self.wrong == "mono":
            return x[:1]
        if self.wrong == "float64":
            return x.double()
        return x[0]


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        ("short", r"float32 of shape \[2, 2047\]"),
        ("mono", r"float32 of shape \[1, 2048\]"),
        ("float64", r"float64 of shape \[2, 2048\]"),
        ("1-D", r"float32 of shape \[2048\]"),
    ],
)
def test_wrong_output_is_refused_by_export(wrong: str, got: str, tmp_path: Path) -> None:
    with pytest.raises(ModelOutputError, match=rf"must return float32 audio of shape \(2, 2048\), got {got}"):
        export(ExistingWrapper(Returns(wrong)), tmp_path)

    assert list(tmp_path.iterdir()) == []


class ReturnsATuple(ExistingWrapper):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x), x  # type: ignore[return-value]


class ReturnsNothing(ExistingWrapper):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # type: ignore[empty-body]
        pass


class DelaysByHalfASample(ExistingWrapper):
    def calc_model_delay_samples(self) -> int:
        return 0.5  # type: ignore[return-value]


class ResetsWithoutSaying(ExistingWrapper):
    def reset_model(self) -> None:  # type: ignore[override]
        pass


@pytest.mark.parametrize(
    ("wrapper", "reason"),
    [
        (ReturnsATuple, r"do_forward_pass.*type Tensor but is actually of type Tuple\[Tensor, Tensor\]"),
        (ReturnsNothing, r"do_forward_pass.*does not return along all paths"),
        (ResetsWithoutSaying, r"type bool but is actually of type NoneType"),
    ],
)
def test_method_of_the_wrong_type_is_refused_by_export(
    wrapper: type[ExistingWrapper], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ScriptingError, match=rf"(?s)TorchScript cannot convert {wrapper.__name__}.*{reason}"):
        export(wrapper(Halve()), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_delay_that_is_no_whole_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match=r"calc_model_delay_samples\(\) must return an integer, got 0\.5"):
        export(DelaysByHalfASample(Halve()), tmp_path)

    assert list(tmp_path.iterdir()) == []


class CannotBeConverted(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.nonexistent()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: ReturnsATuple(Halve()), "is actually of type Tuple"),
        (lambda: ExistingWrapper(CannotBeConverted()), "no attribute or method 'nonexistent'"),
    ],
    ids=["wrapper", "model"],
)
def test_failed_conversion_fails_with_the_same_words_again(
    make: Callable[[], WaveformToWaveformBase], reason: str, tmp_path: Path
) -> None:
    """As in a notebook, where a cell is run again."""
    with pytest.raises(ScriptingError, match=reason) as first:
        export(make(), tmp_path)

    with pytest.raises(ScriptingError, match=reason) as second:
        export(make(), tmp_path)

    assert str(second.value) == str(first.value)


class Raises(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.abs().max() > 0.0:
            msg = "too loud"
            raise RuntimeError(msg)
        return x


def test_error_of_the_model_itself_comes_out_of_export(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="too loud"):
        export(ExistingWrapper(Raises()), tmp_path)

    assert list(tmp_path.iterdir()) == []


class Counts(nn.Module):
    """Plays how often it was called, which no reset resets."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        return x + self.count


class ResetsNothing(ExistingWrapper):
    def reset_model(self) -> bool:
        return True


def test_model_that_does_not_reset_is_refused_as_a_submission(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"play the same audio differently, by up to .*reset_model"):
        export(ResetsNothing(Counts()), tmp_path, submission=True)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", [None, "model.pt", lambda x: x])
def test_model_has_to_be_a_module(model: Any) -> None:
    with pytest.raises(InvalidTypeError, match=r"model must be a torch\.nn\.Module, got (NoneType|str|function)"):
        ExistingWrapper(model)


@pytest.mark.parametrize("model", [Halve(), None])
def test_only_wrappers_are_exported(model: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match=r"must be a WaveformToWaveformBase, got (Halve|NoneType); wrap"):
        save_neutone_model(model, tmp_path / "new")

    assert list(tmp_path.iterdir()) == []
