"""What the C++ host reads of a file's metadata: what Python reads, and one clear error where that reads none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from neutone_sdk.archive import read_metadata

from .corpus import zips
from .helpers_existing import Halve, Hosted, Integrates, exported
from .native_host import neutone_host, probe, saved, written


@pytest.fixture(scope="module")
def native() -> bytes:
    return exported(Hosted, Integrates).content


KNOB: dict[str, Any] = {"name": "gain", "description": "", "default_value": 0.5, "type": "continuous"}
MENU: dict[str, Any] = {**KNOB, "type": "categorical", "n_values": 2, "labels": ["a", "b"], "default_value": 1}


def parameters(*each: object) -> dict[str, Any]:
    return {"neutone_parameters": {f"p{index + 1}": parameter for index, parameter in enumerate(each)}}


BAD_METADATA: list[tuple[dict[str, Any] | str, str]] = [
    ("", "is not JSON that can be read"),
    ("{'a': 1}", "is not JSON that can be read"),
    ('{"a": NaN}', "is not JSON that can be read"),
    ('{"model_name": "x\\ud800"}', "is not JSON that can be read"),
    ('{"model_name": "\xff"}', "is not JSON that can be read"),
    ("[" * 100_000, "holds more values, or deeper ones"),
    ("[" + "0," * 200_000 + "0]", "holds more values, or deeper ones"),
    ("[1]", r"all of it must be an object, got \[1\]"),
    ({"model_name": 5}, "model_name must be a text, got 5"),
    ({"model_authors": 5}, "model_authors must be a list, got 5"),
    ({"model_authors": [5]}, r"model_authors\[0\] must be a text, got 5"),
    ({"technical_links": ["a"]}, r'technical_links must be an object of texts, got \["a"\]'),
    ({"is_experimental": "maybe"}, 'is_experimental must be true or false, got "maybe"'),
    ({"native_sample_rates": [True]}, r"native_sample_rates\[0\] must be a whole number of at least 1, got true"),
    ({"native_sample_rates": [0]}, r"native_sample_rates\[0\] must be a whole number of at least 1, got 0"),
    ({"native_buffer_sizes": [1e300]}, r"native_buffer_sizes\[0\] must be a whole number of at least 1, got 1e\+300"),
    ({"look_behind_samples": 1.5}, r"look_behind_samples must be a whole number of at least 0, got 1\.5"),
    ({"wet_default_value": 2}, "wet_default_value must be a number from 0 to 1, got 2"),
    ({"neutone_parameters": [1]}, r"neutone_parameters must be an object, got \[1\]"),
    (parameters(1), r"neutone_parameters\.p1 must be an object, got 1"),
    (parameters(*[KNOB] * 5), "neutone_parameters must be at most 4 knobs and menus, got 5"),
    (parameters(KNOB, {"default_value": 1}), r"neutone_parameters\.p2\.name must be a text, got null"),
    (parameters({**KNOB, "min_value": 1, "max_value": 1}), r"p1\.min_value must be below max_value, got 1"),
    (parameters({**KNOB, "default_value": "loud"}), r'p1\.default_value must be a number, got "loud"'),
    (parameters({**MENU, "default_value": 7}), r"p1\.default_value must be between min_value and max_value, got 7"),
    (parameters({**MENU, "labels": ["a"]}), r"p1\.labels must be one for each of n_values, got 1"),
    (parameters({**MENU, "n_values": 1}), r"p1\.n_values must be a whole number of at least 2, got 1"),
]


def test_metadata_that_hold_what_they_should_not_are_refused(tmp_path: Path) -> None:
    archive = zips.read(saved(Halve()))
    contents = []
    for metadata, _ in BAD_METADATA:
        text = metadata.encode("latin-1") if isinstance(metadata, str) else json.dumps(metadata).encode()
        archive.piece("extra/metadata.json").content = text
        contents.append(archive.write())
    files = written(contents, tmp_path)

    lines = probe("metadata", *files)

    for line, file, (_, message) in zip(lines, files, BAD_METADATA, strict=True):
        assert re.search(rf"LoadError: {file}: .*{message}", line)


def test_metadata_of_any_age_are_read(tmp_path: Path) -> None:
    """Texts where numbers and booleans belong, nulls, missing keys."""
    old: dict[str, Any] = {
        "is_input_mono": "True",
        "look_behind_samples": "8",
        "native_sample_rates": ["48000"],
        "citation": None,
        **parameters({**KNOB, "default_value": "3", "min_value": "1", "max_value": "5.5", "labels": None}, MENU),
    }
    path = tmp_path / "old.nm"
    path.write_bytes(saved(Halve(), old))

    shown = neutone_host("info", path).stdout

    assert "channels      mono in, stereo out" in shown
    assert "sample rates  48000 Hz" in shown
    assert "look-behind   8 samples" in shown
    assert "range       1 .. 5.5\n  default     3\n" in shown
    assert "range       a | b\n  default     b\n" in shown


def test_info_shows_what_python_reads(native: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(native)

    assert json.loads(neutone_host("info", path, "--json").stdout) == read_metadata(path)
    shown = neutone_host("info", path).stdout
    for text in ("existing (experimental)", "A. Author, B. Author", "44100 Hz", "-1 .. 1", "knob hidden (hidden)"):
        assert text in shown


def test_info_runs_nothing_and_needs_no_operators(native: bytes, tmp_path: Path) -> None:
    archive = zips.read(native)
    for piece in archive.named(".py"):
        piece.content = b"this is no code"
    path = tmp_path / "model.nm"
    path.write_bytes(archive.write())

    assert "existing" in neutone_host("info", path, NEUTONE_OPS_LIBRARY="/nowhere").stdout


def test_info_prints_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(saved(Halve(), {"model_name": "a\x1b[31m\x07b\x9bc", "model_version": "1\x7f.0"}))

    shown = neutone_host("info", path).stdout

    assert "a[31mbc" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
