"""The card of a model: what it says, and that nothing in a file can make it do anything else."""

import hashlib
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neutone_sdk.archive import read_metadata
from neutone_sdk.audio import AudioSample
from neutone_sdk.card import BlockTime, Measurements, card_page, measure
from neutone_sdk.rendering import Latency, latencies
from neutone_sdk.utils import load_neutone_model

from .card_models import CITATION, Page, changed, drum_pair, export


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


def test_a_page_of_a_model_without_samples_says_so(silent_model: Path) -> None:
    page = Page(card_page(silent_model))
    assert "This file embeds no audio samples." in page.text
    assert page.all("audio") == []


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

    measured = measure(script, buffer_sizes=[64])

    (row,) = measured.block_times
    assert 0.0 < row.mean_ms <= row.slowest_ms
    assert row.n_blocks >= 32
    assert row.n_blocks % 8 == 0  # the model works in one of eight: each counts as often as in the long run
    assert row.load * row.real_time_factor == pytest.approx(1.0)
    page = Page(card_page(silent_model, measured))
    assert measured.machine in page.text
    assert "torch" in measured.machine
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured.date)
    assert [attributes["datetime"] for attributes in page.all("time")] == [measured.date]


def test_speed_is_shown_as_part_of_the_budget(silent_model: Path) -> None:
    times = [BlockTime(48_000, 480, 9, mean_ms=2.5, slowest_ms=4.0), BlockTime(48_000, 480, 9, 40.0, 50.0)]
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
