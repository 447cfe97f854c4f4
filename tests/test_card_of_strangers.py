"""Nothing in a file can make its card fetch, run or pretend anything."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neutone_sdk.archive import read_metadata
from neutone_sdk.audio import AudioSample, AudioSamplePair
from neutone_sdk.card import card_page
from neutone_sdk.card.text import link_host, shown

from .card_models import Page, changed, drum_pair, export

FETCHING = (
    "src",
    "href",
    "srcset",
    "poster",
    "action",
    "formaction",
    "data",
    "background",
    "xlink:href",
    "ping",
    "cite",
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='alert(1)",
    "</style></title></script><script>alert(1)</script>",
    "{{ 7 * 7 }} {% for x in y %}",
    "<!-- &lt; &amp;amp; ]]>",
]


@pytest.fixture(scope="module")
def silent_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("silent"), [])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("drums"), [drum_pair()])


@pytest.fixture(scope="module")
def html(model: Path) -> str:
    return card_page(model)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def assert_fetches_nothing(page: Page) -> None:
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in FETCHING:
            address = attributes.get(name, "#")
            is_link = tag == "a" and link_host(address)
            assert is_link or re.match(r"#|data:,$|data:(audio/mpeg|image/png);base64,[A-Za-z0-9+/=]+$", address), (
                address
            )
    assert page.tags.count("style") == page.tags.count("script") == 1
    assert not re.search(r"url\(|@import|@font-face", page.inside("style")[0])
    assert not re.search(r"fetch|XMLHttp|WebSocket|import\(|innerHTML|eval", page.inside("script")[0])


def test_the_page_fetches_nothing(page: Page) -> None:
    assert_fetches_nothing(page)


def test_the_policy_allows_the_pages_own_style_and_script_only(page: Page) -> None:
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policies[0].split("; "))
    own = {
        tag: f"'sha256-{base64.b64encode(hashlib.sha256(page.inside(tag)[0].encode()).digest()).decode()}'"
        for tag in ("style", "script")
    }
    assert len(policies) == 1
    assert rules == {
        "default-src": "'none'",
        "style-src": own["style"],
        "script-src": own["script"],
        "img-src": "data:",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert page.tags.index("meta") < page.tags.index("style")


def told(text: str) -> dict[str, Any]:
    """Metadata that says the same everywhere."""
    knob = {"name": text, "description": text, "default_value": 0.5, "used": True, "type": "continuous"}
    menu = {**knob, "type": "categorical", "n_values": 2, "labels": [text, "b"], "default_value": 0}
    return {
        "model_name": text,
        "model_version": text,
        "model_authors": [text],
        "model_short_description": text,
        "model_long_description": text,
        "technical_description": text,
        "technical_links": {text: "https://example.org", "a": text},
        "tags": [text],
        "citation": text,
        "model_type": text,
        "sdk_version": text,
        "pytorch_version": text,
        "neutone_parameters": {"p1": knob, "p2": menu},
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_stay_texts(silent_model: Path, tmp_path: Path, text: str) -> None:
    harmless = Page(card_page(changed(silent_model, tmp_path / "a.nm", **told("word"))))

    page = Page(card_page(changed(silent_model, tmp_path / "b.nm", **told(text))))

    assert page.tags == harmless.tags
    assert page.text.count(text[:38]) == harmless.text.count("word") > 10
    assert_fetches_nothing(page)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_text_is_shown_as_it_is_or_without_what_cannot_be_shown(
    silent_model: Path, tmp_path: Path, text: str
) -> None:
    page = Page(card_page(changed(silent_model, tmp_path / "any.nm", **told(text))))

    assert_fetches_nothing(page)
    assert page.inside("h1") == [shown(text, 80) or "Unnamed model"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.text)


def test_what_drives_the_display_is_taken_out() -> None:
    assert shown("a\x00b\x1b[31m\u202egnp.exe\u2066\x7f\x9b\ud800", 80) == "ab[31mgnp.exe"
    assert shown("two\r\nlines\tand tab", 80) == "two\nlines and tab"
    assert shown("שלום, مرحبا", 80) == "שלום, مرحبا"


def test_long_texts_are_cut_off(silent_model: Path, tmp_path: Path) -> None:
    page = card_page(changed(silent_model, tmp_path / "long.nm", **told("wide " * 100_000)))
    assert len(page) < 100_000
    assert shown("abc", 3) == "abc"
    assert shown("abcd", 3) == "abc…"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " https://example.org",
        "java\nscript:alert(1)",
        "https://exam\tple.org",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//example.org",
        "example.org",
        "https:///path",
        "https://",
        "https:example.org",
        "https://good.example@bad.example",
        "https://user:password@bad.example",
        "https://good.example\\@bad.example",
        "https://example.org:99999",
        "https://[::1",
        "https://exa%6dple.org",
        "https://example.org/\u202egnp.exe",
        "https://" + "a" * 3000,
        "",
    ],
)
def test_other_addresses_are_no_links(silent_model: Path, tmp_path: Path, address: str) -> None:
    page = Page(card_page(changed(silent_model, tmp_path / "link.nm", technical_links={"Paper": address})))
    assert link_host(address) == ""
    assert page.all("a") == []
    assert "Paper" in page.text


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://example.org", "example.org"),
        ("HTTP://Example.org:8080/a?b=c#d", "example.org"),
        ("https://bücher.example/ü", "xn--bcher-kva.example"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
    ],
)
def test_links_show_the_host_that_they_lead_to(address: str, host: str) -> None:
    assert link_host(address) == host


def wav() -> str:
    """Audio, but no MP3."""
    import io  # noqa: PLC0415

    import soundfile  # noqa: PLC0415

    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(100), 8000, format="WAV")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "The file holds none."),
        ("@@@ü", "no base 64"),
        ("AAAA", "not audio that can be decoded"),
        (base64.b64encode(b"<script>alert(1)</script>" * 99).decode(), "not audio that can be decoded"),
        (wav(), "no MP3, but WAV"),
        ("A" * 12_000_000, "larger than 8 MiB"),
    ],
    ids=["empty", "no base 64", "short", "script", "wav", "large"],
)
def test_a_sample_that_cannot_be_heard_is_said_to_be_so(model: Path, tmp_path: Path, value: str, problem: str) -> None:
    (pair,) = read_metadata(model)["sample_sound_files"]
    broken = changed(model, tmp_path / "broken.nm", sample_sound_files=[{"in": pair["in"], "out": value}])

    html = card_page(broken)

    page = Page(html)
    assert problem in page.text
    assert len(page.all("audio")) == 1
    assert len(html) < 1_000_000
    assert_fetches_nothing(page)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 60_000), damage=st.binary(min_size=1, max_size=2000), cut=st.integers(100, 60_000))
def test_a_damaged_sample_is_drawn_as_far_as_it_goes_or_refused(
    model: Path, tmp_path: Path, start: int, damage: bytes, cut: int
) -> None:
    (pair,) = read_metadata(model)["sample_sound_files"]
    mp3 = bytearray(base64.b64decode(pair["in"]))
    mp3[start : start + len(damage)] = damage
    text = base64.b64encode(mp3[:cut]).decode()

    page = Page(
        card_page(changed(model, tmp_path / "damaged.nm", sample_sound_files=[{"in": text, "out": pair["out"]}]))
    )

    problems = [attributes for attributes in page.all("p") if attributes.get("class") == "problem"]
    assert len(page.all("audio")) + len(problems) == 2
    assert_fetches_nothing(page)


def test_more_than_three_pairs_are_not_shown(model: Path, tmp_path: Path) -> None:
    pairs = read_metadata(model)["sample_sound_files"] * 5
    page = Page(card_page(changed(model, tmp_path / "many.nm", sample_sound_files=pairs)))
    assert len(page.all("audio")) == 6
    assert "The file embeds 2 more" in page.text


def test_of_a_long_sample_the_first_minute_is_drawn(silent_model: Path, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    clip = AudioSample(torch.zeros(1, 8000 * 90), 8000)
    pair = dict(AudioSamplePair(clip, clip).to_metadata_format())
    page = Page(card_page(changed(silent_model, tmp_path / "long.nm", sample_sound_files=[pair])))
    assert "first 60 s drawn, mono, 8 kHz, peak silent" in page.text


def test_metadata_of_the_wrong_kind_is_left_out() -> None:
    from neutone_sdk.card.controls import read_controls, read_mix  # noqa: PLC0415
    from neutone_sdk.card.facts import read_facts  # noqa: PLC0415
    from neutone_sdk.card.plots import read_pairs  # noqa: PLC0415

    keys = json.loads(json.dumps(told("x"))) | {"sample_sound_files": 0, "required_ops": 0, "date_created": 0}
    for wrong in (None, 0, 1e308, float("nan"), "x", [], [None, 7], {}, {"a": None}, True):
        metadata = dict.fromkeys(keys, wrong) | {"neutone_parameters": {}, "wet_default_value": wrong}
        facts = read_facts(metadata)
        assert facts.name in ("x", "Unnamed model")
        assert facts.links == []
        assert read_controls(metadata) == []
        assert len(read_mix(metadata)) <= 1
        assert all(side.problem for pair in read_pairs(metadata)[0] for side in pair.sides)
