"""What all tests share: repeatable examples of Hypothesis, the versions in the header, noise, the command line."""

import functools
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import settings
from torch import Tensor

import neutone_sdk
from neutone_sdk.cli import main

from .example_runs import ExampleRun, run

# The same examples on every machine, so that what is green here is green there. To look for others:
# pytest --hypothesis-profile=default
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


class Noise(Protocol):
    """Makes float32 audio ``(channels, samples)``, uniform in -1..1; the same seed gives the same audio."""

    def __call__(self, channels: int, samples: int, seed: int) -> Tensor: ...


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Threads that share a small product wait for each other, on a busy machine longer than they work."""
    torch.set_num_threads(1)


def pytest_report_header() -> str:
    return f"torch {torch.__version__}, neutone_sdk {neutone_sdk.__version__}"


@pytest.fixture(scope="session")
def noise() -> Noise:
    """Of the session, so that property tests may use it too."""

    def make(channels: int, samples: int, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return 2.0 * torch.rand(channels, samples, generator=generator) - 1.0

    return make


class RunOfExample(Protocol):
    """Runs an example as it is, the first time that somebody asks for it."""

    def __call__(self, example: Path) -> ExampleRun: ...


@pytest.fixture(scope="session")
def run_of_example(tmp_path_factory: pytest.TempPathFactory) -> RunOfExample:
    """Of the session, because examples train for many seconds. Nobody writes to what they leave behind."""

    @functools.cache
    def export(example: Path) -> ExampleRun:
        folder = tmp_path_factory.mktemp(example.stem)
        return ExampleRun(folder / "model.nm", run(example, "-o", folder, folder=folder))

    return export


class Result(NamedTuple):
    """What a command leaves behind."""

    returncode: int
    stdout: str
    stderr: str


class Neutone(Protocol):
    """Runs ``neutone`` with these arguments, in the folder of the test."""

    def __call__(self, *arguments: object) -> Result: ...


@pytest.fixture
def neutone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Neutone:
    """The command in this process: starting another one for each test would take minutes."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["neutone", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        return Result(int(caught.value.code or 0), *capfd.readouterr())

    return run


CLIP_RATE_HZ = 44_100


@pytest.fixture
def clip(tmp_path: Path, noise: Noise) -> np.ndarray:
    """What ``in.wav`` in the folder of the test holds, ``(samples, 2)``."""
    audio = 0.5 * noise(2, 5_001, 0).T.numpy()
    soundfile.write(tmp_path / "in.wav", audio, CLIP_RATE_HZ, subtype="FLOAT")
    return audio


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds a model back until it opens. Whoever lets an engine go has to open it before: the engine waits."""
    event = threading.Event()
    yield event
    event.set()
