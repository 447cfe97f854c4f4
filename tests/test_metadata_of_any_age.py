"""Metadata of every age and intent is read as if it were written now, or refused by the name of the key."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neutone_sdk.errors import InvalidFileError
from neutone_sdk.metadata import MAX_DEPTH, MAX_DIGITS, MAX_VALUES, parse_metadata
from neutone_sdk.metadata_schema import metadata_schema

from .wrappers import GAIN

KEYS = metadata_schema()["properties"]
PARAMETER_KEYS = KEYS["neutone_parameters"]["additionalProperties"]["properties"]


def parsed(metadata: object) -> dict[str, Any]:
    return parse_metadata(json.dumps(metadata).encode(), "model.nm")


def as_json(value: object) -> str:
    """Unlike ==, tells True from 1 and 1.0."""
    return json.dumps(value, sort_keys=True)


def parameters(*each: Any) -> dict[str, Any]:
    return {f"p{position}": parameter for position, parameter in enumerate(each, start=1)}


def knob(**changed: Any) -> dict[str, Any]:
    return parameters(GAIN.to_metadata() | changed)


FIRST_FILES: dict[str, Any] = {  # every value of a parameter a text, always four of them, kind "knob"
    "model_name": "clipper",
    "model_authors": ["A. Author"],
    "model_short_description": "Audio clipper.",
    "model_long_description": "Clips the input audio between -1 and 1.",
    "technical_description": "Clips the input audio between -1 and 1.",
    "technical_links": {"Code": "https://example.org/code"},
    "tags": ["clipper", "a tag that is longer than any host shows"],
    "model_version": "1.0.0",
    "sdk_version": "1.0.0",
    "pytorch_version": "1.11.0",
    "citation": "",
    "is_experimental": "False",
    "model_id": "clipper-1",
    "neutone_parameters": {
        "p1": {"name": "min", "description": "min", "default_value": "0.15", "type": "knob", "used": "True"},
        "p2": {"name": "max", "description": "max", "default_value": "1", "type": "knob", "used": "True"},
        "p3": {"name": "gain", "description": "gain", "default_value": "1.0", "type": "knob", "used": "True"},
        "p4": {"name": "p4", "description": "", "default_value": "0.0", "type": "knob", "used": "False"},
    },
    "wet_default_value": "1.0",
    "dry_default_value": "0.0",
    "input_gain_default_value": 0.5,
    "output_gain_default_value": 0.5,
    "is_input_mono": "False",
    "is_output_mono": "true",
    "model_type": "stereo-mono",
    "native_sample_rates": ["44100", 48000.0],
    "native_buffer_sizes": [],
    "look_behind_samples": "0",
    "date_created": "1650000000.5",
    "sample_sound_files": [{"in": "SUQz", "out": "SUQz"}],
}
FIRST_FILES_READ: dict[str, Any] = FIRST_FILES | {
    "is_experimental": False,
    "neutone_parameters": {
        "p1": {"name": "min", "description": "min", "default_value": 0.15, "type": "continuous", "used": True},
        "p2": {"name": "max", "description": "max", "default_value": 1, "type": "continuous", "used": True},
        "p3": {"name": "gain", "description": "gain", "default_value": 1, "type": "continuous", "used": True},
        "p4": {"name": "p4", "description": "", "default_value": 0, "type": "continuous", "used": False},
    },
    "wet_default_value": 1,
    "dry_default_value": 0,
    "is_input_mono": False,
    "is_output_mono": True,
    "native_sample_rates": [44100, 48000],
    "look_behind_samples": 0,
    "date_created": 1650000000.5,
}
NULLS = {"max_n_chars": None, "max_n_tokens": None, "n_values": None, "labels": None}
WHOLE_CLIPS = {  # a file of 1.5 of a model that renders whole clips: more parameters, no channels, nulls
    "model_name": "generator",
    "neutone_parameters": {
        **parameters(*[{**NULLS, **knob()["p1"], "name": name} for name in "abcd"]),
        "p5": {
            **NULLS,
            "name": "prompt",
            "description": "",
            "default_value": "1",
            "used": True,
            "type": "text",
            "max_n_chars": 80,
        },
        "p6": {
            "name": "notes",
            "description": "",
            "default_value": [1, 2],
            "used": True,
            "type": "tokens",
            "unknown": None,
        },
    },
    "is_input_mono": False,
    "added_by_a_later_version": {"is_experimental": "True", "numbers": ["1", None]},
}
WHOLE_CLIPS_READ = WHOLE_CLIPS | {
    "neutone_parameters": {
        **parameters(*[{**knob()["p1"], "name": name} for name in "abcd"]),
        "p5": {
            "name": "prompt",
            "description": "",
            "default_value": "1",
            "used": True,
            "type": "text",
            "max_n_chars": 80,
        },
        "p6": {
            "name": "notes",
            "description": "",
            "default_value": [1, 2],
            "used": True,
            "type": "tokens",
            "unknown": None,
        },
    }
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(FIRST_FILES, FIRST_FILES_READ, id="first files"),
        pytest.param(WHOLE_CLIPS, WHOLE_CLIPS_READ, id="whole clips"),
        pytest.param({"citation": "x" * 9999}, {"citation": "x" * 9999}, id="longer than any host shows"),
        pytest.param({"model_version": "1"}, {"model_version": "1"}, id="a text that stays one"),
        pytest.param({"is_experimental": 1}, {"is_experimental": True}, id="a number for true"),
        pytest.param({"flavour": "from the future"}, {"flavour": "from the future"}, id="unknown flavour"),
    ],
)
def test_older_files_are_read_as_if_written_now(written: dict[str, Any], expected: dict[str, Any]) -> None:
    assert as_json(parsed(written)) == as_json(expected)


def nested(depth: int) -> bytes:
    return b'{"unknown": ' + b"[" * depth + b"]" * depth + b"}"


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("digits", lambda: b'{"look_behind_samples": 1' + b"0" * 5000 + b"}", "a number of 5001 digits"),
    ("digits under an unknown key", lambda: b'{"unknown": ' + b"1" * 2**20 + b"}", "a number of 1048576 digits"),
    (
        "digits as a text",
        lambda: json.dumps({"look_behind_samples": "1" + "0" * 5000}).encode(),
        "must be a whole number",
    ),
    ("digits of a fraction", lambda: b'{"wet_default_value": 1e999}', "must be a number, got inf"),
    ("not a number", lambda: b'{"date_created": NaN}', "must be a number, got nan"),
    ("not a number as a text", lambda: b'{"date_created": "nan"}', "must be a number, got 'nan'"),
    ("infinite as a text", lambda: b'{"date_created": "-inf"}', "must be a number, got '-inf'"),
    ("beyond all floats", lambda: b'{"date_created": ' + b"9" * 400 + b"}", "must be a number, got 9+"),
    ("deep", lambda: nested(100_000), "is not JSON that can be read"),
    ("not so deep", lambda: nested(MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
    ("half a pair", lambda: rb'{"model_name": "\ud83d"}', r"must be a text, got '\\ud83d'"),
    ("half a pair as a caption", lambda: rb'{"technical_links": {"\ud83d": ""}}', "must have keys that are texts"),
    ("lists", lambda: b'{"unknown": [' + b"[]," * 2**20 + b"[]]}", f"more than {MAX_VALUES} values"),
    ("long list", lambda: json.dumps({"tags": ["x"] * MAX_VALUES}).encode(), f"more than {MAX_VALUES} values"),
    ("wide", lambda: json.dumps({"tags": ["x"] * 5000 + [1]}).encode(), r"tags\[5000\] must be a text"),
    (
        "parameters",
        lambda: json.dumps({"neutone_parameters": parameters(*[knob()["p1"]] * 1000)}).encode(),
        "at most 4",
    ),
    ("unlike a list", lambda: b'{"tags": {"0": "x"}}', "tags must be a list of texts, got {'0': 'x'}"),
    ("unlike an object", lambda: b"[]", "must hold an object, got list"),
    (
        "a list for a kind",
        lambda: json.dumps({"neutone_parameters": knob(type=["text"])}).encode(),
        r"\.type must be a text",
    ),
    ("no text at all", lambda: b"\xff\xfe\xfa", "is not JSON"),
    ("nothing", lambda: b"", "is not JSON"),
]


@pytest.mark.parametrize(("made", "message"), [pytest.param(made, says, id=name) for name, made, says in HOSTILE])
def test_hostile_metadata_is_refused_without_much_memory(made: Callable[[], bytes], message: str) -> None:
    content = made()
    parsed({})  # what is imported once is not counted
    tracemalloc.start()
    try:
        with pytest.raises(InvalidFileError, match=message) as caught:
            parse_metadata(content, "model.nm")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * len(content) + 32 * 2**20
    assert len(str(caught.value)) < 1000
    assert str(caught.value).startswith("model.nm: ")


def test_numbers_of_many_digits_are_read_if_they_are_some() -> None:
    number = 10 ** (MAX_DIGITS - 1)
    assert parsed({"unknown": number}) == {"unknown": number}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
NUMBERS_AS_TEXTS = st.sampled_from(["1", "0.5", "1e400", "nan", "True", "false", "-0", " 2 ", "1_0", "٣"])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*KEYS, "unknown"]), JSON | NUMBERS_AS_TEXTS | st.lists(NUMBERS_AS_TEXTS)))
def test_any_value_under_any_key_is_read_or_refused(metadata: dict[str, Any]) -> None:
    try:
        read = parsed(metadata)
    except InvalidFileError as error:
        assert "model.nm: " in str(error)  # noqa: PT017  # most are refused, some are not
        return
    assert set(read) == set(metadata)
    assert as_json(parsed(read)) == as_json(read)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["p1", "p2"]),
        st.dictionaries(st.sampled_from([*PARAMETER_KEYS, "unknown"]), JSON | NUMBERS_AS_TEXTS | st.just("knob")),
    )
)
def test_any_value_in_a_parameter_is_read_or_refused(stated: dict[str, Any]) -> None:
    try:
        read = parsed({"neutone_parameters": stated})
    except InvalidFileError as error:
        assert "neutone_parameters" in str(error)  # noqa: PT017
        return
    assert set(read["neutone_parameters"]) == set(stated)
    assert as_json(parsed(read)) == as_json(read)
