"""What the C++ host says of files that it cannot play, or that need what is not there: one clear error, no crash."""

import io
import json
import os
import pickle
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from neutone_sdk import _version
from neutone_sdk.utils import save_neutone_model

from .corpus import zips
from .helpers_existing import Halve, Hosted, Integrates, exported
from .native_host import (
    FOLDER,
    OPERATORS,
    ROOT,
    Clip,
    Integer,
    RawModel,
    RawScript,
    neutone_host,
    probe,
    saved,
    start,
    written,
)
from .wrappers import PassThrough, card

VERSION = _version.__version__


@pytest.fixture(scope="module")
def native() -> bytes:
    return exported(Hosted, Integrates).content


def said_of(content: bytes, folder: Path, command: str = "open", **environment: str) -> str:
    path = folder / "model.nm"
    path.write_bytes(content)
    (line,) = probe(command, path, **environment)
    assert line.count("model.nm") <= 2  # the probe says it, and the message
    return line


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


def torch_pickle() -> bytes:
    file = io.BytesIO()
    torch.save({"weights": torch.zeros(3)}, file)
    return file.getvalue()


def without_metadata() -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Halve()), file)
    return file.getvalue()


def with_metadata(content: bytes, **changes: object) -> bytes:
    archive = zips.read(content)
    piece = archive.piece("extra/metadata.json")
    piece.content = json.dumps(json.loads(piece.content) | changes).encode()
    return archive.write()


DAMAGED = r"is not a model: it is damaged, truncated, or no TorchScript archive"


NO_MODELS: list[tuple[Callable[[], bytes], str]] = [
    (lambda: b"", DAMAGED),
    (lambda: b"RIFF\x00\x00WAVEfmt " * 99, DAMAGED),
    (lambda: pickle.dumps({"a": 1}), DAMAGED),
    (lambda: zipped(readme="text"), DAMAGED),
    (torch_pickle, "is an archive without metadata.json; export it"),
    (without_metadata, "is an archive without metadata.json; export it"),
    (lambda: saved(Halve(), '"' + "x" * (16 << 20) + '"'), r"its metadata\.json is longer than 16 MiB"),
    (lambda: saved(Halve()), "holds no model that was wrapped for a host"),
    (lambda: saved(Integer()), "holds no model that was wrapped for a host"),
    (lambda: saved(Clip()), "renders whole clips; hosts play real-time models only"),
    (lambda: saved(RawScript(nn.Identity())), "its wrapped model has no method reset"),
    (
        lambda: saved(RawScript(RawModel("no rate"))),
        r"cannot say what it plays: get_native_sample_rates\(\) must return numbers of at least 1",
    ),
]


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    files = written((make() for make, _ in NO_MODELS), tmp_path)

    lines = probe("open", *files)

    for line, file, (_, message) in zip(lines, files, NO_MODELS, strict=True):
        assert re.search(f"^{file}: LoadError: {file}:? .*{message}", line)


def test_truncated_and_damaged_files_are_refused(native: bytes, tmp_path: Path) -> None:
    lengths = [len(native) * tenth // 10 for tenth in range(1, 10)] + [len(native) - lost for lost in (1, 22, 64)]
    contents = [native[:length] for length in lengths]
    for name in ("extra/metadata.json", "data.pkl", "constants.pkl"):
        at = native.index(zips.read(native).piece(name).content)
        contents.append(native[:at] + bytes(16) + native[at + 16 :])
    files = written(contents, tmp_path)

    lines = probe("open", *files)

    assert len(lines) == len(files)
    assert [
        line for line in lines if not re.search(f"LoadError: .*({DAMAGED}|torch cannot load|is not JSON)", line)
    ] == []


def test_a_file_that_is_not_there_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.nm"
    huge.touch()
    os.truncate(huge, (2 << 30) + 1)  # nothing of it lies on the disk

    missing, folder, device, too_long = probe("open", tmp_path / "none.nm", tmp_path, "/dev/zero", huge)

    assert f"LoadError: there is no file {tmp_path}/none.nm; check its name" in missing
    assert f"LoadError: {tmp_path} is a folder; name the model.nm" in folder
    assert "LoadError: /dev/zero is no regular file" in device
    assert f"LoadError: {huge} is no model: it has 2147483649 bytes, a model at most 2 GiB" in too_long


# What files need.


@pytest.mark.parametrize(
    ("needed", "loads"), [("99.0.0", False), ("2.99.1", False), (VERSION, True), ("2.0.99", True), ("1.0.0", True)]
)
def test_operators_may_not_be_older_than_those_of_the_file(
    needed: str, loads: bool, native: bytes, tmp_path: Path
) -> None:
    line = said_of(with_metadata(native, required_ops={"neutone": needed}), tmp_path)

    if loads:
        assert line.endswith("good")
    else:
        expected = (
            f"needs neutone operators of version {needed}, this process has those of {VERSION}; take libneutone_ops"
        )
        assert f"LoadError: {tmp_path}/model.nm {expected}" in line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flavour": "future"}, "its flavour is future, here native and portable are known; it needs a newer host"),
        ({"required_ops": {}}, "but its metadata do not ask for neutone operators; export it again"),
    ],
)
def test_metadata_that_contradict_the_code(
    changes: dict[str, Any], message: str, native: bytes, tmp_path: Path
) -> None:
    line = said_of(with_metadata(native, **changes), tmp_path)

    assert "LoadError" in line
    assert message in line


