"""The card of a model: what it says, and that nothing in a file can make it do anything else."""

import base64
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neutone_sdk.archive import read_metadata
from neutone_sdk.audio import AudioSample, AudioSamplePair
from neutone_sdk.card import BlockTime, Measurements, card_page, measure
from neutone_sdk.card.text import link_host, shown
from neutone_sdk.rendering import Latency, latencies
from neutone_sdk.utils import load_neutone_model

from .card_models import CITATION, Page, changed, drum_pair, export

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


@pytest.mark.parametrize(
    "text",
    [
        "Velvet Clipper",
        "version",
        "1.2.3",
        "Experimental",
        "Ada Lovelace",
        "Grace Hopper",
        "Hard clipper.",
        "Cuts off what is too loud.",
        "torch.clip, without oversampling.",
        "clipper",
        "lo-fi",
        CITATION,
        "tilt",
        "In dB an octave",
        "from −6 to 6",  # noqa: RUF001
        "shape",
        "fold",
        "stereo → stereo",
        "48 kHz",
        "512 samples",
        "Before",
        "After",
    ],
)
def test_the_page_says_what_the_card_states(page: Page, text: str) -> None:
    assert text in page.text


def test_the_default_of_a_menu_and_a_knob_are_marked(page: Page) -> None:
    chosen = [attributes for attributes in page.all("li") if attributes.get("class") == "chosen"]
    assert len(chosen) == 1
    assert "hard  (default)" in page.text
    assert "1.5" in page.inside("b")


def test_parameters_that_are_not_used_are_not_shown(page: Page) -> None:
    assert "secret" not in page.text


def test_the_page_names_the_file_by_its_fingerprint(model: Path, page: Page) -> None:
    assert hashlib.sha256(model.read_bytes()).hexdigest() in page.text


def test_links_lead_where_the_author_says_and_show_it(page: Page) -> None:
    links = {attributes["href"]: attributes for attributes in page.all("a")}
    assert list(links) == ["http://code.example/velvet", "https://example.org/paper?a=1&b=2"]
    assert {attributes["rel"] for attributes in links.values()} == {"noopener noreferrer nofollow"}
    assert "code.example" in page.text
    assert "example.org" in page.text


def test_headings_are_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_pictures_and_players_have_names(page: Page) -> None:
    pictures = [attributes for attributes in page.all("svg") if attributes.get("aria-hidden") != "true"]
    named = [attributes for attributes in pictures if "role" in attributes]
    assert [attributes["aria-label"].partition(".")[0] for attributes in named] == ["Waveform", "Spectrogram"] * 2
    assert [attributes["aria-label"] for attributes in page.all("audio")] == [
        "Sample 1 before the model",
        "Sample 1 after the model",
    ]


def test_the_samples_are_those_of_the_file(model: Path, page: Page) -> None:
    (embedded,) = read_metadata(model)["sample_sound_files"]
    uris = [attributes["src"] for attributes in page.all("audio")]
    assert uris == [f"data:audio/mpeg;base64,{embedded[key]}" for key in ("in", "out")]
    before, after = (AudioSample.from_b64(uri.partition(",")[2]) for uri in uris)
    assert before.audio.shape == after.audio.shape == drum_pair().input.audio.shape
    assert not np.allclose(before.audio, after.audio, atol=0.1)


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


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_a_page_of_a_model_without_samples_says_so(silent_model: Path) -> None:
    page = Page(card_page(silent_model))
    assert "This file embeds no audio samples." in page.text
    assert page.all("audio") == []


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


def test_without_measurements_the_page_says_that_nothing_was_run(page: Page) -> None:
    assert page.text.count("The model was not run for this page") == 2
    assert page.all("table") == []


def test_the_latency_table_is_what_the_model_says(silent_model: Path) -> None:
    script, _ = load_neutone_model(silent_model)
    rates_hz, blocks = (44_100, 48_000, 96_000), (64, 128, 256, 512, 1024, 2048)

    page = Page(card_page(silent_model, measure(script, with_speed=False)))

    expected = [
        [str(row.buffer_size), str(row.total_samples), f"{row.total_ms:.1f}", parts(row)]
        for row in latencies(script, rates_hz, blocks)
    ]
    cells = [text for path, text in page.texts if "tbody" in path]
    assert [cells[at : at + 4] for at in range(0, len(cells), 4)] == expected
    assert len(expected) == 18
    assert any(row.model_samples and row.resampling_samples for row in latencies(script, rates_hz, blocks))
    assert page.inside("caption") == ["Host at 44.1 kHz", "Host at 48 kHz", "Host at 96 kHz"]
    assert "Speed was not measured for this page." in page.text


def parts(row: Latency) -> str:
    return f"{row.buffering_samples} + {row.resampling_samples} + {row.model_samples}"


def test_speed_is_measured_and_labelled(silent_model: Path) -> None:
    script, _ = load_neutone_model(silent_model)

    measured = measure(script, buffer_sizes=[512])

    (row,) = measured.block_times
    assert 0.0 < row.median_ms <= row.slowest_ms
    assert 8 <= row.n_blocks <= 400
    assert row.load * row.real_time_factor == pytest.approx(1.0)
    page = Page(card_page(silent_model, measured))
    assert measured.machine in page.text
    assert "torch" in measured.machine
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured.date)
    assert [attributes["datetime"] for attributes in page.all("time")] == [measured.date]


def test_speed_is_shown_as_part_of_the_budget(silent_model: Path) -> None:
    times = [BlockTime(48_000, 480, 9, median_ms=2.5, slowest_ms=4.0), BlockTime(48_000, 480, 9, 40.0, 50.0)]
    page = Page(card_page(silent_model, Measurements([], times, "<an abacus>", "2025-01-31")))
    cells = [text for path, text in page.texts if "tbody" in path]
    assert cells == [
        *("480", "10.00 ms", "2.500 ms", "4.000 ms", "25 %", "4"),
        *("480", "10.00 ms", "40.000 ms", "50.000 ms", "400 %", "0.25"),
    ]
    assert "<an abacus>" in page.text


def test_files_of_1x_have_a_card(silent_model: Path, tmp_path: Path) -> None:
    knob = {"name": "mix", "description": "", "default_value": "0.25", "used": "True", "type": None}
    hidden = {**knob, "name": "hidden", "used": "False"}
    old = changed(
        silent_model,
        tmp_path / "old.nm",
        is_experimental="False",
        look_behind_samples="128",
        wet_default_value="0.5",
        date_created="1700000000.5",
        neutone_parameters={"p1": knob, "p2": hidden},
    )
    page = Page(card_page(old))
    for text in ("mix", "0.25", "128 samples", "50 %", "2023-11-14"):
        assert text in page.text
    assert "Experimental" not in page.text
    assert "hidden" not in page.inside("h3")


def test_texts_and_tokens_are_controls(silent_model: Path, tmp_path: Path) -> None:
    prompt = {
        "name": "prompt",
        "description": "",
        "used": True,
        "type": "text",
        "max_n_chars": 9,
        "default_value": "hi",
    }
    tokens = {"name": "notes", "description": "", "used": True, "type": "tokens", "max_n_tokens": -1}
    parameters = {"p1": prompt, "p2": {**tokens, "default_value": [1, 2]}}
    page = Page(card_page(changed(silent_model, tmp_path / "texts.nm", neutone_parameters=parameters)))
    for text in ("prompt", "hi", "at most 9 characters", "notes", "1, 2", "any number of tokens"):
        assert text in page.text


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
