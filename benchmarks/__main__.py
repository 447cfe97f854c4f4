"""Run all benchmarks, then write docs/benchmarks.md: python -m benchmarks [--quick], which is ``make bench``."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import report
from benchmarks.native import BUILD, N_QUICK_ROUNDS, N_ROUNDS, SUITES, run_suite
from benchmarks.scripts import FOLDER

MODULES = ("filters", "portable_fir", "blocks", "import_time", "zipper", "resampling_quality", "other_resamplers")


def run_module(name: str, is_quick: bool) -> Path:
    """Run one of the Python benchmarks, and return the path of its JSON."""
    path = BUILD / f"{name}.json"
    options = ["--quick"] if is_quick else []
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}", "--json", str(path), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return path


def main() -> None:
    """Run all, and say how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds")
    is_quick = parser.parse_args().quick
    subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks.scripts", str(FOLDER)], check=True)  # noqa: S603
    n_rounds = N_QUICK_ROUNDS if is_quick else N_ROUNDS
    paths = []
    for name in (*SUITES, *MODULES):
        start = time.perf_counter()
        paths.append(run_suite(name, n_rounds) if name in SUITES else run_module(name, is_quick))
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    report.write_report(paths, Path("docs"))
    print("docs/benchmarks.md")


if __name__ == "__main__":
    main()
