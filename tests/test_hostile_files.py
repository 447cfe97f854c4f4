"""Whatever a file is, opening it ends soon, in little memory, with a model or with one clear error."""

import io
import json
import os
import stat
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import files
from neutone_sdk.archive import MAX_METADATA_BYTES, read_metadata
from neutone_sdk.errors import ExportError, InvalidFileError
from neutone_sdk.torchscript.directory import read_directory
from neutone_sdk.torchscript.refusal import RefusedError
from neutone_sdk.utils import load_neutone_model, save_neutone_model

from .corpus import DAMAGES, good_files, zips
from .corpus.scripts import FORWARD, HEAD, RETURN, script
from .corpus.zips import Archive, Piece
from .fuzz import ENDINGS, fuzz
from .helpers_existing import ExistingWrapper

ONE_MB = 2**20
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files there")


@pytest.fixture(scope="module")
def good() -> bytes:
    return good_files()[0]


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.nm"
    path.write_bytes(content)
    return path


# The zip file


def piece(**facts: Any) -> Piece:
    return Piece(**({"name": "m/extra/metadata.json", "content": b"{}"} | facts))


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (Archive([piece()], before=b"#!/bin/sh\n"), "something lies before"),
        (Archive([piece()], before=b"#!/bin/sh\n", end={"start": 71}), "its directory is not where its end says"),
        (Archive([piece()], between=bytes(30)), "do not end where its directory starts"),
        (Archive([piece()], after=b"x"), "does not end as a zip archive"),
        (Archive([piece()], comment=b"PK\x05\x06" + bytes(18)), r"(without comment|not where its end says)"),
        (Archive([piece()], end={"n_here": 0}), "a part of an archive in several files"),
        (Archive([piece()], end={"n": 2, "n_here": 2}), "its directory is too short"),
        (Archive([piece()], end={"n": 0, "n_here": 0}), "its directory is longer than its members"),
        (Archive([piece(), piece(name="m/a", is_listed=False)]), "do not end where its directory starts"),
        (Archive([piece(name="m/a", is_listed=False), piece()]), "something lies before"),
        (Archive([piece(), piece()]), "two members have the same name"),
        (Archive([piece(), piece(name="m/extra/METADATA.json")]), "differ in case only, which torch does not see"),
        (Archive([piece(), piece(name="m/a", header_at=0)]), "overlaps it"),
        (Archive([piece(header_at=5)]), "something lies before"),
        (Archive([piece(flags=0x801)]), "is encrypted"),
        (Archive([piece(method=12)]), "compressed as torch never does"),
        (Archive([piece(size=3)]), "claims 3 bytes, made of 2"),
        (Archive([piece(stored_size=1)]), "claims 2 bytes, made of 1"),
        (Archive([piece(is_deflated=True, size=2**31)]), "claims 2147483648 bytes"),
        (Archive([piece(is_deflated=True, size=3)]), "are damaged"),
        (Archive([piece(is_deflated=True, size=1)]), "the contents of .* are damaged"),
        (Archive([piece(content=b"{", method=8)]), "the contents of .* are not as long as said"),
        (Archive([piece(crc=0)]), "the contents of .* are damaged"),
        (Archive([piece(local_size=1)]), "the header of .* contradicts the directory"),
        (Archive([piece(local_name="m/extra/metadata.jsoN")]), "the header of .* contradicts the directory"),
        (Archive([piece(attributes=stat.S_IFLNK << 16)]), "is a link, a folder or a device"),
        (Archive([piece(attributes=stat.S_IFDIR << 16)]), "is a link, a folder or a device"),
        (Archive([piece(comment=b"x")]), "has a comment"),
        (Archive([piece(extra=b"xyz")]), "the extra field of .* is damaged"),
        (Archive([piece(extra=struct.pack("<2HQ", 1, 8, 2**40))]), "64-bit sizes of .* contradict the short ones"),
        (Archive([piece(extra=struct.pack("<2HQ", 1, 8, 2) * 2)]), "has two 64-bit fields"),
        (Archive([piece(size=2**32 - 1, extra=struct.pack("<2HQ", 1, 8, 2**40))]), "claims 1099511627776 bytes"),
        (Archive([piece(name="m/" + "x" * 600)]), "a name of 602 bytes"),
        (Archive([piece(name=f"m/{index}") for index in range(16_385)]), "16385 members, at most 16384 are allowed"),
    ],
)
def test_archive_that_two_readers_may_read_in_two_ways(archive: Archive, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, archive.write())

    with pytest.raises(InvalidFileError, match=rf"model\.nm is not a model: it is damaged, .*{message}"):
        read_metadata(path)


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/evil",
        "m/../../evil",
        "C:\\evil",
        "m\\evil",
        "C:evil",
        "m//evil",
        "m/./evil",
        "m/evil/",
        "m/\0",
        "m/\n",
    ],
)
def test_names_that_lead_elsewhere(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, Archive([piece(), piece(name=name)]).write())

    with pytest.raises(InvalidFileError, match="is no name that torch gives"):
        read_metadata(path)


