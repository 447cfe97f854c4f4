"""Exports over older files, and is killed at every step of it, each time a little later.

    python -m tests.killed_export FOLDER

Prints, as JSON, the hashes of the files in the folder: of the older and the newer ones, and of what was there after
each death. It is a program of its own because it forks: when the export comes to write, children do that in turn, and
each kills itself before some line of Python, or in the middle of writing a file.
"""

import itertools
import json
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from unittest import mock

from torch import nn

from neutone_sdk import export, files

from .wrappers import PassThrough, card

# Of pathlib and shutil.
FILE_METHODS = {"open", "write_bytes", "write_text", "replace", "rename", "unlink", "hardlink_to", "copy2", "move"}
Hashes = dict[str, str]


def _kill_before(number: int) -> None:
    """Die instead of the line of that number, of those that may do something to a file."""
    lines_left = number

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines_left
        if frame.f_code.co_filename != files.__file__ and frame.f_code.co_name not in FILE_METHODS:
            return None
        if event == "line":
            if lines_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            lines_left -= 1
        return trace

    sys.settrace(trace)


def _kill_beyond(n_bytes: int) -> None:
    """Die when a file becomes longer."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def _deaths(longest: int) -> Iterator[Callable[[], None]]:
    for n_bytes in (0, 1, 500, 5_000, longest // 2, longest - 1):
        yield partial(_kill_beyond, n_bytes)
    for number in itertools.count():
        yield partial(_kill_before, number)


def _dies(prepare: Callable[[], None], write: Callable[[], None]) -> bool:
    child = os.fork()
    if child == 0:
        _live_or_die(prepare, write)
    _, status = os.waitpid(child, 0)
    if status and not os.WIFSIGNALED(status):
        msg = f"a child ended with {status}"
        raise RuntimeError(msg)
    return os.WIFSIGNALED(status)


def _live_or_die(prepare: Callable[[], None], write: Callable[[], None]) -> NoReturn:
    try:
        prepare()
        write()
        os._exit(0)
    finally:
        os._exit(1)


def _read(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _restore(folder: Path, contents: dict[Path, bytes]) -> None:
    for path in _read(folder).keys() - contents.keys():
        path.unlink()
    for path, content in contents.items():
        path.write_bytes(content)


def _hashes(folder: Path) -> Hashes:
    contents = _read(folder)
    return {str(path.relative_to(folder)): sha256(content).hexdigest() for path, content in contents.items()}


def _export(folder: Path, version: str) -> None:
    wrapper = PassThrough(nn.Identity(), card=card(version=version))
    export.save_neutone_model(wrapper, folder, test_offline_mode=False)


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    _export(folder, "old")
    old, old_hashes = _read(folder), _hashes(folder)
    after_deaths: list[Hashes] = []

    def write_and_die(contents: dict[Path, bytes]) -> None:
        after_deaths.append(_hashes(folder))  # nothing has been written until now
        for prepare in _deaths(max(map(len, contents.values()))):
            if not _dies(prepare, lambda: files.write_atomically(contents)):
                break
            after_deaths.append(_hashes(folder))
            _restore(folder, old)
        files.write_atomically(contents)

    with mock.patch.object(export, "write_atomically", write_and_die):
        _export(folder, "new")
    print(json.dumps({"old": old_hashes, "new": _hashes(folder), "after_deaths": after_deaths}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
