"""A file that is no model, and a place that cannot be written, are each one clear error; nothing is left behind."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch

from neutone_sdk.archive import read_metadata
from neutone_sdk.audio import AudioSample, AudioSamplePair
from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError
from neutone_sdk.files import write_atomically
from neutone_sdk.rendering import knobs
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .helpers_existing import ExistingWrapper, Halve, Hosted, Integrates, exported


@pytest.fixture(scope="module")
def content() -> bytes:
    return exported(Hosted, Integrates).content


def torchscript(**extra_files: str) -> bytes:
    file = io.BytesIO()
    named = {name.replace("_json", ".json"): text for name, text in extra_files.items()}
    torch.jit.save(torch.jit.script(Halve()), file, _extra_files=named)
    return file.getvalue()


def zipped(compression: int = zipfile.ZIP_STORED, /, **members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])
def test_truncated_file(kept: float, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(content[: int(kept * len(content))])

    with pytest.raises(InvalidFileError, match=r"model\.nm is not a model: it is damaged, truncated"):
        load_neutone_model(path)


@pytest.mark.parametrize("missing", [1, 2, 22, 64])
def test_file_that_lacks_its_last_bytes(missing: int, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(content[:-missing])

    with pytest.raises(InvalidFileError, match=r"model\.nm is not a model: it is damaged, truncated"):
        load_neutone_model(path)


@pytest.mark.parametrize("member", ["metadata.json", "data.pkl", "constants.pkl", ".py"])
def test_file_damaged_inside(member: str, content: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(member)]
    info = max(members, key=lambda info: info.file_size)
    damaged = bytearray(content)
    start = info.header_offset + 26  # where the header says how long its name and its padding are
    start += 4 + sum(int.from_bytes(content[at : at + 2], "little") for at in (start, start + 2))
    for at in range(start, start + min(16, info.compress_size)):
        damaged[at] ^= 0xFF
    path = tmp_path / "model.nm"
    path.write_bytes(damaged)

    with pytest.raises(InvalidFileError, match=r"model\.nm (is not a model: it is damaged|cannot be loaded)"):
        load_neutone_model(path)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        pytest.param(lambda: b"", "damaged, truncated, or no TorchScript archive", id="empty"),
        pytest.param(lambda: b"RIFF\x00\x00WAVEfmt " * 99, "damaged, truncated, or no TorchScript archive", id="audio"),
        pytest.param(zipped, "a zip file, but no model", id="empty zip"),
        pytest.param(lambda: zipped(readme="text"), "a zip file, but no model", id="zip"),
        pytest.param(
            lambda: zipped(zipfile.ZIP_LZMA, **{"m/extra/metadata.json": "{}"}).replace(
                b"metadata.json\x09", b"metadata.json\xff"
            ),
            "compressed as torch never does",
            id="LZMA, damaged",
        ),
        pytest.param(torchscript, "a TorchScript file without metadata", id="no metadata"),
        pytest.param(lambda: torchscript(metadata_json=""), r"metadata\.json is not JSON", id="empty metadata"),
        pytest.param(lambda: torchscript(metadata_json="{'a': 1}"), r"metadata\.json is not JSON", id="no JSON"),
        pytest.param(lambda: torchscript(metadata_json='{"a": 1'), r"metadata\.json is not JSON", id="half of JSON"),
        pytest.param(
            lambda: torchscript(metadata_json="[1]"), r"metadata\.json must hold an object, got list", id="list"
        ),
    ],
)
def test_file_that_is_no_model(made: Callable[[], bytes], message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(made())

    with pytest.raises(InvalidFileError, match=message) as raised:
        load_neutone_model(path)

    assert str(path) in str(raised.value)
    assert str(raised.value).count("model.nm") == 1  # says it once


KNOB: dict[str, Any] = {"name": "gain", "description": "", "default_value": 0.5, "type": "continuous"}
MENU: dict[str, Any] = {**KNOB, "type": "categorical", "n_values": 2, "labels": ["a", "b"], "default_value": 1}


def parameters(*each: object) -> dict[str, Any]:
    return {"neutone_parameters": {f"p{index + 1}": parameter for index, parameter in enumerate(each)}}


def with_metadata(path: Path, metadata: dict[str, Any]) -> Path:
    path.write_bytes(zipped(**{"model/extra/metadata.json": json.dumps(metadata)}))
    return path


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"model_name": "x\ud800"}, r"model_name must be a text, got 'x\\ud800'"),
        ({"model_authors": 5}, "model_authors must be a list of texts, got 5"),
        ({"model_authors": [5]}, r"model_authors\[0\] must be a text, got 5"),
        ({"technical_links": None}, "technical_links must be an object of texts, got None"),
        ({"technical_links": ["a"]}, r"technical_links must be an object of texts, got \['a'\]"),
        ({"technical_links": {"\udfff": "a"}}, r"technical_links must have keys that are texts, got '\\udfff'"),
        ({"tags": None}, "tags must be a list of texts, got None"),
        ({"is_experimental": "maybe"}, "is_experimental must be true or false, got 'maybe'"),
        ({"native_buffer_sizes": None}, "native_buffer_sizes must be a list of whole numbers, got None"),
        ({"native_sample_rates": "48000"}, "native_sample_rates must be a list of whole numbers, got '48000'"),
        ({"native_sample_rates": [True]}, r"native_sample_rates\[0\] must be a whole number, got True"),
        ({"look_behind_samples": "many"}, "look_behind_samples must be a whole number, got 'many'"),
        ({"neutone_parameters": [1]}, r"neutone_parameters must be an object of objects, got \[1\]"),
        (parameters(1), r"neutone_parameters\['p1'\] must be an object, got 1"),
        (parameters(*[KNOB] * 5), "neutone_parameters must hold at most 4 knobs and menus, got 5"),
        (parameters(KNOB, {"default_value": 1}), r"neutone_parameters\['p2'\]\.name must be a text, got nothing"),
        (parameters({**KNOB, "description": 1}), r"\['p1'\]\.description must be a text, got 1"),
        (parameters({**KNOB, "min_value": 1, "max_value": 1}), r"\.min_value must be below max_value, got 1 and 1"),
        (parameters({**KNOB, "max_value": float("nan")}), r"\.max_value must be a number, got nan"),
        (parameters({**KNOB, "default_value": None}), r"\.default_value must be a number in \[0, 1\], got None"),
        (parameters({**KNOB, "default_value": "loud"}), r"\.default_value must be a number in \[0, 1\], got 'loud'"),
        (
            parameters({**KNOB, "default_value": 10**400}),
            r"\.default_value must be a number or a text or a list, got 10+",
        ),
        (parameters({**MENU, "default_value": 7}), r"\.default_value must be a number in \[0, 1\], got 7"),
        (parameters({**MENU, "labels": ["a"]}), r"\.labels must be one for each of 2 values, got 1"),
        (parameters({**MENU, "n_values": 1}), r"\.min_value must be below max_value, got 0 and 0"),
    ],
)
def test_metadata_that_holds_what_it_should_not(metadata: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match=rf"model\.nm: in its metadata\.json, .*{message}.*; export it again"):
        read_metadata(with_metadata(tmp_path / "model.nm", metadata))


@pytest.mark.parametrize(
    ("metadata", "as_read", "positions"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param(
            {"is_experimental": "True", "look_behind_samples": "8", "native_sample_rates": ["48000"]},
            {"is_experimental": True, "look_behind_samples": 8, "native_sample_rates": [48000]},
            [],
            id="texts",
        ),
        pytest.param(
            parameters({**KNOB, "used": "True", "default_value": "3", "min_value": "1", "max_value": "5.5"}),
            parameters({**KNOB, "used": True, "default_value": 3, "min_value": 1, "max_value": 5.5}),
            [2 / 4.5],
            id="a knob of texts",
        ),
        pytest.param(
            parameters({"name": "old", "default_value": 0.25}),
            parameters({"name": "old", "default_value": 0.25}),
            [0.25],
            id="no kind",
        ),
        pytest.param(
            parameters({**KNOB, "n_values": None, "labels": None, "max_n_chars": None}, MENU),
            parameters(KNOB, MENU),
            [0.5, 1.0],
            id="nulls",
        ),
    ],
)
def test_metadata_of_older_files(
    metadata: dict[str, Any], as_read: dict[str, Any], positions: list[float], tmp_path: Path
) -> None:
    read = read_metadata(with_metadata(tmp_path / "model.nm", metadata))

    assert json.dumps(read) == json.dumps(as_read)  # tells True from 1, and 1 from 1.0
    assert knobs(read, {}).flatten().tolist() == pytest.approx(positions + [0.0] * (4 - len(positions)))


@pytest.mark.parametrize("kind", ["text", "tokens"])
def test_texts_and_tokens_are_metadata_but_no_knobs(kind: str, tmp_path: Path) -> None:
    read = read_metadata(
        with_metadata(tmp_path / "model.nm", parameters({**KNOB, "name": "words", "type": kind, "default_value": ""}))
    )

    with pytest.raises(InvalidArgumentError, match=f"parameter 'words' is of type {kind}; only knobs and menus"):
        knobs(read, {})


@pytest.mark.parametrize("folder", ["taken", "taken/inside", "taken/further/inside"])
def test_file_in_the_way_of_the_folder(folder: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")

    with pytest.raises(ExportError, match=r"cannot make the folder .*taken.*; choose one that you may write to"):
        save_neutone_model(ExistingWrapper(Halve()), tmp_path / folder, max_n_samples=0)

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_text() == "not a folder"


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write anywhere; so root becomes nobody meanwhile."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder inside one that every user of the machine can enter, unlike ``tmp_path``."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "locked"
        folder.mkdir()
        yield folder
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="chmod does not lock a folder there")
@pytest.mark.parametrize(
    ("mode", "inside"),
    [
        pytest.param(0o555, ".", id="read-only"),
        pytest.param(0o555, "new", id="new folder in a read-only one"),
        pytest.param(0o000, ".", id="no access"),
        pytest.param(0o000, "new/folder", id="new folder without access"),
    ],
)
def test_folder_that_may_not_be_written(mode: int, inside: str, locked: Path) -> None:
    wrapper = ExistingWrapper(Halve())
    exported(ExistingWrapper)  # imports what an ordinary user may not be able to read
    locked.chmod(mode)

    with (
        ordinary_user(),
        pytest.raises(ExportError, match=r"cannot (write|make the folder) .*locked.* choose .* that you may write to"),
    ):
        save_neutone_model(wrapper, locked / inside, max_n_samples=0)

    locked.chmod(0o755)
    assert list(locked.iterdir()) == []


@pytest.mark.parametrize("read", [load_neutone_model, read_metadata, AudioSample.from_file])
@pytest.mark.parametrize(("mode", "file_mode"), [(0o000, 0o644), (0o755, 0o000)], ids=["folder", "file"])
@pytest.mark.skipif(sys.platform == "win32", reason="chmod does not lock a folder there")
def test_file_that_may_not_be_read(read: Callable[[Path], object], mode: int, file_mode: int, locked: Path) -> None:
    path = locked / "file"
    path.touch(file_mode)
    path.chmod(file_mode)
    locked.chmod(mode)

    with ordinary_user(), pytest.raises(InvalidFileError, match=r"file cannot be read: Permission denied; check"):
        read(path)


@pytest.mark.parametrize("read", [load_neutone_model, read_metadata, AudioSample.from_file])
def test_name_that_is_too_long(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match=r"x cannot be read: File name too long; check its name"):
        read(tmp_path / ("x" * 300))


@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("refused", ["a", "b", "c"])
def test_move_that_fails_leaves_all_files_as_they_were(
    refused: str, has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(self: Path, target: Path) -> Path:
        if target.name == refused and self.read_bytes() == b"new":
            raise PermissionError(1, "Operation not permitted")
        return rename(self, target)

    def hardlink_to(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "a").write_bytes(b"old a")
    (tmp_path / "c").write_bytes(b"old c")
    rename = Path.replace
    monkeypatch.setattr(Path, "replace", replace)
    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", hardlink_to)

    with pytest.raises(ExportError, match=rf"cannot write .*/{refused}: Operation not permitted; choose"):
        write_atomically({tmp_path / name: b"new" for name in "abc"})

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old a", "c": b"old c"}


@pytest.mark.parametrize("name", ["model.nm", "metadata.json", "samples", "samples/sample_out_0.mp3"])
def test_something_in_the_way_of_a_file(name: str, tmp_path: Path) -> None:
    if name == "samples":
        (tmp_path / "export").mkdir()
        (tmp_path / "export" / name).write_text("not a folder")
    else:
        (tmp_path / "export" / name / "not a file").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    sample = AudioSample(torch.zeros(2, 4800), 48000)

    with pytest.raises(ExportError, match=rf"cannot (write|make the folder) .*{name}.*; choose"):
        save_neutone_model(
            ExistingWrapper(Halve()),
            tmp_path / "export",
            dump_samples=True,
            audio_sample_pairs=[AudioSamplePair(sample, sample)],
        )

    assert sorted(tmp_path.rglob("*")) == before


LOAD_WITH_PLAIN_TORCH = """
import sys
import torch
assert "neutone_sdk" not in sys.modules
try:
    torch.jit.load(sys.argv[1])
except RuntimeError as error:
    print(error)
"""


def test_host_without_the_operators_is_told_what_is_missing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.nm").write_bytes(content)
    (tmp_path / "host.py").write_text(LOAD_WITH_PLAIN_TORCH)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "host.py", "model.nm"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert "Unknown builtin op: neutone::" in done.stdout
