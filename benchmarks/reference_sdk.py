"""The environment of the SDK to compare with, made the first time that somebody asks for it.

It has a stub for torchaudio: the reference needs only the name at import, and torchaudio does not fit this torch.
"""

import subprocess
import sys
import venv
from pathlib import Path

REFERENCE = "neutone_sdk==1.5.2"
TORCH = "torch==2.13.0"
ENVIRONMENT = Path("build/reference_sdk")


def reference_python() -> Path:
    """Return the Python of the reference's environment."""
    python = ENVIRONMENT.absolute() / "bin" / "python"
    ready = ENVIRONMENT / ".ready"
    if ready.exists():
        return python
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    for packages in (
        [TORCH],
        ["--no-deps", REFERENCE],
        ["click<9", "jsonschema<5", "numpy", "requests", "soundfile", "tqdm"],
    ):
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)  # noqa: S603
    (packages_folder,) = ENVIRONMENT.glob("lib/python*/site-packages")
    stub = packages_folder / "torchaudio"
    stub.mkdir(exist_ok=True)
    (stub / "__init__.py").touch()
    (stub / "transforms.py").write_text("class Resample:\n    pass\n")
    ready.touch()
    return python


def run_worker(python: Path, script: str, *arguments: str) -> str:
    """Run a script beside this file in another Python, and return what it prints."""
    # The reference's without Python's variables: PYTHONPATH would put this package before it.
    flags = [] if python == Path(sys.executable) else ["-E"]
    command = [str(python), *flags, "-W", "ignore", str(Path(__file__).with_name(script)), *arguments]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout  # noqa: S603