def test_members_in_several_folders(good: bytes, tmp_path: Path) -> None:
    archive = zips.read(good)
    archive.piece("version").name = "other/version"

    with pytest.raises(InvalidFileError, match=r"model\.nm cannot be loaded: its members are not in one folder"):
        load_neutone_model(written(tmp_path, archive.write()))


def test_64_bit_directory(good: bytes) -> None:
    """Torch writes one always; both ends must say the same."""
    assert len(read_directory(io.BytesIO(good))) == len(zips.read(good).pieces)
    end = len(good) - 22 - 20 - 56
    for at in (24, 32, 40, 48):  # two numbers of members, size, start
        lie = bytearray(good)
        lie[end + at] ^= 1
        with pytest.raises(RefusedError, match=r"contradict each other|several files"):
            read_directory(io.BytesIO(lie))


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_a_directory_or_refused(data: st.DataObject) -> None:
    """And what is said to be a member lies in the file."""
    whole = Archive([piece(), piece(name="m/a", content=b"abc", is_deflated=True)]).write()
    content = bytearray(data.draw(st.just(whole) | st.binary(max_size=100)))
    for _ in range(data.draw(st.integers(0, 4)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        members = read_directory(io.BytesIO(content))
    except RefusedError:
        return

    assert all(0 <= member.start <= member.end <= len(content) for member in members.values())


# What is no file, or a huge one


@posix_only
@pytest.mark.parametrize("read", [read_metadata, load_neutone_model])
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to a device", "link to nothing", "socket"])
def test_path_of_no_file(read: Callable[[Path], object], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.nm"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "link to nothing":
        path.symlink_to("nothing")
    else:
        path = Path("/dev/zero")

    with pytest.raises(InvalidFileError, match="is not a file"):
        read(path)


@posix_only
def test_pipe_that_takes_the_place_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.nm"
    os.mkfifo(path)
    monkeypatch.setattr(Path, "is_file", lambda _: True)

    with pytest.raises(InvalidFileError, match="is not a file"):
        files.open_file(path)


def most_memory(run: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def sparse(path: Path, n_bytes: int, end: bytes = b"") -> Path:
    with path.open("wb") as file:
        file.truncate(n_bytes)
        file.seek(0, os.SEEK_END)
        file.write(end)
    return path


@pytest.mark.parametrize("read", [read_metadata, load_neutone_model])
@pytest.mark.parametrize("n_bytes", [2**31 - 100, 2**33])
def test_huge_file_of_nothing(read: Callable[[Path], object], n_bytes: int, tmp_path: Path) -> None:
    path = sparse(tmp_path / "model.nm", n_bytes, b"PK\x05\x06" + bytes(18))

    def refuse() -> None:
        with pytest.raises(InvalidFileError, match=r"model\.nm is not a model"):
            read(path)

    assert most_memory(refuse) < ONE_MB


def test_metadata_of_a_huge_file_are_read_without_the_rest(tmp_path: Path) -> None:
    """A member of 2 GB, of nothing, between the metadata and the directory."""
    n_bytes = 2**31 - 10_000
    first = piece(content=b'{"model_name": "a"}')
    whole = Archive([first, piece(name="m/data/0", content=b"", size=n_bytes, stored_size=n_bytes)]).write()
    directory_at = whole.index(b"PK\x01\x02")
    directory = bytearray(whole[directory_at:])
    directory[-6:-2] = struct.pack("<L", directory_at + n_bytes)
    path = sparse(tmp_path / "model.nm", directory_at + n_bytes, bytes(directory))
    with path.open("r+b") as file:
        file.write(whole[:directory_at])

    assert most_memory(lambda: read_metadata(path)) < ONE_MB
    assert read_metadata(path) == {"model_name": "a"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b" " * (MAX_METADATA_BYTES + 1), "claims 16777217 bytes, at most 16777216", id="bomb"),
        pytest.param(b"[" + b"[]," * 1_000_000 + b"0]", "more than 65536 values", id="lists of nothing"),
        pytest.param(b'{"a":' * 50 + b"0" + b"}" * 50, "nested more than 32 deep", id="deep"),
        pytest.param(b"[" * 1_000_000, "more than 65536 values", id="very deep"),
        pytest.param(b'{"a": ' + b"1" * 1_000_000 + b"}", "a number of 1000000 digits", id="long number"),
        pytest.param('{"a": 1}'.encode("utf-16"), "is not JSON that can be read", id="UTF-16"),
        pytest.param(b'{"a": "' + b"x" * 1_000_000, "is not JSON that can be read", id="open text"),
        pytest.param(b'{"a": "' + b"\\" * 999_999, "is not JSON that can be read", id="open escapes"),
    ],
)
def test_metadata_that_are_an_attack(text: bytes, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, Archive([piece(content=text, is_deflated=True)]).write())

    def refuse() -> None:
        with pytest.raises(InvalidFileError, match=message):
            read_metadata(path)

    assert most_memory(refuse) < 20 * ONE_MB


def test_large_samples_are_no_attack(tmp_path: Path) -> None:
    samples = [{"in": "[{,A" * 500_000, "out": "A" * 2_000_000}]
    path = written(tmp_path, Archive([piece(content=json.dumps({"sample_sound_files": samples}).encode())]).write())

    assert read_metadata(path)["sample_sound_files"] == samples


# What is loaded


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"flavour": "portable"},
            r"model\.nm cannot be loaded: it says that it is portable, but its code uses neutone::",
        ),
        (
            {"required_ops": {"neutone": "99.0.0"}},
            r"model\.nm cannot be loaded: it needs neutone operators of version 99",
        ),
    ],
)
def test_file_that_lies_of_its_needs(change: dict[str, Any], message: str, good: bytes, tmp_path: Path) -> None:
    archive = zips.read(good)
    metadata = archive.piece("extra/metadata.json")
    metadata.content = json.dumps(json.loads(metadata.content) | change).encode()

    with pytest.raises(InvalidFileError, match=message):
        load_neutone_model(written(tmp_path, archive.write()))


