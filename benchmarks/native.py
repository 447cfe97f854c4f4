"""Run suites of benchmarks/native and print tables: python -m benchmarks.native [SUITE ...] [--rounds N].

They have to be built: ``cmake --preset bench && cmake --build --preset bench``, as ``make bench`` does. What plays
TorchScript gets its files from ``benchmarks/scripts.py``.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.rounds import print_groups, read

BUILD = Path("build/bench")
SUITES = (
    "bounds", "ring", "resampler", "biquad", "svf", "fir", "parameters", "channels", "operators", "wrapper", "engine",
    "scaling",
)  # fmt: skip
ONE_PROCESS = ("operators", "wrapper", "engine")  # slow to set up, or with percentiles of all that there was
N_PROCESSES = 3
N_ROUNDS, N_QUICK_ROUNDS = 51, 11


def run_suite(suite: str, n_rounds: int) -> Path:
    """Run one suite, and return the path of its JSON.

    In several processes, where setting it up is quick: where memory lies is another matter of luck, and it stays the
    same for as long as a process lives.
    """
    n_processes = 1 if suite in ONE_PROCESS else min(N_PROCESSES, n_rounds)
    shares = [n_rounds // n_processes + (process < n_rounds % n_processes) for process in range(n_processes)]
    path = BUILD / f"{suite}.json"
    path.write_text(json.dumps(joined([run_once(suite, share) for share in shares])))
    return path


def run_once(suite: str, n_rounds: int) -> dict[str, Any]:
    """Return the document of one process."""
    command = [str(BUILD / "benchmarks" / "native" / suite), f"--rounds={n_rounds}"]
    document: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603
    return document


def joined(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return documents of one suite as one, whose rounds are numbered on."""
    first_round = 0
    runs = []
    for document in documents:
        runs += [{**run, "repetition_index": first_round + run["repetition_index"]} for run in document["benchmarks"]]
        first_round = 1 + max((run["repetition_index"] for run in runs), default=-1)
    return {"context": documents[0]["context"], "benchmarks": runs}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", choices=SUITES, default=SUITES, help=", ".join(SUITES))
    parser.add_argument("--rounds", type=int, default=N_ROUNDS)
    arguments = parser.parse_args()
    if {"operators", "wrapper"} & set(arguments.suites) and not (BUILD / "scripts").exists():
        subprocess.run([sys.executable, "-m", "benchmarks.scripts"], check=True)
    for suite in arguments.suites:
        results = read(run_suite(suite, arguments.rounds))
        if results.context.get("missing"):
            print(f"not installed: {results.context['missing']}")
        print_groups(results.groups)


if __name__ == "__main__":
    main()
