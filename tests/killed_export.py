"""Exports over older files, and is killed at every step of it, each time a little later.

    python -m tests.killed_export FOLDER

Prints, as JSON, what was in the folder after each death, and what the older and the newer files are. It is a program of
its own because it forks: when the export comes to write, children do that in turn, and each kills itself just before it
does something to a file, or in the middle of writing one.
"""

import base64
import json
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import torch
from torch import nn

from neutone_sdk import export, files
from neutone_sdk.audio import AudioSample, AudioSamplePair

from .wrappers import PassThrough, card

# What Python tells before it does it. Writing is not among them: there a limit on the size of files kills.
EVENTS = ("open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "shutil.copyfile")
Contents = dict[str, str]


def _kill_before(number: int, folder: Path) -> None:
    """Die instead of the step of that number."""
    steps_left = number

    def step() -> None:
        nonlocal steps_left
        if steps_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        steps_left -= 1

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and any(str(folder) in str(argument) for argument in arguments):
            step()

    def flush(_: int) -> None:
        step()

    sys.addaudithook(hear)
    mock.patch("os.fsync", flush).start()


def _kill_beyond(n_bytes: int) -> None:
    """Die when a file becomes longer."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def _deaths(folder: Path, longest: int) -> Iterator[Callable[[], None]]:
    for n_bytes in (0, 1, 500, 5_000, longest // 2, longest - 1):
        yield partial(_kill_beyond, n_bytes)
    for number in range(1_000):
        yield partial(_kill_before, number, folder)


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


def _read(folder: Path) -> Contents:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): base64.b64encode(path.read_bytes()).decode() for path in paths}


def _restore(folder: Path, contents: Contents) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(base64.b64decode(content))


def _export(folder: Path, version: str) -> None:
    sample = AudioSample(torch.zeros(1, 4800), 48000)
    wrapper = PassThrough(nn.Identity(), card=card(version=version))
    export.save_neutone_model(
        wrapper,
        folder,
        dump_samples=True,
        audio_sample_pairs=[AudioSamplePair(sample, sample)],
        test_offline_mode=False,
    )


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    _export(folder, "old")
    old, after_deaths = _read(folder), []

    def write_and_die(contents: dict[Path, bytes]) -> None:
        after_deaths.append(_read(folder))  # nothing has been written until now
        for prepare in _deaths(folder, max(map(len, contents.values()))):
            is_dead = _dies(prepare, lambda: files.write_atomically(contents))
            if not is_dead:
                break
            after_deaths.append(_read(folder))
            _restore(folder, old)
        files.write_atomically(contents)

    with mock.patch.object(export, "write_atomically", write_and_die):
        _export(folder, "new")
    print(json.dumps({"old": old, "new": _read(folder), "after_deaths": after_deaths}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
