"""Whenever an export is killed, each file is the older or the newer one, whole."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neutone_sdk import files
from neutone_sdk.files import write_atomically

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks, and dies of signals")
LEFTOVER = ".model.nm.0123456789abcdef.part"


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the hashes of what was in the folder before the export, after it, and after each death."""
    command = [sys.executable, "-m", "tests.killed_export", str(tmp_path_factory.mktemp("killed"))]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], check=True, capture_output=True)  # noqa: S603
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_each_file_is_the_older_or_the_newer_one(deaths: dict[str, Any]) -> None:
    old, new = deaths["old"], deaths["new"]

    assert {"metadata.json", "model.nm"} <= old.keys() == new.keys()
    assert len(deaths["after_deaths"]) > 50
    for contents in deaths["after_deaths"]:
        there = {name: content for name, content in contents.items() if not name.endswith(".part")}
        assert there.keys() == old.keys()
        assert all(content in (old[name], new[name]) for name, content in there.items())


def test_deaths_come_before_between_and_after_the_moves(deaths: dict[str, Any]) -> None:
    """So the test above sees every mixture: files move one after the other, the model first."""
    moved = {
        tuple(name for name in deaths["old"] if contents[name] == deaths["new"][name] != deaths["old"][name])
        for contents in deaths["after_deaths"]
    }

    assert moved == {(), ("model.nm",), ("metadata.json", "model.nm")}


def test_nothing_but_hidden_files_is_left_behind(deaths: dict[str, Any]) -> None:
    left = {name for contents in deaths["after_deaths"] for name in contents.keys() - deaths["old"].keys()}

    assert left
    assert all(Path(name).name.startswith(".") and name.endswith(".part") for name in left)


def test_kill_from_outside(tmp_path: Path) -> None:
    """A process writes all the time, and the moment is the machine's."""
    code = (
        "import sys; from pathlib import Path; from neutone_sdk.files import write_atomically\n"
        "folder = Path(sys.argv[1])\n"
        "for number in range(1, 1_000_000):\n"
        "    write_atomically({folder / name: b'%07d' % number * 100_000 for name in 'ab'})\n"
        "    if number == 2: print('writing', flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGKILL)

    numbers = []
    for name in "ab":
        content = (tmp_path / name).read_bytes()
        assert content == content[:7] * 100_000
        numbers.append(int(content[:7]))
    assert numbers[0] - numbers[1] in (0, 1)


@pytest.mark.parametrize("age_seconds", [0.0, 1e9])
def test_leftovers_go_once_they_are_old(age_seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        LEFTOVER.replace("model", "other"),
        "model.nm.part",
        ".model.nm.part",
        ".model.nm.0123456789abcdef.part.txt",
    ]
    for name in (LEFTOVER, *others):
        (tmp_path / name).write_bytes(b"left")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + age_seconds)

    write_atomically({tmp_path / "model.nm": b"new"})

    is_old = age_seconds > files.LEFTOVER_SECONDS
    assert {path.name for path in tmp_path.iterdir()} == {"model.nm", *others, *([] if is_old else [LEFTOVER])}
