"""A model, the commands, and a worker that says what is written for it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from neutone_sdk.benchmark import workers
from neutone_sdk.benchmark.__main__ import commands as old_commands
from neutone_sdk.cli.main import commands, run
from neutone_sdk.utils import save_neutone_model
from tests.conftest import Result
from tests.wrappers import PassThrough, card

from .scripted import Command, Script


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    facts = card(native_sample_rates=[48_000], native_buffer_sizes=[512])
    save_neutone_model(PassThrough(nn.Identity(), card=facts), folder, max_n_samples=0, speed_benchmark=False)
    return folder / "model.nm"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Result:
        is_old = str(arguments[0]).startswith("benchmark-") or arguments[0] == "profile"
        monkeypatch.setattr(sys, "argv", ["neutone", *([] if is_old else ["benchmark"]), *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            run(old_commands if is_old else commands)
        return Result(int(caught.value.code or 0), *capfd.readouterr())

    return command


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Let a process say what a worker would, and then end or hang."""

    def write(*messages: dict[str, Any], then: str = "") -> None:
        lines = "".join(f"print({json.dumps(message)!r}, flush=True)\n" for message in messages)
        code = f"import os, sys, threading\nsys.stdin.read()\n{lines}{then}\n"
        (tmp_path / "scripted_worker.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(workers, "MODULE", "scripted_worker")

    return write
