"""The wheel, and the environment that it was installed into, as `make test-consumer` has made both."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Result

ROOT = Path(__file__).parents[2]
PROJECTS = Path(__file__).parent
WHEELS = ROOT / "build" / "wheel"
FRESH_PYTHON = ROOT / "build" / "fresh" / "bin" / "python"


def the_wheel() -> Path:
    """Return the only wheel that there is."""
    wheels = [*WHEELS.glob("*.whl")]
    if len(wheels) != 1 or not FRESH_PYTHON.exists():
        pytest.fail(f"there has to be one wheel in {WHEELS}, and {FRESH_PYTHON}; run: make test-consumer")
    return wheels[0]


def unpacked_wheel(folder: Path) -> Path:
    """Unpack the wheel, as `pip install --target` does, and return the folder, which has no torch beside it."""
    with zipfile.ZipFile(the_wheel()) as archive:
        archive.extractall(folder)
    return folder


def start(*command: object, folder: Path | None = None, **environment: str) -> Result:
    """Run a program of which nothing of this process may help: neither its variables nor its packages."""
    clean = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    clean["PATH"] = os.pathsep.join(
        p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != ROOT / ".venv" / "bin"
    )
    done = subprocess.run(  # noqa: S603
        [*map(str, command)], cwd=folder, env=clean | environment, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def succeed(*command: object, folder: Path | None = None, **environment: str) -> str:
    """Run a program that has to exit with 0, and return what it prints."""
    result = start(*command, folder=folder, **environment)
    assert result.returncode == 0, (command, result)
    return result.stdout


def fresh(*arguments: object, folder: Path | None = None, **environment: str) -> str:
    """What Python of the environment prints; `folder` must not be this repository, whose package would come first."""
    return succeed(FRESH_PYTHON, *arguments, folder=folder or FRESH_PYTHON.parent, **environment)


def configure(source: Path, build: Path, *options: object) -> Result:
    """Run CMake on somebody's project."""
    return start("cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", *options)


def build(source: Path, folder: Path, *options: object) -> Path:
    """Configure and build somebody's project, and return the folder."""
    result = configure(source, folder, *options)
    assert result.returncode == 0, result
    succeed("cmake", "--build", folder, "--parallel", 2)
    return folder
