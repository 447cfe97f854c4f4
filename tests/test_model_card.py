"""Facts: from a card, from getters, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import ModelCard, SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError, InvalidParameterError, InvalidTypeError, ModelOutputError

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
    "look_ahead_samples": 0,
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


def test_the_model_is_put_in_eval_mode_and_reachable() -> None:
    model = nn.Dropout().train()
    wrapper = PassThrough(model, card=FULL)
    assert wrapper.model is model
    assert not model.training


@pytest.mark.parametrize(
    ("fact", "value", "error", "message"),
    [
        ("name", 5, InvalidTypeError, "must be a string, got 5"),
        ("short_description", None, InvalidTypeError, "must be a string, got None"),
        ("authors", "Me", InvalidTypeError, "must be a list of strings, got 'Me'"),
        ("authors", [1], InvalidTypeError, r"must be a list of strings, got \[1\]"),
        ("tags", "fuzz", InvalidTypeError, "must be a list of strings, got 'fuzz'"),
        ("tags", None, InvalidTypeError, "must be a list of strings, got None"),
        ("technical_links", None, InvalidTypeError, "must be a dict from str to str, got None"),
        ("technical_links", {"Paper": 1}, InvalidTypeError, r"must be a dict from str to str, got \{'Paper': 1\}"),
        ("is_input_mono", 1, InvalidTypeError, "must be a bool, got 1"),
        ("wet_default", "loud", InvalidTypeError, "must be a number, got 'loud'"),
        ("dry_default", True, InvalidTypeError, "must be a number, got True"),
        ("native_sample_rates", 48_000, InvalidTypeError, "must be a list of integers, got 48000"),
        ("native_sample_rates", [48e3], InvalidTypeError, r"must be a list of integers, got \[48000\.0\]"),
        ("native_sample_rates", [0], InvalidArgumentError, r"must be numbers above 0, .* got \[0\]"),
        ("native_buffer_sizes", [512, -1], InvalidArgumentError, r"must be numbers above 0, .* got \[512, -1\]"),
        ("look_behind_samples", 1.5, InvalidTypeError, r"must be an integer, got 1\.5"),
        ("look_behind_samples", -1, InvalidArgumentError, "must be at least 0, got -1"),
        ("delay_samples", 0.5, InvalidTypeError, r"must be an integer, got 0\.5"),
        ("delay_samples", -1, InvalidArgumentError, "must be at least 0, got -1"),
        ("parameters", None, InvalidTypeError, "must be a list of NeutoneParameters, got None"),
        ("parameters", GAIN, InvalidTypeError, "must be a list of NeutoneParameters, got <.*Continuous"),
        ("parameters", ["gain"], InvalidTypeError, r"must be a list of NeutoneParameters, got \['gain'\]"),
    ],
)
def test_facts_of_the_wrong_kind_are_refused(fact: str, value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"ModelCard: {fact} {message}"):
        card(**{fact: value})


@pytest.mark.parametrize(
    ("fact", "value"),
    [("tags", ("one", "two")), ("native_buffer_sizes", range(1, 3)), ("wet_default", 1), ("technical_links", {})],
)
def test_facts_of_the_right_kind_are_taken(fact: str, value: object) -> None:
    assert getattr(card(**{fact: value}), fact) == value


class HasNoCard(PassThrough):
    card = "test"  # type: ignore[assignment]


@pytest.mark.parametrize(
    "make",
    [
        lambda: HasNoCard(nn.Identity()),
        lambda: PassThrough(nn.Identity(), card={"name": "test"}),  # type: ignore[arg-type]
        lambda: PassThrough(nn.Identity(), card=ModelCard),  # type: ignore[arg-type]
        lambda: PassThrough(nn.Identity(), card=nn.Identity()),  # type: ignore[arg-type]
    ],
    ids=["class attribute", "dict", "class", "module"],
)
def test_a_card_has_to_be_a_card(make: Callable[[], WaveformToWaveformBase]) -> None:
    with pytest.raises(InvalidTypeError, match=r"card must be a ModelCard, got ('test'|\{|<class|Identity\()"):
        make()


def test_a_card_by_position_is_not_taken_for_the_debug_mode() -> None:
    with pytest.raises(InvalidTypeError, match=r"give the card by name: PassThrough\(model, card=\.\.\.\)"):
        PassThrough(nn.Identity(), card())  # type: ignore[arg-type]


def test_two_parameters_of_one_name_are_refused_by_the_card_beside_all_else() -> None:
    with pytest.raises(InvalidParameterError, match=r"^two parameters are called 'gain'.* rename one$"):
        card(parameters=[GAIN, GAIN])
    with pytest.raises(InvalidParameterError, match=r"(?s)called 'gain'.*wet_default must be"):
        card(parameters=[GAIN, GAIN], wet_default=2.0)


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
