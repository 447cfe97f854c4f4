"""Count the instructions of hot paths and compare them with those on record: python -m tests.instructions.count.

A timing depends on the machine and its mood; the number of instructions only on the code, the compiler and the
libraries. So it can guard: over 3 % more or less than baseline.json says is an error, and `--update` puts what was
counted on record, for the change to be seen. Needs valgrind, Linux on x86-64 with AVX2, and the compiler, C library and
torch on record; elsewhere nothing is compared, and that is said.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version as version_of
from pathlib import Path

TOLERANCE = 0.03
BASELINE = Path(__file__).with_name("baseline.json")
BUILD = Path("build/instructions")


def counts_of(command: list[str], *options: str) -> dict[str, int]:
    """Run under callgrind, and return the instructions by the name of each dump."""
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ["valgrind", "--tool=callgrind", "--collect-atstart=no", *options]
        valgrind.append(f"--callgrind-out-file={folder}/counts")
        # Where memory lies, and in which order sets are, is the same every time.
        fixed = ["setarch", platform.machine(), "--addr-no-randomize", "env", "PYTHONHASHSEED=0", *valgrind, *command]
        result = subprocess.run(fixed, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode != 0:
            raise SystemExit(f"{command[0]} failed under valgrind:\n{result.stderr}")
        texts = [path.read_text(errors="replace") for path in Path(folder).glob("counts.*")]
    dumps = [re.search(r"Trigger: Client Request: (.*?)\n.*?\nsummary: (\d+)", text, re.DOTALL) for text in texts]
    return {dump[1]: int(dump[2]) for dump in dumps if dump is not None}


def counted() -> tuple[dict[str, str], dict[str, int]]:
    """Return under which conditions was counted, and what."""
    paths = counts_of([str(BUILD / "tests/instructions/hot_paths")])
    (sets,) = (name for name in paths if name.startswith("instruction sets"))
    del paths[sets]
    callbacks = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("callbacks.py"))]
    (switch,) = (BUILD / "tests/instructions").glob("libswitch.*")
    paths |= counts_of([*callbacks, str(switch)], "--instr-atstart=no")
    (compiler,) = BUILD.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")
    version = re.search(r'CMAKE_CXX_COMPILER_(?:ID|VERSION) "(.*?)".*?VERSION "(.*?)"', compiler.read_text(), re.DOTALL)
    conditions = {
        "compiler": " ".join(version.groups()) if version else "unknown",
        "C library": " ".join(platform.libc_ver()),
        "kernels": sets,
        "torch": version_of("torch"),
    }
    return conditions, paths


def report(before: dict[str, int], now: dict[str, int]) -> int:
    """Print a table, and return how many counts are not those on record."""
    n_wrong = 0
    print(f"{'instructions':<28} {'on record':>12} {'counted':>12} {'change':>8}")
    for name in sorted(before.keys() | now.keys()):
        then, count = before.get(name, 0), now.get(name, 0)
        change = count / then - 1.0 if then else float("inf")
        is_wrong = abs(change) > TOLERANCE
        n_wrong += is_wrong
        print(f"{name:<28} {then:>12} {count:>12} {change:>+8.1%}{'  <- more than 3 %' if is_wrong else ''}")
    return n_wrong


def main() -> int:
    """Compare, or put on record; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="put what is counted on record")
    arguments = parser.parse_args()
    if sys.platform != "linux" or platform.machine() != "x86_64":
        print(f"instructions NOT compared: those on record are of Linux on x86-64, this is {platform.platform()}")
        return 0
    conditions, now = counted()
    if arguments.update:
        record = {"conditions": conditions, "instructions": now}
        BASELINE.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
        return 0
    record = json.loads(BASELINE.read_text())
    before = record["conditions"]
    if before != conditions:
        print(f"instructions NOT compared: those on record are of {before}, this is {conditions}")
        return 0
    n_wrong = report(record["instructions"], now)
    if n_wrong:
        print(f"{n_wrong} counts changed by more than 3 %. If that is meant: make count-instructions, and commit.")
    return min(n_wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
