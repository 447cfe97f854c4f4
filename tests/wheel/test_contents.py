"""What lies in the wheels of dist/, any platform's: files, sizes, and what the libraries ask of the system.

Run by ``make wheel``. Libraries for Linux are read as nm and readelf would, for any processor; those for macOS and
Windows have been through delocate and delvewheel, and only their names are known here.
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

ROOT = Path(__file__).parents[2]
WHEELS = sorted((ROOT / "dist").glob("*.whl"))
MAX_BYTES = 3_000_000
PYTHON = re.compile(r"_?Py[A-Z_]")
# C++ names of torch's, mangled: at::, c10::, torch:: and caffe2:: as the outermost namespace of anything in the name.
TORCH_CPP = re.compile(r"_Z\w*N?K?(?<!\d)(2at|3c10|5torch|6caffe2)\d")
# The stable ABI: plain C, made to stay.
TORCH_C = re.compile(r"(aoti_)?torch_\w+")
TORCH_LIBRARIES = {"libtorch.so", "libtorch_cpu.so", "libc10.so"}
SYSTEM_LIBRARIES = re.compile(r"lib(stdc\+\+|gcc_s|m|c|pthread|dl|rt)\.so\.\d+|ld-linux-[\w-]+\.so\.\d+")
FOREIGN = re.compile(r"(__pycache__|\.pyc$|(^|/)(tests|benchmarks|build|\.git)/|\.o$|CMakeCache)")


def libraries_of(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the shared libraries for Linux in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if content[:4] == b"\x7fELF":
                yield name, content


LIBRARIES = [pytest.param(wheel, name, content, id=name) for wheel in WHEELS for name, content in libraries_of(wheel)]
each_wheel = pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.name)
each_library = pytest.mark.parametrize(("wheel", "name", "content"), LIBRARIES)


def dynamic_of(content: bytes) -> tuple[list[str], list[str]]:
    """Return which libraries one needs, and the folders of its RUNPATH."""
    section: Any = ELFFile(BytesIO(content)).get_section_by_name(".dynamic")  # whose tags have attributes as they come
    needed = [tag.needed for tag in section.iter_tags("DT_NEEDED")]
    assert not list(section.iter_tags("DT_RPATH")), "RPATH goes before LD_LIBRARY_PATH and is inherited; RUNPATH is not"
    return needed, [part for tag in section.iter_tags("DT_RUNPATH") for part in tag.runpath.split(":")]


def symbols_of(content: bytes) -> tuple[set[str], set[str]]:
    """Return the names that a library asks for, and those that it offers to all."""
    section = ELFFile(BytesIO(content)).get_section_by_name(".dynsym")
    assert isinstance(section, SymbolTableSection)
    undefined = {symbol.name for symbol in section.iter_symbols() if symbol["st_shndx"] == "SHN_UNDEF"}
    defined = {symbol.name for symbol in section.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF"}
    return undefined - {""}, defined


def newest_glibc(content: bytes) -> tuple[int, ...]:
    """Return the newest version of the C library that a library asks for."""
    section = ELFFile(BytesIO(content)).get_section_by_name(".gnu.version_r")
    assert isinstance(section, GNUVerNeedSection)
    names = [auxiliary.name for _, auxiliaries in section.iter_versions() for auxiliary in auxiliaries]
    return max(
        tuple(int(part) for part in name.removeprefix("GLIBC_").split("."))
        for name in names
        if re.fullmatch(r"GLIBC_[\d.]+", name)
    )


def test_there_is_a_wheel_and_what_it_is_built_from() -> None:
    assert WHEELS
    assert len(list((ROOT / "dist").glob("*.tar.gz"))) == 1
    versions = {file.name.split("-")[1].removesuffix(".tar.gz") for file in (ROOT / "dist").iterdir()}
    assert len(versions) == 1, versions


@each_wheel
def test_it_has_what_it_promises_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if FOREIGN.search(name)]
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {top for top in tops if not re.fullmatch(r"neutone_sdk-.*\.(dist-info|data)|neutone_sdk\.libs", top)} == {
        "neutone_sdk",
        "neutone_command",
    }
    for pattern in (
        r"neutone_sdk/(lib)?neutone_ops\.(so|dylib|dll)",
        r"neutone_sdk/_native\.[\w.-]+\.(so|pyd)",
        r"neutone_sdk/py\.typed",
        r"neutone_sdk/__init__\.py",
        r".*\.dist-info/licenses/LICENSE",
    ):
        assert len([name for name in names if re.fullmatch(pattern, name)]) == 1, pattern


@each_wheel
def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= MAX_BYTES


@each_wheel
def test_no_file_names_a_folder_of_the_machine_that_built_it(wheel: Path) -> None:
    # Where builds run: here, in cibuildwheel's containers, on GitHub's machines, in pip's temporary folders.
    folders = (str(ROOT).encode(), b"/tmp/", b"/project/", b"/home/", b"/Users/", b"/root/", b"D:\\a\\")
    with zipfile.ZipFile(wheel) as archive:
        found = [(name, folder) for name in archive.namelist() for folder in folders if folder in archive.read(name)]
    assert found == []


@each_library
def test_a_library_needs_the_system_and_torch_only(wheel: Path, name: str, content: bytes) -> None:
    needed, _ = dynamic_of(content)
    assert {one for one in needed if not SYSTEM_LIBRARIES.fullmatch(one)} <= TORCH_LIBRARIES


@each_library
def test_a_library_is_found_wherever_it_is_put(wheel: Path, name: str, content: bytes) -> None:
    needed, folders = dynamic_of(content)
    assert all(folder.startswith("$ORIGIN") for folder in folders), folders
    beside = {str(PurePosixPath(name).parent / folder.removeprefix("$ORIGIN/")) for folder in folders}
    if (
        TORCH_LIBRARIES & set(needed) and len(PurePosixPath(name).parts) == 2
    ):  # others are copied to where they are used
        assert "neutone_sdk/../torch/lib" in beside


@each_library
def test_a_library_runs_where_the_name_of_the_wheel_says(wheel: Path, name: str, content: bytes) -> None:
    promised = re.search(r"manylinux_(\d+)_(\d+)_", wheel.name)
    assert promised, "only auditwheel may say where a wheel runs"
    assert newest_glibc(content) <= (int(promised[1]), int(promised[2]))


@each_library
def test_the_operators_know_neither_python_nor_torchs_cpp(wheel: Path, name: str, content: bytes) -> None:
    undefined, defined = symbols_of(content)
    if "neutone_ops" in name:
        assert [symbol for symbol in undefined if PYTHON.match(symbol)] == []
        assert [symbol for symbol in undefined if TORCH_CPP.search(symbol)] == []
        assert [symbol for symbol in undefined if TORCH_C.fullmatch(symbol)], "it is not linked with torch's stable ABI"
        assert [symbol for symbol in defined if "neutone" in symbol] == [], "what a host has of its own would clash"
    elif "_native" in name:
        assert [symbol for symbol in undefined if TORCH_CPP.search(symbol) or TORCH_C.fullmatch(symbol)] == []
        assert {symbol for symbol in defined if "neutone" in symbol or symbol.startswith("Py")} == {"PyInit__native"}


@pytest.mark.parametrize(
    ("symbol", "is_torchs"),
    [
        ("_ZN3c106detail14torchCheckFailEPKcS2_jS2_", True),
        ("_ZNK2at10TensorBase4sizeEl", True),
        ("_ZTIN5torch8autograd4NodeE", True),
        ("_ZNSt6vectorIN2at6TensorESaIS1_EE17_M_realloc_insertEv", True),
        ("_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE", False),
        ("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE9_M_createERmm", False),
        ("_ZNSt8__detail15_List_node_base7_M_hookEPS0_", False),
        ("_ZSt24__throw_out_of_range_fmtPKcz", False),
    ],
)
def test_names_of_torchs_cpp_are_told_from_others(symbol: str, is_torchs: bool) -> None:
    assert bool(TORCH_CPP.search(symbol)) == is_torchs
