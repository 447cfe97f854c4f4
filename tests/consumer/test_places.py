"""``python -m neutone_sdk --cmake-dir`` and the like, and packages that lie in an archive."""

import shutil
import sys
from pathlib import Path

import pytest

from .installed import FRESH_PYTHON, ROOT, fresh, start, succeed

OPTIONS = ("--cmake-dir", "--include-dir", "--ops-library", "--version")


def test_the_installed_package_says_where_its_parts_are() -> None:
    cmake, include, library, version = fresh("-m", "neutone_sdk", *OPTIONS).splitlines()
    assert (Path(cmake) / "neutone-config.cmake").is_file()
    assert (Path(include) / "neutone" / "engine" / "engine.h").is_file()
    assert Path(library).is_file()
    assert fresh("-c", "import importlib.metadata as m; print(m.version('neutone_sdk'))") == f"{version}\n"


def test_so_does_an_editable_one() -> None:
    """What is built for it lies elsewhere than its sources."""
    cmake, include, library, _ = succeed(ROOT / ".venv" / "bin" / "python", "-m", "neutone_sdk", *OPTIONS).splitlines()
    assert (Path(cmake) / "neutone-config.cmake").is_file()
    assert (Path(include) / "neutone" / "engine" / "engine.h").is_file()
    assert Path(library).is_file()


def test_so_does_one_that_has_neither_torch_nor_anything_else(without_torch: Path, tmp_path: Path) -> None:
    base = Path(sys._base_executable)  # type: ignore[attr-defined]
    printed = succeed(base, "-S", "-m", "neutone_sdk", *OPTIONS, folder=tmp_path, PYTHONPATH=str(without_torch))
    package = without_torch / "neutone_sdk"
    assert printed.splitlines()[:2] == [str(package / "share" / "cmake" / "neutone"), str(package / "include")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-c", "import neutone_sdk"], "OperatorLibraryError: neutone_sdk lies in an archive: {archive}/neutone_sdk\n"),
        (["-m", "neutone_sdk", "--cmake-dir"], "Error: neutone_sdk lies in an archive: {archive}/neutone_sdk\n"),
    ],
    ids=["import", "command"],
)
def test_a_package_in_an_archive_says_that_it_has_to_be_unpacked(
    without_torch: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    archive = shutil.make_archive(str(tmp_path / "packages"), "zip", without_torch)
    result = start(FRESH_PYTHON, *arguments, folder=tmp_path, PYTHONPATH=archive)
    assert result.returncode == 1
    assert message.format(archive=archive) in result.stderr
    assert "pip install neutone_sdk" in result.stderr
