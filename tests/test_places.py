"""``python -m neutone_sdk --cmake-dir`` and the like: answered without torch, and only where they are asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neutone_sdk import __version__, _places, ops_library_path

from .conftest import Result

ROOT = Path(__file__).parents[1]


def python(folder: Path, *arguments: str) -> Result:
    """Run Python in a folder whose modules come before all others."""
    path = os.pathsep.join([str(folder), str(ROOT), *sys.path])
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def torchless(tmp_path: Path) -> Path:
    """Where importing torch ends the process."""
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')\n")
    return tmp_path


@pytest.mark.parametrize("module", [["-m", "neutone_sdk"], ["-mneutone_sdk"], ["-X", "dev", "-m", "neutone_sdk"]])
def test_answers_come_without_torch_in_the_order_of_the_questions(torchless: Path, module: list[str]) -> None:
    result = python(torchless, *module, "--ops-library", "--version")
    assert result == (0, f"{ops_library_path()}\n{__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["info", "--version"], ["--version", "--nonsense"]])
def test_everything_else_is_for_the_command(torchless: Path, arguments: list[str]) -> None:
    assert python(torchless, "-m", "neutone_sdk", *arguments) == (1, "", "torch was imported\n")


def test_another_module_that_imports_the_package_is_asked_itself(torchless: Path) -> None:
    (torchless / "others").mkdir()
    (torchless / "others" / "__init__.py").write_text("import neutone_sdk\n")
    (torchless / "others" / "__main__.py").touch()
    assert python(torchless, "-m", "others", "--version") == (1, "", "torch was imported\n")


def test_a_program_without_arguments_imports_as_any_other(torchless: Path) -> None:
    assert python(torchless, "-c", "import sys; del sys.argv; import neutone_sdk").stderr == "torch was imported\n"


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_places, "_folders", lambda: [tmp_path])
    monkeypatch.setattr(sys, "argv", ["-m", "--cmake-dir"])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "neutone_sdk", "--cmake-dir"])
    message = (
        rf"Error: the files for CMake of neutone_sdk are not built. Looked for\n  {tmp_path}/share/cmake/neutone\n.*"
    )
    with pytest.raises(SystemExit, match=message) as caught:
        _places.answer()
    assert "pip install neutone_sdk" in str(caught.value)


def test_an_editable_install_finds_what_was_built_beside_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "sources", tmp_path / "built"]
    monkeypatch.setattr(_places, "_folders", lambda: folders)
    (folders[1] / "include").mkdir(parents=True)
    assert _places.find(_places.PARTS["--include-dir"]) == folders[1] / "include"
    assert _places.find(_places.OPERATORS) is None
