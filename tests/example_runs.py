"""Runs the examples as users do: each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("example_*.py"))


class ExampleRun(NamedTuple):
    """What a run of an example leaves behind."""

    model: Path
    printed: str


def start(script: Path, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *map(str, arguments)]
    # Matplotlib keeps its cache where the test may write; threads of several tests would wait for each other.
    environment = {**os.environ, "MPLCONFIGDIR": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def run(script: Path, *arguments: object, folder: Path) -> str:
    result = start(script, *arguments, folder=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout
