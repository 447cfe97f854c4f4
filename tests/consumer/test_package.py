"""``find_package(neutone CONFIG)``: what each component needs, and what is said where that is missing."""

import json
import re
import shutil
from pathlib import Path

import pytest

from .installed import PROJECTS, build, configure, fresh, succeed, unpacked_wheel

NO_TORCH = "-DPython_EXECUTABLE=/nonexistent/python"
CONSUMER = """
cmake_minimum_required(VERSION 3.25)
set(LANGUAGE CXX CACHE STRING "")
project(asker LANGUAGES ${LANGUAGE})
find_package(neutone ${VERSION} CONFIG REQUIRED COMPONENTS ${COMPONENTS})
foreach(target dsp engine ops host)
  if(TARGET neutone::${target})
    message(STATUS "target ${target}")
  endif()
endforeach()
message(STATUS "version ${neutone_VERSION}")
"""


@pytest.fixture
def asker(tmp_path: Path) -> Path:
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER)
    return tmp_path


def contents(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*")}


def test_the_engine_needs_no_torch_and_its_folder_is_only_read(without_torch: Path, tmp_path: Path) -> None:
    """Whoever writes into it changes it, also where nothing is read-only for the user that runs the tests."""
    before = contents(without_torch)
    prefix = f"-DCMAKE_PREFIX_PATH={without_torch / 'neutone_sdk'}"
    for path in before:
        path.chmod(path.stat().st_mode & ~0o222)
    folder = build(PROJECTS / "engine", tmp_path, prefix, NO_TORCH, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")

    assert succeed(folder / "halver") == "latency 63\n"
    assert contents(without_torch) == before
    commands = {Path(c["file"]).name: c["command"] for c in json.loads((folder / "compile_commands.json").read_text())}
    assert re.findall(r" -[Wf](?!PIC)\S+", commands["plugin.cpp"]) == []  # no warning or sanitizer of ours
    assert (folder / "libneutone_ops.so").is_file()


def test_the_host_finds_torch_by_any_of_the_ways_that_are_documented(without_torch: Path, asker: Path) -> None:
    torch_cmake, torch_root = fresh(
        "-c", "import torch, os; print(torch.utils.cmake_prefix_path); print(os.path.dirname(torch.__file__))"
    ).split()
    neutone = without_torch / "neutone_sdk"
    python = fresh("-c", "import sys; print(sys.executable)").strip()
    for index, options in enumerate(
        [
            (NO_TORCH, f"-DCMAKE_PREFIX_PATH={neutone};{torch_cmake}"),
            (NO_TORCH, f"-DCMAKE_PREFIX_PATH={neutone}", f"-DTorch_DIR={torch_cmake}/Torch"),
            (NO_TORCH, f"-DCMAKE_PREFIX_PATH={neutone}", f"-DTORCH_ROOT={torch_root}"),
            (f"-DPython_EXECUTABLE={python}", f"-DCMAKE_PREFIX_PATH={neutone}"),
        ]
    ):
        result = configure(asker, asker / str(index), "-DCOMPONENTS=host", *options)
        assert (result.returncode, re.findall("target (.*)", result.stdout)) == (0, ["dsp", "engine", "ops", "host"])


def fake_torch(folder: Path, version: str) -> None:
    for name in ("include/torch", "share/cmake/Torch"):
        (folder / name).mkdir(parents=True)
    (folder / "version.py").write_text(f"__version__ = '{version}+cpu'\n")


def test_of_several_torches_the_first_in_the_order_of_the_page_is_taken(asker: Path) -> None:
    package = unpacked_wheel(asker / "site-packages")
    python = asker / "python"
    python.write_text(f"#!/bin/sh\necho {asker / 'of python'}\n")
    python.chmod(0o755)
    ways = [
        (asker / "root", (f"-DTORCH_ROOT={asker / 'root'}",)),
        (asker / "dir", (f"-DTorch_DIR={asker / 'dir' / 'share' / 'cmake' / 'Torch'}",)),
        (asker / "prefix", (f"-DCMAKE_PREFIX_PATH={asker / 'prefix' / 'share' / 'cmake'}",)),
        (package / "torch", ()),
        (asker / "of python", (f"-DPython_EXECUTABLE={python}",)),
    ]
    for folder, _ in ways:
        fake_torch(folder, "2.9.1")
    neutone = f"-Dneutone_DIR={package / 'neutone_sdk' / 'share' / 'cmake' / 'neutone'}"

    for index, (folder, _) in enumerate(ways):
        options = [option for _, each in ways[index:] for option in each]
        result = configure(asker, asker / str(index), "-DCOMPONENTS=host", neutone, *options)
        said = " ".join(result.stderr.split())
        assert re.search(rf"neutone::host: the torch in {folder}/? has version 2\.9\.1\.", said), said
        shutil.rmtree(folder)


def test_without_components_there_is_what_can_be(without_torch: Path, asker: Path) -> None:
    prefix = f"-DCMAKE_PREFIX_PATH={without_torch / 'neutone_sdk'}"
    result = configure(asker, asker / "build", prefix, NO_TORCH)
    assert result.returncode == 0, result
    assert re.findall("-- (?:target|version|Without) (.*)", result.stdout)[1:] == ["dsp", "engine", "ops", "2.0.0"]
    assert "Without neutone::host: there is no torch." in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-DLANGUAGE=C",), r"neutone is C\+\+: enable the language CXX before find_package, as project\("),
        (
            ("-DCOMPONENTS=host",),
            r"neutone::host: there is no torch\. Install it \(pip install torch\), and set Python_E",
        ),
        (
            ("-DCOMPONENTS=host", "-DTORCH_ROOT={old}"),
            r"neutone::host: the torch in \S*/old has version 2\.9\.1\. Install 2\.10 or newer \(pip install 'torch>=2",
        ),
        (
            ("-DCOMPONENTS=host", "-DTORCH_ROOT={broken}"),
            r"neutone::host: the torch in \S*/broken lacks headers or libtorch_cpu\. Install it again",
        ),
        (
            ("-DCOMPONENTS=host", "-DTORCH_ROOT={torch}", "-DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON"),
            r"neutone::host: there is no nlohmann_json\. Install it \(Debian: nlohmann-json3-dev, macOS: brew",
        ),
        (("-DCOMPONENTS=hots",), r"neutone::hots: there is no such component; there are dsp, engine, ops and host\."),
        (("-DVERSION=3.0",), r'compatible with requested version "3\.0".*neutone-config\.cmake, version: 2\.0\.0'),
    ],
    ids=["no C++", "no torch", "old torch", "broken torch", "no nlohmann_json", "no such component", "newer"],
)
def test_what_is_missing_is_said_with_a_remedy(
    without_torch: Path, asker: Path, options: tuple[str, ...], message: str
) -> None:
    torch = fresh("-c", "import torch, os; print(os.path.dirname(torch.__file__))").strip()
    for name, version in (("old", "2.9.1"), ("broken", "2.13.0")):
        fake_torch(asker / name, version)
    filled = [option.format(old=asker / "old", broken=asker / "broken", torch=torch) for option in options]

    prefix = f"-DCMAKE_PREFIX_PATH={without_torch / 'neutone_sdk'}"
    result = configure(asker, asker / "build", prefix, NO_TORCH, *filled)

    assert result.returncode == 1
    assert re.search(message, " ".join(result.stderr.split())), result.stderr
    assert result.stderr.count("CMake Error") == 1
