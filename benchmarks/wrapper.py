"""Time the whole wrapper per callback, beside neutone_sdk 1.5.2 from PyPI: python benchmarks/wrapper.py [--json FILE].

Both run the same pass-through, stereo, four knobs, model block 2048 at 48 kHz, in a loop inside TorchScript, in turns,
so that neither Python's cost of a call nor the machine's mood is in the ratio: in a host at 48 kHz, and in one at
44.1 kHz, where both resample. The reference gets an environment of its own, with a stub for torchaudio: it needs only
the name at import, and torchaudio does not fit this torch.
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
N_TURNS = 7
# From the host's rate to the ratio to reach at each of its blocks.
REACH = {48_000: (1 / 3, 1 / 3, 1 / 3), 44_100: (1 / 3, 1 / 3, 1 / 2)}


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


def measure(python: Path, host_hz: int) -> dict[str, list[float]]:
    """Return microseconds per callback, by host block, one for each round."""
    worker = Path(__file__).with_name("wrapper_worker.py")
    command = [str(python), "-W", "ignore", str(worker), str(host_hz), *HOST_BLOCKS]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    durations: dict[str, list[float]] = json.loads(result.stdout)
    return durations


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all turns to this file")
    arguments = parser.parse_args()
    reference = reference_python()
    rounds = {host_hz: compare(host_hz, reference) for host_hz in REACH}
    if arguments.json:
        arguments.json.write_text(json.dumps(rounds))


def compare(host_hz: int, reference: Path) -> dict[str, dict[str, list[float]]]:
    """Measure both in turns, print a table with the median of the turns' ratios, and return all turns."""
    turns: dict[str, dict[str, list[float]]] = {
        name: {size: [] for size in HOST_BLOCKS} for name in ("ours", REFERENCE)
    }
    for _ in range(N_TURNS):
        for python, name in ((Path(sys.executable), "ours"), (reference, REFERENCE)):
            for size, rounds in measure(python, host_hz).items():
                turns[name][size].append(statistics.median(rounds))
    print(f"wrapper, host at {host_hz} Hz, model at 48000 Hz, us per callback (medians of {N_TURNS} turns)")
    print(f"{'host block':>10} {'ours':>8} {REFERENCE:>20} {'ratio':>6}  reach")
    for size, reach in zip(HOST_BLOCKS, REACH[host_hz], strict=True):
        ours, theirs = (turns[name][size] for name in ("ours", REFERENCE))
        ratio = statistics.median(us / reference_us for us, reference_us in zip(ours, theirs, strict=True))
        print(
            f"{size:>10} {statistics.median(ours):8.2f} {statistics.median(theirs):20.2f} {ratio:6.2f}  <= {reach:.2f}"
        )
    return turns


if __name__ == "__main__":
    main()
