"""Runs tests of operators with a library that was built under AddressSanitizer and UndefinedBehaviorSanitizer.

python -m tests.sanitized_operators build/native-asan/libneutone_ops.so tests/test_ring.py ...
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

MARK = "NEUTONE_SANITIZED"  # set in the process that has the sanitizers


def preloaded() -> str:
    """The sanitizers' own libraries: they have to be there before Python is."""
    names = ("libasan.so", "libubsan.so")
    compiler = os.environ.get("CXX", "g++")
    commands = [[compiler, f"-print-file-name={name}"] for name in names]
    found = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for command in commands]  # noqa: S603
    missing = [name for name, path in zip(names, found, strict=True) if not Path(path).is_absolute()]
    if missing:
        sys.exit(f"{compiler} has no {' and '.join(missing)}: install the sanitizers of the compiler in use")
    return " ".join(found)


def read_past_the_end() -> None:
    """What has to be caught."""
    memory = ctypes.CDLL(None)
    memory.malloc.restype = ctypes.c_void_p
    ctypes.memmove(ctypes.create_string_buffer(64), ctypes.c_void_p(memory.malloc(8)), 64)


def again(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """This module in a process with sanitizers. Torch and Python leave memory to the end of the process: no leaks."""
    variables = {MARK: "1", "LD_PRELOAD": preloaded(), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
    command = [sys.executable, "-m", __spec__.name, *arguments]
    return subprocess.run(command, env=os.environ | variables, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603


def run_tests(library: str, tests: list[str]) -> int:
    """Load the library before the package does, which then keeps it."""
    if b"__asan_init" not in Path(library).read_bytes():
        sys.exit(f"{library} was not built under AddressSanitizer: cmake --build --preset native-asan")
    import pytest  # noqa: PLC0415  # the process that starts the others does without
    import torch  # noqa: PLC0415

    torch.ops.load_library(Path(library).resolve())
    return pytest.main(["-q", "-p", "no:cacheprovider", *tests])


def main(arguments: list[str]) -> int:
    """See that the sanitizers see, then run the tests under them."""
    if MARK in os.environ:
        if arguments:
            return run_tests(arguments[0], arguments[1:])
        read_past_the_end()
        return 0
    planted = again()
    if planted.returncode == 0 or "heap-buffer-overflow" not in planted.stderr:
        sys.stderr.write(f"AddressSanitizer has not caught what was planted:\n{planted.stderr}\n")
        return 1
    done = again(*arguments)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
