"""What the tests in hosts start: programs in processes of their own, without anything of this package's or torch's."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "plugins"
BUNDLES = BUILD / "bundles"
TOOLS = BUILD / "tests" / "hosts"
PYTHON = ROOT / "build" / "hosts-venv" / "bin" / "python"  # has hosts, and no torch

PATIENCE_S = 120  # a busy machine takes its time; what takes longer will never happen


def find(program: str | Path) -> str:
    """Return the path of a program; a missing one fails the tests, it does not skip them."""
    found = shutil.which(program)
    assert found is not None, f"{program} is missing: run `make hosts` for hosts, `make plugins` for what we build"
    return found


def bundle(suffix: str, channels: int) -> Path:
    """Return where the plugin is in one format, ``.vst3``, ``.clap`` or ``.lv2``."""
    path = BUNDLES / f"neutone_example{'_mono' if channels == 1 else ''}{suffix}"
    assert path.exists(), f"{path} is missing: run `make plugins`"
    return path


def environment(model: Path | None, **variables: object) -> dict[str, str]:
    """Return variables for a host that plays ``model``, and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    chosen = {} if model is None else {"NEUTONE_MODEL": str(model)}
    return {**kept, **chosen, **{name: str(value) for name, value in variables.items()}}


def run(command: Sequence[object], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a host to its end, which has to be a good one."""
    program, *arguments = map(str, command)
    result = subprocess.run(  # noqa: S603
        [find(program), *arguments], env=variables, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert result.returncode == 0, f"{program} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result
