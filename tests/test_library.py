"""Finding and loading the operators, and what is said when that fails."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import neutone_sdk
from neutone_sdk import _library, _places
from neutone_sdk.errors import NeutoneError, OperatorLibraryError


def test_the_library_is_loaded_once() -> None:
    assert _library.load_ops_library() is _library.load_ops_library()
    assert str(_library.ops_library_path()) in torch.ops.loaded_libraries


def test_a_missing_library_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_places, "_folders", lambda: [tmp_path])
    with pytest.raises(OperatorLibraryError, match="not built") as caught:
        _library.ops_library_path()
    assert str(tmp_path) in str(caught.value)
    assert "make build" in str(caught.value)
    assert isinstance(caught.value, (NeutoneError, ImportError))


def test_a_library_for_something_else_says_what_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / _library.ops_library_path().name
    path.write_bytes(b"\x7fELF for another machine")
    with pytest.raises(OperatorLibraryError, match="reinstall the package") as caught:
        _library.register_operators(path)
    assert str(path) in str(caught.value)
    assert torch.__version__ in str(caught.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's symbols have versions, and files name them")
@pytest.mark.parametrize("library", ["GLIBC", "GLIBCXX"])
def test_a_library_for_a_newer_system_says_so(tmp_path: Path, library: str) -> None:
    content = _library.ops_library_path().read_bytes()
    newest = max(re.findall(rb"\0" + library.encode() + rb"_[\d.]+(?=\0)", content), key=len)
    wanted = newest[:-1] + (b"9" if newest[-1:] != b"9" else b"8") if library == "GLIBC" else newest[:-2] + b"99"
    path = tmp_path / "libneutone_ops.so"
    path.write_bytes(content.replace(newest + b"\0", wanted + b"\0"))
    with pytest.raises(OperatorLibraryError, match="needs a newer system") as caught:
        _library.register_operators(path)
    assert f"The file needs a newer system: {wanted[1:].decode()}, where this one has glibc 2." in str(caught.value)
    assert "--no-binary neutone_sdk" in str(caught.value)


IMPORT_ON_OLD_TORCH = """
import torch
torch.__version__ = "2.9.1+cpu"
import neutone_sdk
"""


def test_importing_on_a_torch_that_is_too_old_says_what_to_do() -> None:
    command = [sys.executable, "-c", IMPORT_ON_OLD_TORCH]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "neutone_sdk.errors.OperatorLibraryError: neutone_sdk needs torch 2.10 or newer, found 2.9.1+cpu; "
        "upgrade with: pip install 'torch>=2.10'"
    )


@pytest.mark.parametrize("version", ["2.9.1", "1.13.0+cu117"])
def test_a_torch_that_is_too_old_is_named(version: str) -> None:
    with pytest.raises(OperatorLibraryError, match=f"needs torch 2.10 or newer, found {version.partition('+')[0]}"):
        _library.check_torch_version(version)


@pytest.mark.parametrize("version", ["2.10.0", "2.13.0+cpu", "2.14.0a0+git123", "3.0.0"])
def test_a_newer_torch_will_do(version: str) -> None:
    _library.check_torch_version(version)  # raises otherwise; what is too old does, above
    assert tuple(int(part) for part in version.split(".")[:2]) >= _library.OLDEST_TORCH


TWO_COPIES = """
import sys, torch
for path in sys.argv[1:]:
    torch.ops.load_library(path)
import neutone_sdk
print(torch.ops.neutone.version(), torch.ops.neutone.fit_channels(torch.ones(1, 3), 2, 0, 3).shape)
"""


@pytest.mark.parametrize("first", ["ours", "a copy"])
def test_another_copy_in_the_process_does_no_harm(tmp_path: Path, first: str) -> None:
    ours, copy = _library.ops_library_path(), tmp_path / "copy_of_the_operators.so"
    copy.write_bytes(ours.read_bytes())
    paths = [ours, copy] if first == "ours" else [copy, ours]
    command = [sys.executable, "-c", TWO_COPIES, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stdout) == (0, f"{neutone_sdk.__version__} torch.Size([2, 3])\n"), result.stderr


def test_operators_of_another_version_are_refused() -> None:
    with pytest.raises(OperatorLibraryError, match=r"the operators in X have version 1\.2\.3, neutone_sdk has"):
        _library.check_operators_version("1.2.3", "in X")


@pytest.fixture(scope="module")
def not_installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sources and, so that they find torch, what is installed beside the package."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in Path(torch.__file__).parents[1].iterdir():
        if "neutone" not in path.name:
            (folder / path.name).symlink_to(path)
    sources = Path(_library.__file__).parent
    shutil.copytree(sources, folder / "neutone_sdk", ignore=shutil.ignore_patterns("__pycache__", "*neutone_ops*"))
    return folder


@pytest.mark.parametrize(
    ("is_built", "message"),
    [
        (False, r"OperatorLibraryError: the native operators of neutone_sdk are not built.*make build"),
        (True, r"OperatorLibraryError: the operators .* neutone_sdk has version unknown \(not inst.*pip install"),
    ],
    ids=["sources", "sources and operators"],
)
def test_a_checkout_that_is_not_installed_says_what_to_do(not_installed: Path, is_built: bool, message: str) -> None:
    library = not_installed / "neutone_sdk" / _library.ops_library_path().name
    library.unlink(missing_ok=True)
    if is_built:
        library.symlink_to(_library.ops_library_path())
    command = [
        sys.executable,
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(not_installed)!r}); import neutone_sdk",
    ]
    result = subprocess.run(command, cwd=not_installed, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 1
    assert re.search(message, result.stderr, re.DOTALL), result.stderr


IMPORT_PROBE = """
import logging, socket, sys, warnings
warnings.simplefilter("error")
def refuse(*arguments): raise AssertionError("network")
socket.socket.connect = refuse
import torch
def state():
    return (torch.get_num_threads(), torch.get_num_interop_threads(), logging.root.handlers[:], logging.root.level,
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.initial_seed(), warnings.filters[:])
before, modules = state(), set(sys.modules)
import neutone_sdk
assert state() == before, (before, state())
assert "neutone_sdk._native" not in sys.modules
new = {name.split(".")[0] for name in set(sys.modules) - modules}
print(*sorted(new - set(sys.stdlib_module_names)))
"""


def test_importing_from_anywhere_changes_nothing_and_brings_nothing_heavy(tmp_path: Path) -> None:
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", IMPORT_PROBE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    # What else is imported costs time in everybody's scripts: audio files, tables and command lines come when used.
    assert set(result.stdout.split()) <= {"neutone_sdk", "__editable___neutone_sdk_finder", "_neutone_sdk_editable"}
