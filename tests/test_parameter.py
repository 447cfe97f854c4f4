"""Definitions of parameters: what they say of themselves, and what they refuse."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    DiscreteTokensNeutoneParameter,
    KnobNeutoneParameter,
    NeutoneParameter,
    NeutoneParameterType,
    TextNeutoneParameter,
)
from neutone_sdk.errors import InvalidParameterError, InvalidTypeError

from .wrappers import PassThrough, card


@pytest.mark.parametrize(
    ("parameter", "metadata"),
    [
        (
            ContinuousNeutoneParameter("depth", "text", 0.5),
            {"default_value": 0.5, "type": "continuous", "min_value": 0.0, "max_value": 1.0},
        ),
        (
            KnobNeutoneParameter("depth", "text", -3, min_value=-6, max_value=6, used=False),
            {"default_value": -3, "used": False, "type": "continuous", "min_value": -6, "max_value": 6},
        ),
        (
            CategoricalNeutoneParameter("depth", "text", 3, 1),
            {"default_value": 1, "type": "categorical", "n_values": 3, "labels": ["0", "1", "2"]},
        ),
        (
            CategoricalNeutoneParameter("depth", "text", n_values=2, default_value=0, labels=["off", "on"]),
            {"default_value": 0, "type": "categorical", "n_values": 2, "labels": ["off", "on"]},
        ),
        (
            TextNeutoneParameter("depth", "text", max_n_chars=5, default_value="abc"),
            {"default_value": "abc", "type": "text", "max_n_chars": 5},
        ),
        (
            DiscreteTokensNeutoneParameter("depth", "text", 4, [1, 2]),
            {"default_value": [1, 2], "type": "tokens", "max_n_tokens": 4},
        ),
        (DiscreteTokensNeutoneParameter("depth", "text"), {"default_value": [], "type": "tokens", "max_n_tokens": -1}),
        (NeutoneParameter("depth", "text", 0.1), {"default_value": 0.1, "type": "continuous"}),
    ],
)
def test_metadata(parameter: NeutoneParameter, metadata: dict[str, Any]) -> None:
    assert parameter.to_metadata() == {"name": "depth", "description": "text", "used": True, **metadata}
    assert parameter.type is NeutoneParameterType(metadata["type"])


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "message"),
    [
        (ContinuousNeutoneParameter, ("", "", 0.5), InvalidParameterError, "name must not be empty"),
        (ContinuousNeutoneParameter, (3, "", 0.5), InvalidTypeError, "name must be a string, got 3"),
        (ContinuousNeutoneParameter, ("a", None, 0.5), InvalidTypeError, "description must be a string"),
        (ContinuousNeutoneParameter, ("a", "", 1.5), InvalidParameterError, r"default_value 1.5 is outside \[0.0, 1.0"),
        (ContinuousNeutoneParameter, ("a", "", -0.1), InvalidParameterError, "widen it with min_value="),
        (ContinuousNeutoneParameter, ("a", "", "0.5"), InvalidTypeError, "default_value must be a number, got '0.5'"),
        (ContinuousNeutoneParameter, ("a", "", True), InvalidTypeError, "must be a number, got True"),
        (
            ContinuousNeutoneParameter,
            ("a", "", float("nan")),
            InvalidParameterError,
            "finite in float32, got nan",
        ),
        (ContinuousNeutoneParameter, ("a", "", 0, 0, float("inf")), InvalidParameterError, "max_value must be finite"),
        (
            ContinuousNeutoneParameter,
            ("a", "", 0, 0, 1e39),
            InvalidParameterError,
            "must be finite in float32",
        ),
        (ContinuousNeutoneParameter, ("a", "", 1, 1, 1), InvalidParameterError, "min_value must be below max_value"),
        (CategoricalNeutoneParameter, ("a", "", 1, 0), InvalidParameterError, r"n_values must be in 2..20, got 1"),
        (CategoricalNeutoneParameter, ("a", "", 21, 0), InvalidParameterError, r"n_values must be in 2..20, got 21"),
        (CategoricalNeutoneParameter, ("a", "", 2.0, 0), InvalidTypeError, "n_values must be an integer, got 2.0"),
        (CategoricalNeutoneParameter, ("a", "", 3, 3), InvalidParameterError, r"default_value must be in 0..2, got 3"),
        (CategoricalNeutoneParameter, ("a", "", 2, 0, ["x"]), InvalidParameterError, "one text for each of 2 values"),
        (CategoricalNeutoneParameter, ("a", "", 2, 0, ["x", "y" * 20]), InvalidParameterError, "shorter than 20"),
        (
            CategoricalNeutoneParameter,
            ("a", "", 2, 0, [1, 2]),
            InvalidTypeError,
            r"labels must be a list of strings, got \[1",
        ),
        (CategoricalNeutoneParameter, ("a", "", 2, 0, "ab"), InvalidTypeError, "must be a list of strings, got 'ab'"),
        (CategoricalNeutoneParameter, ("a", "", 2, 0, 5), InvalidTypeError, "labels must be a list of strings, got 5"),
        (
            CategoricalNeutoneParameter,
            ("a", "", 3, 0, ["x", "y", "x"]),
            InvalidParameterError,
            r"labels must differ.* got \['x'\]",
        ),
        (CategoricalNeutoneParameter, ("a", "", 2, 0, None, 1), InvalidTypeError, "used must be a bool, got 1"),
        (ContinuousNeutoneParameter, ("a", "", 0.5, 0, 1, "no"), InvalidTypeError, "used must be a bool, got 'no'"),
        (NeutoneParameter, ("a", "", 0.5, None), InvalidTypeError, "used must be a bool, got None"),
        (TextNeutoneParameter, ("a", "", -1, None), InvalidTypeError, "default_value must be a string, got None"),
        (TextNeutoneParameter, ("a", "", -1, ["a"]), InvalidTypeError, r"default_value must be a string, got \['a'\]"),
        (TextNeutoneParameter, ("a", "", 5.5), InvalidTypeError, r"max_n_chars must be an integer, got 5\.5"),
        (TextNeutoneParameter, ("a", "", True), InvalidTypeError, "max_n_chars must be an integer, got True"),
        (DiscreteTokensNeutoneParameter, ("a", "", 5, 3), InvalidTypeError, "must be a list of integers, got 3"),
        (DiscreteTokensNeutoneParameter, ("a", "", 5, "ab"), InvalidTypeError, "must be a list of integers, got 'ab'"),
        (DiscreteTokensNeutoneParameter, ("a", "", 5, [0.5]), InvalidTypeError, r"list of integers, got \[0\.5\]"),
        (
            DiscreteTokensNeutoneParameter,
            ("a", "", 5.5),
            InvalidTypeError,
            r"max_n_tokens must be an integer, got 5",
        ),
        (TextNeutoneParameter, ("a", "", 2, "abc"), InvalidParameterError, "length 3, longer than max_n_chars = 2"),
        (TextNeutoneParameter, ("a", "", -2), InvalidParameterError, "max_n_chars must be at least 0, or -1"),
        (DiscreteTokensNeutoneParameter, ("a", "", 1, [1, 2]), InvalidParameterError, "longer than max_n_tokens = 1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    kind: type[NeutoneParameter], arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        kind(*arguments)


@given(data=st.data(), lowest=st.floats(-1e3, 1e3), width=st.floats(1e-2, 1e3))
def test_the_default_reaches_the_model_as_it_was_given(data: st.DataObject, lowest: float, width: float) -> None:
    default = data.draw(st.floats(lowest, lowest + width))
    parameter = ContinuousNeutoneParameter("a", "", default, min_value=lowest, max_value=lowest + width)
    wrapper = PassThrough(nn.Identity(), card=card(parameters=[parameter]))

    (value,) = torch.ops.neutone.denormalize_params(wrapper.get_default_param_values(), wrapper.sdk_param_ranges)

    rounding = 4 * 2**-24 * max(abs(lowest), abs(lowest + width))  # float32 knob, ends and products
    assert value.item() == pytest.approx(default, rel=0, abs=rounding)


@pytest.mark.parametrize("choice", range(5))
def test_a_choice_reaches_the_model_as_its_number(choice: int) -> None:
    parameter = CategoricalNeutoneParameter("a", "", 5, choice)
    wrapper = PassThrough(nn.Identity(), card=card(parameters=[parameter]))
    (value,) = torch.ops.neutone.denormalize_params(wrapper.get_default_param_values(), wrapper.sdk_param_ranges)
    assert value.tolist() == [choice]
