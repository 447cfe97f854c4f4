"""Which wheels cibuildwheel would build, asked of itself: none of it can run here but that for Linux on x86-64."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
PYTHONS = ("cp310", "cp311", "cp312", "cp313", "cp314")
PLATFORMS = {
    "linux": ("manylinux_x86_64", "manylinux_aarch64"),
    "macos": ("macosx_arm64",),
    "windows": ("win_amd64",),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_builds_what_torch_has_wheels_for(platform: str) -> None:
    command = [sys.executable, "-m", "cibuildwheel", "--platform", platform, "--print-build-identifiers"]
    if platform != "linux":
        command += ["--archs", {"macos": "arm64", "windows": "AMD64"}[platform]]
    else:
        command += ["--archs", "x86_64,aarch64"]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    expected = {f"{python}-{tag}" for python in PYTHONS for tag in PLATFORMS[platform]}
    assert set(result.stdout.split()) == expected


def test_the_configuration_is_what_cibuildwheel_knows() -> None:
    tomllib = pytest.importorskip("tomllib")
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    schema = json.loads(files("cibuildwheel.resources").joinpath("cibuildwheel.schema.json").read_text())
    jsonschema.validate(configuration, schema)
