"""Time the whole wrapper per callback, beside neutone_sdk 1.5.2 from PyPI: python benchmarks/wrapper.py [--json FILE].

Both run the same pass-through at 48 kHz, stereo, four knobs, model block 2048, in a loop inside TorchScript, in turns,
so that neither Python's cost of a call nor the machine's mood is in the ratio. The reference gets an environment of its
own, with a stub for torchaudio: it needs only the name at import, and torchaudio does not fit this torch.
"""

import argparse
import json
import statistics
import subprocess
import sys
import venv
from pathlib import Path

REFERENCE = "neutone_sdk==1.5.2"
TORCH = "torch==2.13.0"
ENVIRONMENT = Path("build/reference_sdk")
HOST_BLOCKS = ("64", "512", "2048")
N_TURNS = 3
REACH = 1 / 3


def reference_python() -> Path:
    """Return the Python of the reference's environment; makes it the first time."""
    python = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / ".ready"
    if ready.exists():
        return python
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    for arguments in (
        [TORCH],
        ["--no-deps", REFERENCE],
        ["click<9", "jsonschema<5", "numpy", "requests", "soundfile", "tqdm"],
    ):
        subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], check=True)  # noqa: S603
    (stub,) = ENVIRONMENT.glob("lib/python*/site-packages")
    (stub / "torchaudio").mkdir(exist_ok=True)
    (stub / "torchaudio" / "__init__.py").touch()
    (stub / "torchaudio" / "transforms.py").write_text("class Resample:\n    pass\n")
    ready.touch()
    return python


def measure(python: Path) -> dict[str, list[float]]:
    """Return microseconds per callback, by host block, one for each round."""
    command = [str(python), "-W", "ignore", str(Path(__file__).with_name("wrapper_worker.py")), *HOST_BLOCKS]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    durations: dict[str, list[float]] = json.loads(result.stdout)
    return durations


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all rounds to this file")
    arguments = parser.parse_args()
    reference = reference_python()
    ours: dict[str, list[float]] = {size: [] for size in HOST_BLOCKS}
    theirs: dict[str, list[float]] = {size: [] for size in HOST_BLOCKS}
    for _ in range(N_TURNS):
        for python, durations in ((Path(sys.executable), ours), (reference, theirs)):
            for size, rounds in measure(python).items():
                durations[size] += rounds
    print(f"wrapper, us per callback (median of {N_TURNS} turns; reach: ratio <= {REACH:.2f})")
    print(f"{'host block':>10} {'ours':>8} {REFERENCE:>20} {'ratio':>6}")
    for size in HOST_BLOCKS:
        us, reference_us = statistics.median(ours[size]), statistics.median(theirs[size])
        print(f"{size:>10} {us:8.2f} {reference_us:20.2f} {us / reference_us:6.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"ours": ours, REFERENCE: theirs}))


if __name__ == "__main__":
    main()
