"""Runs tests of the C++ host with programs that were built under AddressSanitizer and UndefinedBehaviorSanitizer.

python -m tests.sanitized_host build/native-asan tests/test_native_host_files.py ...
"""

import os
import subprocess
import sys
from pathlib import Path

PLANTED = {"overflow": "heap-buffer-overflow", "leak": "detected memory leaks"}


def is_caught(probe: Path, what: str) -> bool:
    """See that the sanitizers see."""
    result = subprocess.run([probe, "plant", what], capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0 and PLANTED[what] in result.stderr:
        return True
    sys.stderr.write(f"AddressSanitizer has not caught the {what} that was planted in {probe}:\n{result.stderr}\n")
    return False


def main(folder: str, *tests: str) -> int:
    """Run the tests; what a sanitizer reports ends a program with another exit status than they expect."""
    if not all(is_caught(Path(folder) / "host_probe", what) for what in PLANTED):
        return 1
    # Sanitizers keep what was freed: what they make of memory that grows says nothing.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not without_a_trace", *tests]
    return subprocess.run(command, env={**os.environ, "NEUTONE_HOST_BUILD": folder}, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
