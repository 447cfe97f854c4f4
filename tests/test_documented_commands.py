"""Every command in README and docs runs, or says why not; every other block is of a kind that is looked after."""

import re
import shlex
from pathlib import Path

import pytest
from torch import nn

from neutone_sdk import samples
from neutone_sdk.utils import save_neutone_model

from .conftest import Neutone
from .documents import PAGES, ROOT, Fenced, all_blocks, blocks_of, fenced_of, run
from .wrappers import PassThrough, card

FENCED = [(page, block) for page in PAGES for block in fenced_of(page.read_text())]
COMMANDS = [(page, block) for page, block in FENCED if block.language == "sh"]
# Python runs in test_docs.py, what is there to fail in test_documented_errors.py, and what is for the site is built in
# test_site.py. A text is what something says.
LANGUAGES = ("python", "sh", "text")
PYPROJECT = (ROOT / "pyproject.toml").read_text()
SITE = ("{toctree}", "{eval-rst}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_is_executed_or_says_why_not(page: Path) -> None:
    left_out = [
        block.code
        for block in fenced_of(page.read_text())
        if block.language not in (*LANGUAGES, *SITE) and not block.reason
    ]
    assert left_out == []


def test_no_fence_is_overlooked() -> None:
    for page in PAGES:
        assert 2 * len(fenced_of(page.read_text())) == len(
            re.findall(r"^ *(?:```|~~~)", page.read_text(), re.MULTILINE)
        )


RUN = [pytest.param(page, id=page.name) for page in PAGES if any(p == page and not b.reason for p, b in COMMANDS)]


# How to have benchmarks last less long.
BRIEFLY = {"speed": "--max-seconds", "profile": "--max-seconds", "realtime": "--seconds"}


@pytest.mark.parametrize("page", RUN)
@pytest.mark.usefixtures("clip")
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neutone: Neutone) -> None:
    """In the folder that the page's Python has left; ``model.nm`` and ``in.wav`` are files of the reader."""
    monkeypatch.setattr(samples, "get_default_audio_samples", list)  # test_docs.py runs the same Python with them
    save_neutone_model(PassThrough(nn.Identity(), card=card()), tmp_path)
    for block in blocks_of(page.name, page.read_text()):
        if not block.failure and "save_neutone_model(" in block.code:
            run(block, tmp_path, monkeypatch)
    lines = [line for _, block in COMMANDS if _ == page and not block.reason for line in block.code.splitlines()]
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        if program == "make":
            assert arguments[0] in targets()
        else:
            assert program == "neutone"
            measures = arguments[1] if arguments[0] == "benchmark" else ""
            if measures in BRIEFLY:  # what is measured is no matter here
                arguments += [BRIEFLY[measures], "0.2"]
            result = neutone(*arguments)
            # 1 says that this machine, busy with tests, lost samples.
            assert result.returncode in ((0, 1) if measures == "realtime" else (0,)), result.stderr
            assert not result.stderr.startswith("Error")


def targets() -> list[str]:
    """Return what `make help` lists."""
    return re.findall(r"^([a-z-]+):.*## .+", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("page", "block"), [pytest.param(p, b, id=p.name) for p, b in COMMANDS if b.reason])
def test_what_does_not_run_names_files_and_options_that_are_there(page: Path, block: Fenced) -> None:
    del page
    for line in block.code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["python"]:
            continue
        file = words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1]
        source = (ROOT / file).read_text()
        assert all(f'"{word}"' in source for word in words[2:] if word.startswith("--"))


def test_every_target_of_make_has_a_text() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].replace("\\", "").split()) == set(targets())


def test_extras_that_are_named_are_there() -> None:
    extras = re.search(r"^\[project\.optional-dependencies\]\n([^\[]*\[.*?)^\[", PYPROJECT, re.MULTILINE | re.DOTALL)
    assert extras is not None
    there = re.findall(r"^(\w+) = ", extras[1], re.MULTILINE)
    named = [
        name for page in PAGES for names in re.findall(r"\.\[([\w,]+)\]", page.read_text()) for name in names.split(",")
    ]
    assert set(named) <= set(there)


def test_there_is_something_to_run() -> None:
    assert len(RUN) >= 3
    assert len(all_blocks()) >= 50
