"""Facts: from a card, from getters, and what is refused."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ModelCard, SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError, ModelOutputError

from .wrappers import GAIN, PassThrough, card, queue

FULL = ModelCard(
    name="full",
    authors=["A. Author", "B. Author"],
    short_description="short",
    long_description="long",
    technical_description="technical",
    technical_links={"Paper": "https://example.org/paper"},
    tags=["one", "two"],
    version="1.2.3",
    citation="A. Author (2026)",
    is_experimental=True,
    is_input_mono=True,
    is_output_mono=False,
    native_sample_rates=[44_100, 48_000],
    native_buffer_sizes=[512, 2048],
    look_behind_samples=7,
    delay_samples=11,
    parameters=[GAIN],
    wet_default=0.9,
    dry_default=0.1,
    input_gain_default=0.4,
    output_gain_default=0.6,
)
METADATA = {
    "model_name": "full",
    "model_authors": ["A. Author", "B. Author"],
    "model_short_description": "short",
    "model_long_description": "long",
    "technical_description": "technical",
    "technical_links": {"Paper": "https://example.org/paper"},
    "tags": ["one", "two"],
    "model_version": "1.2.3",
    "citation": "A. Author (2026)",
    "is_experimental": True,
    "is_input_mono": True,
    "is_output_mono": False,
    "model_type": "mono-stereo",
    "native_sample_rates": [44_100, 48_000],
    "native_buffer_sizes": [512, 2048],
    "look_behind_samples": 7,
    "neutone_parameters": {"p1": GAIN.to_metadata()},
    "wet_default_value": 0.9,
    "dry_default_value": 0.1,
    "input_gain_default_value": 0.4,
    "output_gain_default_value": 0.6,
}


class Mixed(PassThrough):
    """A getter wins over the card."""

    card = FULL

    def get_model_name(self) -> str:
        return "from the getter"

    def get_neutone_parameters(self) -> list[Any]:
        return [GAIN, GAIN.__class__("other", "", 0.0)]


def test_a_card_says_everything() -> None:
    metadata = PassThrough(nn.Identity(), card=FULL).to_metadata()
    assert {key: metadata[key] for key in METADATA} == METADATA
    assert set(metadata) - set(METADATA) == {"sdk_version", "pytorch_version", "date_created"}


@pytest.mark.parametrize("scripted", [False, True])
def test_the_queue_answers_what_the_wrapper_says(scripted: bool) -> None:
    wrapper = PassThrough(nn.Identity(), card=FULL)
    queue = SampleQueueWrapper(wrapper)
    model = torch.jit.script(queue) if scripted else queue
    assert {key: model.to_metadata()[key] for key in METADATA} == METADATA
    assert model.get_native_buffer_sizes() == [512, 2048]
    assert model.get_wet_default_value() == 0.9
    assert model.is_input_mono()
    assert model.calc_model_delay_samples() == 11
    assert model.get_look_behind_samples() == 7


def test_getters_win_over_the_card() -> None:
    wrapper = Mixed(nn.Identity())
    assert wrapper.to_metadata()["model_name"] == "from the getter"
    assert wrapper.get_default_param_names() == ["gain", "other"]
    assert wrapper.to_metadata()["model_version"] == "1.2.3"


def test_missing_getters_are_listed_all_at_once() -> None:
    class Incomplete(PassThrough):
        def get_model_name(self) -> str:
            return "incomplete"

    with pytest.raises(InvalidTypeError, match="card = ModelCard") as caught:
        Incomplete(nn.Identity())
    for getter in ("get_model_authors", "is_input_mono", "get_native_buffer_sizes", "get_tags"):
        assert getter in str(caught.value)
    assert "get_model_name" not in str(caught.value)
    assert "get_citation" not in str(caught.value)  # has a default


def test_a_wrapper_needs_a_forward_pass() -> None:
    class Empty(WaveformToWaveformBase):
        card = FULL

    with pytest.raises(TypeError, match="do_forward_pass"):
        Empty(nn.Identity())  # type: ignore[abstract]


def test_the_model_must_be_a_module() -> None:
    with pytest.raises(InvalidTypeError, match=r"must be a torch\.nn\.Module, got function"):
        PassThrough(lambda x: x, card=FULL)  # type: ignore[arg-type]


def test_the_model_is_put_in_eval_mode_and_reachable() -> None:
    model = nn.Dropout().train()
    wrapper = PassThrough(model, card=FULL)
    assert wrapper.model is model
    assert not model.training


@pytest.mark.parametrize(
    ("facts", "error", "message"),
    [
        ({"name": 5}, InvalidTypeError, r"get_model_name\(\) must return a string, got 5"),
        ({"authors": [1]}, InvalidTypeError, r"get_model_authors\(\) must return a list of str"),
        ({"is_input_mono": 1}, InvalidTypeError, r"is_input_mono\(\) must return a bool, got 1"),
        ({"wet_default": "loud"}, InvalidTypeError, r"get_wet_default_value\(\) must return a number"),
        (
            {"native_sample_rates": [0]},
            InvalidArgumentError,
            r"get_native_sample_rates\(\) must return numbers above 0",
        ),
        ({"native_sample_rates": [-1]}, InvalidArgumentError, r"get_native_sample_rates\(\) must .* got \[-1\]"),
        ({"native_sample_rates": [48e3]}, InvalidTypeError, r"get_native_sample_rates\(\) must return a list of int"),
        ({"native_buffer_sizes": [512, 0]}, InvalidArgumentError, r"get_native_buffer_sizes\(\) must return numbers"),
        ({"look_behind_samples": -1}, InvalidArgumentError, r"get_look_behind_samples\(\) must return at least 0"),
        ({"look_behind_samples": 1.5}, InvalidTypeError, r"get_look_behind_samples\(\) must return a number of"),
    ],
)
def test_facts_of_the_wrong_kind_are_refused(facts: dict[str, Any], error: type[Exception], message: str) -> None:
    wrapper = PassThrough(nn.Identity(), card=card(**facts))
    with pytest.raises(error, match=message):
        SampleQueueWrapper(wrapper)


def test_getters_need_not_be_scriptable() -> None:
    class Pythonic(PassThrough):
        card = FULL

        def get_model_short_description(self) -> str:
            try:
                return f"{[*map(str, range(3))]}"
            except ValueError:
                return ""

    model = torch.jit.script(SampleQueueWrapper(Pythonic(nn.Identity())))
    assert model.to_metadata()["model_short_description"] == "['0', '1', '2']"


def test_scripting_leaves_the_wrapper_as_it_was() -> None:
    wrapper = PassThrough(nn.Identity(), card=card())
    torch.jit.script(SampleQueueWrapper(wrapper))
    assert type(wrapper) is PassThrough
    x = torch.rand(2, 512)
    torch.testing.assert_close(wrapper(x), x, rtol=0, atol=0)


class Net(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2.0 * x


class Annotated(PassThrough):
    model: Net

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


def test_the_model_may_be_annotated_with_its_class() -> None:
    x = torch.rand(2, 2048)
    model = torch.jit.script(SampleQueueWrapper(Annotated(Net(), card=card())))
    torch.testing.assert_close(model(x), 2.0 * x, rtol=0, atol=0)


class AggregatesWrongly(PassThrough):
    def aggregate_params(self, params: Tensor) -> Tensor:
        return params.mean(dim=1)


@pytest.mark.parametrize("scripted", [False, True])
def test_a_wrong_aggregation_is_named(scripted: bool) -> None:
    model = queue(AggregatesWrongly(nn.Identity(), card=card(parameters=[GAIN])), scripted, 64)
    with pytest.raises((ModelOutputError, torch.jit.Error), match=r"aggregate_params must return .* of shape \[4\]"):
        model(torch.rand(2, 64))
