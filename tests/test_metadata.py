"""What metadata may hold: limits at export, all of them at once; files of every age and intent on reading."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from torch import nn

from neutone_sdk import (
    CategoricalNeutoneParameter,
    ModelCard,
    constants,
)
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.metadata import MAX_VALUES, check_metadata, parse_metadata
from neutone_sdk.metadata_schema import allowed_by, metadata_schema

from .wrappers import GAIN, PassThrough, card

KEYS: dict[str, dict[str, Any]] = metadata_schema()["properties"]
PARAMETER_KEYS: dict[str, dict[str, Any]] = KEYS["neutone_parameters"]["additionalProperties"]["properties"]
MENU = CategoricalNeutoneParameter("mode", "which", 3, 1, ["off", "soft", "hard"])
LINK = "https://example.org/paper"


def complete(**changed: Any) -> dict[str, Any]:
    """Metadata as export writes it."""
    facts = PassThrough(nn.Identity(), card=card(parameters=[GAIN, MENU])).to_metadata()
    added = {"sample_sound_files": [], "flavour": "native", "required_ops": {"neutone": "2.0.0"}}
    return facts | added | changed


def parsed(metadata: object) -> dict[str, Any]:
    return parse_metadata(json.dumps(metadata).encode(), "model.nm")


def as_json(value: object) -> str:
    """Unlike ==, tells True from 1 and 1.0."""
    return json.dumps(value, sort_keys=True)


def parameters(*each: Any) -> dict[str, Any]:
    return {f"p{position}": parameter for position, parameter in enumerate(each, start=1)}


def knob(**changed: Any) -> dict[str, Any]:
    return parameters(GAIN.to_metadata() | changed)


def menu(**changed: Any) -> dict[str, Any]:
    return parameters(MENU.to_metadata() | changed)


def test_the_schema_is_one_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(metadata_schema())
    undescribed = [
        key for keys in (KEYS, PARAMETER_KEYS) for key, rules in keys.items() if not rules.get("description")
    ]
    assert undescribed == []
    assert set(metadata_schema()["required"]) <= set(KEYS)


def test_a_plain_validator_takes_what_export_writes_and_refuses_what_it_refuses() -> None:
    """The schema is data: others judge by it in other languages."""
    plain = Draft202012Validator(metadata_schema())
    assert plain.is_valid(complete())
    assert not plain.is_valid(complete(model_name="x" * 31))
    assert not plain.is_valid(complete(technical_links={"Paper": "example.org"}))


def test_the_schema_and_the_constants_say_the_same() -> None:
    assert PARAMETER_KEYS["n_values"]["maximum"] == constants.MAX_N_CATEGORICAL_VALUES
    assert PARAMETER_KEYS["labels"]["items"]["maxLength"] == constants.MAX_N_CATEGORICAL_LABEL_CHARS - 1
    assert KEYS["sample_sound_files"]["maxItems"] == constants.MAX_N_AUDIO_SAMPLES
    assert f"at most {constants.MAX_N_PARAMS} knobs" in KEYS["neutone_parameters"]["description"]


@pytest.mark.parametrize(
    ("field", "rules"),
    [
        ("name", KEYS["model_name"]),
        ("authors", KEYS["model_authors"]),
        ("short_description", KEYS["model_short_description"]),
        ("long_description", KEYS["model_long_description"]),
        ("technical_description", KEYS["technical_description"]),
        ("technical_links", KEYS["technical_links"]),
        ("tags", KEYS["tags"]),
        ("tags", KEYS["tags"]["items"]),
        ("citation", KEYS["citation"]),
    ],
)
def test_the_card_documents_the_limits_of_the_schema(field: str, rules: dict[str, Any]) -> None:
    (text,) = re.findall(rf"^ +{field}: (.*)$", str(ModelCard.__doc__), re.MULTILINE)
    limits = [rules[name] for name in ("maxLength", "maxItems", "maxProperties") if name in rules]
    assert limits
    assert f"most {limits[0]}" in text


def test_importing_the_package_does_not_import_the_validator() -> None:
    code = "import sys, neutone_sdk; print('jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"


LIMITS = [
    ("model_name", "x" * 30, "x" * 31, r"must be a text of 1 to 30 characters, got 31 characters: 'x+'"),
    ("model_name", "x", "", "must be a text of 1 to 30 characters, got ''"),
    ("model_name", "é" * 30, "é" * 31, "got 31 characters"),
    ("model_authors", ["a"] * 5, ["a"] * 6, r"must be a list of 1 to 5 texts, got 6: \['a'"),
    ("model_authors", ["a"], [], r"must be a list of 1 to 5 texts, got \[\]"),
    ("model_version", "1", "", "must be a text of at least 1 character, got ''"),
    ("model_short_description", "x" * 150, "x" * 151, "must be a text of at most 150 characters, got 151 characters"),
    ("model_long_description", "x" * 500, "x" * 501, "must be a text of at most 500 characters, got 501 characters"),
    ("technical_description", "x" * 500, "x" * 501, "must be a text of at most 500 characters, got 501 characters"),
    ("citation", "x" * 300, "x" * 301, "must be a text of at most 300 characters, got 301 characters"),
    ("tags", ["x"] * 7, ["x"] * 8, "must be a list of at most 7 texts of at most 15 characters, got 8: "),
    ("tags", ["a", "x" * 15], ["a", "x" * 16], r"tags\[1\] must be a text of at most 15 characters, got 16 characters"),
    (
        "technical_links",
        dict.fromkeys("abc", LINK),
        dict.fromkeys("abcd", LINK),
        "an object of at most 3 texts, got 4: ",
    ),
    *[
        (f"{value}_default_value", 0.0, -0.001, r"must be a number from 0 to 1, got -0\.001")
        for value in ("wet", "dry")
    ],
    *[
        (f"{way}_gain_default_value", 1, 1.001, r"must be a number from 0 to 1, got 1\.001")
        for way in ("input", "output")
    ],
    ("wet_default_value", 1, float("nan"), "must be a number, got nan"),
    ("is_experimental", True, 1, "must be true or false, got 1"),
    ("model_type", "mono-stereo", "mono", "must be one of mono-mono, .*, stereo-stereo, got 'mono'"),
    ("native_sample_rates", [1], [0], r"native_sample_rates\[0\] must be a whole number of at least 1, got 0"),
    ("native_buffer_sizes", list(range(1, 5000)), [64, 0], r"native_buffer_sizes\[1\] must be a whole number of at"),
    ("look_behind_samples", 0, -1, "must be a whole number of at least 0, got -1"),
    ("sample_sound_files", [{"in": "", "out": ""}] * 3, [{"in": "", "out": ""}] * 4, "at most 3 objects, got 4: "),
    ("sample_sound_files", [], [{"in": ""}], r"sample_sound_files\[0\]\.out must be a text, got nothing"),
    ("flavour", "portable", "plain", "must be one of native, portable, got 'plain'"),
    ("required_ops", {}, {"neutone": 2}, r"required_ops\['neutone'\] must be a text, got 2"),
    ("citation", "\U0001f600", "\ud83d", r"must be a text, got '\\ud83d'"),
    ("neutone_parameters", {}, {"q1": {}}, "must have keys that are p1, p2 and so on, got 'q1'"),
    ("neutone_parameters", knob(default_value=3.0), knob(default_value=3.1), r"number in \[-1, 3\], got 3\.1"),
    (
        "neutone_parameters",
        knob(smoothing="linear"),
        knob(smoothing="none"),
        "must be one of linear, one_pole, got 'none'",
    ),
    (
        "neutone_parameters",
        menu(labels=["x" * 19] * 3),
        menu(labels=["x" * 20] * 3),
        r"\.labels\[2\] must be .* 19 char",
    ),
    ("neutone_parameters", menu(), menu(n_values=21), r"\.n_values must be a whole number from 2 to 20, got 21"),
    ("neutone_parameters", menu(), menu(labels=["off"]), r"\.labels must be one for each of 3 values, got 1"),
    (
        "neutone_parameters",
        parameters(*[knob()["p1"]] * 4),
        parameters(*[knob()["p1"]] * 5),
        "hold at most 4 knobs and menus",
    ),
]


@pytest.mark.parametrize(("key", "allowed", "too_much", "message"), LIMITS)
def test_limits_at_the_border_and_just_above(key: str, allowed: Any, too_much: Any, message: str) -> None:
    check_metadata(complete(**{key: allowed}))
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        check_metadata(complete(**{key: too_much}))
    headline, *lines = str(caught.value).splitlines()
    assert re.fullmatch(r"hosts cannot take the metadata of '.*'; change this and export again:", headline)
    assert [line for line in lines if not line.startswith(f"- {key}")] == []


@pytest.mark.parametrize("key", metadata_schema()["required"])
def test_a_key_that_is_missing_is_named(key: str) -> None:
    metadata = complete()
    del metadata[key]
    with pytest.raises(InvalidArgumentError, match=rf"\n- {key} must be .*, got nothing$"):
        check_metadata(metadata)


@pytest.mark.parametrize("key", ["look_ahead_samples", "sample_sound_files", "flavour", "required_ops"])
def test_newer_keys_may_be_missing(key: str) -> None:
    metadata = complete()
    del metadata[key]
    check_metadata(metadata)
    assert as_json(parsed(metadata)) == as_json(metadata)


@pytest.mark.parametrize(
    ("link", "is_one"),
    [
        ("https://example.org", True),
        ("http://example.org:8080/a?b=c#d", True),
        ("HTTPS://EXAMPLE.ORG/", True),
        ("https://localhost", True),
        ("http://[::1]:80/", True),
        ("https://example.org/with spaces (1).pdf", True),
        ("https://exämple.org/ümlaut", True),
        ("", False),
        ("example.org", False),
        ("www.example.org/paper", False),
        ("https://", False),
        ("https:///path", False),
        ("https://?query", False),
        ("https:example.org", False),
        ("http://user:password@example.org/", False),
        ("http://example.org:port/", False),
        ("ftp://example.org/", False),
        ("javascript:alert(1)//https://example.org", False),
        (" https://example.org", False),
        ("https://example.org/\nhttps://example.org/", False),
        ("https://example.org/\x1b[31m", False),
    ],
)
def test_links_are_checked_for_their_form(link: str, is_one: bool) -> None:
    metadata = complete(technical_links={"Paper": link})
    if is_one:
        check_metadata(metadata)
    else:
        expected = r"technical_links\['Paper'\] must be an address with http:// or https:// and a host, got "
        with pytest.raises(InvalidArgumentError, match=expected):
            check_metadata(metadata)


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=31)
FACTS = {
    "model_name": TEXTS,
    "model_authors": st.lists(TEXTS, max_size=6),
    "model_version": TEXTS,
    "technical_links": st.dictionaries(TEXTS, st.sampled_from([LINK, "http://a", "paper"]), max_size=4),
    "tags": st.lists(st.text(max_size=16), max_size=8),
    "is_experimental": st.booleans(),
    "wet_default_value": st.floats(-0.1, 1.1) | st.sampled_from([0, 1, float("nan")]),
    "native_sample_rates": st.lists(st.integers(0, 2**40), max_size=3),
    "neutone_parameters": st.sampled_from([{}, knob(), menu(), knob(default_value="0"), menu(default_value=1.0)]),
    "date_created": st.floats(),
}


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=FACTS))
def test_what_export_accepts_reads_back_equal(facts: dict[str, Any]) -> None:
    metadata = complete(**facts)
    try:
        check_metadata(metadata)
    except InvalidArgumentError as error:
        named = [line for line in str(error).splitlines() if line.startswith("- ")]
        assert named
        assert {re.split(r"[ \[]", line[2:])[0] for line in named} <= set(facts)
        return
    assert as_json(parsed(metadata)) == as_json(metadata)


def test_export_refuses_what_nobody_would_read() -> None:
    with pytest.raises(InvalidArgumentError, match=f"more than {MAX_VALUES} values"):
        check_metadata(complete(native_buffer_sizes=list(range(1, MAX_VALUES + 2))))


def rows(keys: dict[str, dict[str, Any]]) -> list[str]:
    return [f"| `{key}` | {allowed_by(rules)} | {rules['description']} |" for key, rules in keys.items()]


def test_the_documentation_lists_what_the_schema_says() -> None:
    page = (Path(__file__).parents[1] / "docs" / "file-format.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `")] == rows(KEYS) + rows(PARAMETER_KEYS)


def test_the_time_of_creation_is_now() -> None:
    assert abs(complete()["date_created"] - time.time()) < 3600
