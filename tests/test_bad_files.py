"""A file that is no model, and a place that cannot be written, are each one clear error; nothing is left behind."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from neutone_sdk.audio import AudioSample, AudioSamplePair
from neutone_sdk.errors import ExportError, InvalidFileError
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


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
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


@pytest.mark.parametrize("folder", ["taken", "taken/inside", "taken/further/inside"])
def test_file_in_the_way_of_the_folder(folder: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")

    with pytest.raises(ExportError, match=r"cannot make the folder .*taken.*; choose one that you may write to"):
        save_neutone_model(ExistingWrapper(Halve()), tmp_path / folder)

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
        save_neutone_model(wrapper, locked / inside)

    locked.chmod(0o755)
    assert list(locked.iterdir()) == []


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