def in_newer_format(content: bytes) -> bytes:
    archive = zips.read(content)
    for piece in archive.named("version"):
        piece.content = b"99\n"
    return archive.write()


def with_unknown_operator(content: bytes) -> bytes:
    archive = zips.read(content)
    for piece in archive.named(".py"):
        piece.content = piece.content.replace(b"torch.cumsum(", b"torch.cumulate(")
    return archive.write()


@pytest.mark.parametrize(
    ("change", "message"),
    [(in_newer_format, "version"), (with_unknown_operator, "it uses the operator aten::cumulate, which is not here")],
)
def test_a_file_that_needs_a_newer_torch_says_which(
    change: Callable[[bytes], bytes], message: str, native: bytes, tmp_path: Path
) -> None:
    line = said_of(change(with_metadata(native, pytorch_version="9.9.0")), tmp_path)

    assert "LoadError" in line
    assert message in line
    if change is with_unknown_operator:
        assert "it was made with torch 9.9.0, here is torch " + torch.__version__.split("+")[0] in line


# Operators.


def test_operators_are_loaded_once_from_one_place(tmp_path: Path) -> None:
    link, copy = tmp_path / "link.so", tmp_path / "copy.so"
    link.symlink_to(OPERATORS)
    shutil.copy(OPERATORS, copy)

    first, again, linked, other, after = probe("operators", OPERATORS, OPERATORS, link, copy, OPERATORS)

    for line in (first, again, linked, after):
        assert line.endswith(f": version {VERSION}")
    assert "LoadError: the neutone operators are loaded already, from" in other
    assert f"a process can have them from one place only, and {copy} is another" in other


def test_operators_that_another_plugin_has_brought_along_serve_this_one_too(tmp_path: Path) -> None:
    """What a second library would register is there already."""
    shutil.copy(OPERATORS, tmp_path / "copy.so")

    (line,) = probe("beside", tmp_path / "copy.so", OPERATORS)

    assert line.endswith(f": version {VERSION}")


def test_operators_are_looked_for_beside_the_program_and_then_beside_torch(native: bytes, tmp_path: Path) -> None:
    program = tmp_path / "program" / "host_probe"
    in_site_packages = tmp_path / "neutone_sdk" / OPERATORS.name
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "lib").symlink_to(Path(torch.__file__).parent / "lib")
    for source, target in ((FOLDER / "host_probe", program), (OPERATORS, in_site_packages)):
        target.parent.mkdir()
        shutil.copy(source, target)
    (file,) = written([native], tmp_path)

    def taken() -> str:
        return start(str(program), "after", file, OPERATORS, LD_LIBRARY_PATH=f"{tmp_path}/torch/lib").stdout

    assert f"loaded already, from {in_site_packages};" in taken()
    shutil.copy(OPERATORS, program.parent)
    assert f"loaded already, from {program.parent / OPERATORS.name};" in taken()


def test_what_is_no_operator_library_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library")
    foreign = next(Path(torch.__file__).parent.glob("lib/libgomp*"))

    missing, folder, no_library, of_others, good = probe(
        "operators", tmp_path / "none.so", tmp_path, text, foreign, OPERATORS
    )

    assert f"LoadError: there is no operator library at {tmp_path}/none.so; it is libneutone_ops" in missing
    assert f"LoadError: there is no operator library at {tmp_path};" in folder
    assert f"LoadError: cannot load the operator library {text}" in no_library
    assert "is no library of neutone operators: it has registered none" in of_others
    assert good.endswith(f": version {VERSION}")  # what failed is no obstacle


def test_without_operators_native_files_are_refused_and_portable_ones_play(native: bytes, tmp_path: Path) -> None:
    save_neutone_model(
        PassThrough(nn.Identity(), card=card()), tmp_path, max_n_samples=0, flavour="portable", speed_benchmark=False
    )
    portable = (tmp_path / "model.nm").rename(tmp_path / "portable.nm")

    line = said_of(native, tmp_path, NEUTONE_OPS_LIBRARY="/nowhere/libneutone_ops.so")

    assert "LoadError: there is no operator library at /nowhere/libneutone_ops.so" in line
    assert probe("open", portable, NEUTONE_OPS_LIBRARY="/nowhere")[0].endswith(": good")


def test_the_command_says_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    result = neutone_host("info", tmp_path / "none.nm")

    assert result == (1, "", f"neutone-host: there is no file {tmp_path}/none.nm; check its name\n")
    assert start("neutone-host", "play").returncode == 2


def test_one_file_knows_torch_and_none_python() -> None:
    sources = [path for path in (ROOT / "csrc" / "host").rglob("*.*") if path.suffix in (".h", ".cpp")]
    including = [
        path.name
        for path in sources
        if re.search(r"#include <(torch|ATen|c10|caffe2|Python)", path.read_text(encoding="utf-8"))
    ]
    assert len(sources) > 10
    assert including == ["model.cpp"]
    needed = subprocess.run(["ldd", FOLDER / "neutone-host"], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    assert "libtorch_cpu" in needed
    assert "libpython" not in needed