def test_torch_never_sees_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(torch.jit, "load", lambda *args, **_: calls.append(args))
    hostile = script(HEAD + FORWARD + "    torch.save(x, 'evil')\n" + RETURN, records={"extra/metadata.json": b"{}"})

    with pytest.raises(InvalidFileError, match=r"cannot be loaded: 'code/__torch__\.py': the operator 'save'"):
        load_neutone_model(written(tmp_path, hostile))
    assert calls == []


def test_what_was_judged_is_what_is_loaded(good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, good)
    load: Any = torch.jit.load

    def load_late(*args: Any, **options: Any) -> Any:
        path.write_bytes(b"something else")
        return load(*args, **options)

    monkeypatch.setattr(torch.jit, "load", load_late)
    model, metadata = load_neutone_model(path)

    assert metadata["model_name"] == "existing"
    assert model.calc_model_delay_samples() == 8


class Saves(nn.Module):
    def save(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.save(x)


def test_model_that_would_not_load_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match=r"load_neutone_model would refuse this model, .*the operator 'save'.*rename it"
    ):
        save_neutone_model(ExistingWrapper(Saves()), tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("which", [0, 1])
def test_good_files_of_this_and_of_older_versions_load_and_play(which: int, tmp_path: Path) -> None:
    model, _ = load_neutone_model(written(tmp_path, good_files()[which]))

    assert model(torch.zeros(2, 2048)).shape == (2, 2048)


@pytest.mark.parametrize("has_checksum", [True, False])
def test_changed_weights_are_another_model_if_the_checksum_says_so(
    has_checksum: bool, good: bytes, tmp_path: Path
) -> None:
    archive = zips.read(good)
    weights = next(each for each in archive.pieces if "/data/" in each.name and each.content)
    crc = None if has_checksum else zlib.crc32(weights.content)
    weights.content = bytes([weights.content[0] ^ 1]) + weights.content[1:]
    weights.crc = crc
    path = written(tmp_path, archive.write())

    if has_checksum:
        assert load_neutone_model(path)[1]["model_name"] == "existing"
        return
    with pytest.raises(InvalidFileError, match=r"model\.nm is not a model: it is damaged"):
        load_neutone_model(path)


@pytest.mark.skipif(sys.platform != "linux", reason="it measures through /proc")
def test_broken_files_are_refused_or_play() -> None:
    """A sample of the ten thousand of ``make fuzz``, of each kind of damage."""
    numbers = range(3 * len(DAMAGES))
    reports = list(fuzz(numbers, good_files()))

    assert [report for report in reports if report.ending not in ENDINGS] == []
    assert sorted(report.number for report in reports) == list(numbers)
    assert {report.damage for report in reports} == {damage.__name__ for damage in DAMAGES}
    assert {report.ending for report in reports} >= {"refused", "plays"}
