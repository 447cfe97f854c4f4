"""Export and cards list everything that hosts cannot take of a model's facts, at once."""

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from neutone_sdk import ContinuousNeutoneParameter, TextNeutoneParameter
from neutone_sdk.archive import read_metadata
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError
from neutone_sdk.utils import save_neutone_model

from .helpers_existing import ExistingWrapper, Halve
from .wrappers import GAIN, PassThrough, card

LINK = "https://example.org/paper"
FIVE_KNOBS = [ContinuousNeutoneParameter(name, "", 0.5) for name in "abcde"]


class SaysTooMuch(ExistingWrapper):
    def get_model_name(self) -> str:
        return "n" * 31

    def get_model_authors(self) -> list[str]:
        return [str(index) for index in range(6)]

    def get_model_short_description(self) -> str:
        return "s" * 151

    def get_model_long_description(self) -> str:
        return "l" * 501

    def get_technical_description(self) -> str:
        return "t" * 501

    def get_technical_links(self) -> dict[str, str]:
        return {"Paper": "paper", "Code": LINK, "Demo": LINK, "More": LINK}

    def get_tags(self) -> list[str]:
        return ["a tag that is too long", *"abcdefg"]

    def get_model_version(self) -> str:
        return ""

    def get_citation(self) -> str:
        return "c" * 301

    def get_wet_default_value(self) -> float:
        return 1.5


VIOLATIONS = [
    ("model_name", "31 characters"),
    ("model_authors", "got 6"),
    ("model_version", "got ''"),
    ("model_short_description", "151 characters"),
    ("model_long_description", "501 characters"),
    ("technical_description", "501 characters"),
    ("technical_links", "got 4"),
    ("technical_links['Paper']", "got 'paper'"),
    ("tags", "got 8"),
    ("tags[0]", "22 characters"),
    ("citation", "301 characters"),
    ("wet_default_value", "got 1.5"),
]


def test_export_lists_everything_that_exceeds_a_limit_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="change this and export again") as caught:
        save_neutone_model(SaysTooMuch(Halve()), tmp_path / "new")

    _, *lines = str(caught.value).splitlines()
    assert [line.split(" must ")[0] for line in lines] == [f"- {key}" for key, _ in VIOLATIONS]
    assert [line for line, (_, got) in zip(lines, VIOLATIONS, strict=True) if got not in line] == []
    assert list(tmp_path.iterdir()) == []


class SaysNothingRight(ExistingWrapper):
    def get_model_name(self) -> str:
        return None  # type: ignore[return-value]

    def get_native_buffer_sizes(self) -> list[int]:
        return [0]

    def get_tags(self) -> list[str]:
        return "fuzz"  # type: ignore[return-value]


def test_export_lists_every_answer_of_the_wrong_type() -> None:
    with pytest.raises(InvalidTypeError) as caught:
        SaysNothingRight(Halve()).to_metadata()

    assert str(caught.value).splitlines() == [
        "SaysNothingRight.get_model_name() must return a string, got None",
        "SaysNothingRight.get_tags() must return a list of strings, got 'fuzz'",
        "SaysNothingRight.get_native_buffer_sizes() must return numbers above 0, or an empty list for any, got [0]",
    ]


def test_a_model_at_every_limit_is_exported_and_read_back(tmp_path: Path) -> None:
    facts = card(
        name="n" * 30,
        authors=["a"] * 5,
        short_description="s" * 150,
        long_description="l" * 500,
        technical_description="t" * 500,
        technical_links=dict.fromkeys("abc", LINK),
        tags=["x" * 15] * 7,
        version="1",
        citation="c" * 300,
        parameters=[ContinuousNeutoneParameter(name, "", 0.0) for name in "abcd"],
        wet_default=0.0,
        dry_default=1.0,
    )
    save_neutone_model(PassThrough(nn.Identity(), card=facts), tmp_path)
    assert read_metadata(tmp_path / "model.nm") == json.loads((tmp_path / "metadata.json").read_text())


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"name": "x" * 31}, ["name must be a text of 1 to 30 characters, got 31 characters: '" + "x" * 31 + "'"]),
        ({"authors": []}, ["authors must be a list of 1 to 5 texts, got []"]),
        ({"wet_default": 2}, ["wet_default must be a number from 0 to 1, got 2"]),
        ({"dry_default": 10**5000}, ["dry_default must be a finite number, got a number of thousands of digits"]),
        (
            {"look_behind_samples": 10**5000},
            ["look_behind_samples must be at least 0, and at most 2147483647, got a number of thousands of digits"],
        ),
        (
            {"parameters": [ContinuousNeutoneParameter(name, "", 0.5) for name in "abcde"]},
            ["parameters must hold at most 4 knobs and menus, got 5"],
        ),
        (
            {"version": "", "tags": "fuzz", "name": "", "delay_samples": -1},
            [
                "tags must be a list of strings, got 'fuzz'",
                "delay_samples must be at least 0, got -1",
                "name must be a text of 1 to 30 characters, got ''",
                "version must be a text of at least 1 character, got ''",
            ],
        ),
        (
            {"technical_links": {"Paper": "paper"}, "tags": ("x" * 16,)},
            [
                "technical_links['Paper'] must be an address with http:// or https:// and a host, got 'paper'",
                "tags[0] must be a text of at most 15 characters, got 16 characters: 'xxxxxxxxxxxxxxxx'",
            ],
        ),
    ],
)
def test_a_card_lists_everything_that_is_wrong_with_it(facts: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises((InvalidArgumentError, InvalidTypeError)) as caught:
        card(**facts)
    assert str(caught.value).splitlines() == [f"ModelCard: {line}" for line in expected]


def test_a_card_may_hold_what_is_in_a_file_of_the_other_kind_of_model() -> None:
    texts = [TextNeutoneParameter(name, "") for name in "abcde"]
    assert card(parameters=[GAIN, *texts]).parameters == [GAIN, *texts]
