"""Which libraries go into a bundle: what the headers of libraries say, compared with what the loader finds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neutone_sdk.bundle.elf import check_relocatable, closure, read_dynamic
from neutone_sdk.errors import BundleError

from .bundle_parts import LEAF, NEEDS_TORCH, TORCH_LIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bundles are made on Linux only")


def test_they_are_those_that_the_loader_takes_from_torch() -> None:
    listed = subprocess.run(["ldd", NEEDS_TORCH], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    taken = {name: Path(file) for name, file in re.findall(r"^\s+(\S+) => (\S+)", listed, re.MULTILINE)}
    brought = {name: file for name, file in taken.items() if file.resolve().is_relative_to(TORCH_LIB.parents[1])}

    found = closure([NEEDS_TORCH], TORCH_LIB)

    assert {"libtorch_cpu.so", "libc10.so"} < found.keys()  # the latter is needed by the former
    assert found.keys() == brought.keys()
    assert all(found[name].samefile(brought[name]) for name in found)


def test_headers_are_read() -> None:
    dynamic = read_dynamic(NEEDS_TORCH)
    assert "libtorch_cpu.so" in dynamic.needed
    assert dynamic.folders(NEEDS_TORCH) == [TORCH_LIB]


def test_a_library_that_is_nowhere(tmp_path: Path) -> None:
    plugin = Path(shutil.copy(NEEDS_TORCH, tmp_path))
    with pytest.raises(BundleError, match=r"libtorch_cpu.so, which .*libtorch.so needs, is neither beside torch"):
        closure([plugin], tmp_path)


def test_a_library_that_looks_beside_itself_may_be_moved(tmp_path: Path) -> None:
    plugin = Path(shutil.copy(NEEDS_TORCH, tmp_path / "plugin.so"))
    check_relocatable({"plugin.so": plugin, "libtorch_cpu.so": LEAF})


def test_a_library_that_looks_elsewhere_may_not(tmp_path: Path) -> None:
    """$ORIGIN becomes $0RIGIN, in a copy."""
    content = NEEDS_TORCH.read_bytes()
    assert content.count(b"$ORIGIN") == 1
    plugin = tmp_path / "plugin.so"
    plugin.write_bytes(content.replace(b"$ORIGIN", b"/opt/ai"))
    with pytest.raises(
        BundleError, match=r"plugin.so does not look for libtorch_cpu.so in its own folder, but in /opt/ai"
    ):
        check_relocatable({"plugin.so": plugin, "libtorch_cpu.so": LEAF})


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"MZ" + bytes(200)])
def test_what_is_no_library(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "plugin.so").write_bytes(content)
    with pytest.raises(BundleError, match=r"plugin.so is no shared library that can be bundled"):
        read_dynamic(tmp_path / "plugin.so")


def test_cut_libraries_raise_nothing_else(tmp_path: Path) -> None:
    whole = NEEDS_TORCH.read_bytes()
    for size in range(0, len(whole), 97):
        (tmp_path / "plugin.so").write_bytes(whole[:size])
        try:
            read_dynamic(tmp_path / "plugin.so")
        except BundleError as error:
            assert "plugin.so" in str(error)  # noqa: PT017  # those that are read after all are no failure


def test_without_pyelftools_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "elftools.elf.elffile", None)
    with pytest.raises(BundleError, match=r"pip install 'neutone_sdk\[bundle\]'"):
        read_dynamic(NEEDS_TORCH)
