"""The blocks of code in README and docs: which run, and which fail, with what message.

Blocks of Python and of commands (``sh``) run, unless a line above says ``<!-- not run: REASON -->``, which readers do
not see. A block of Python whose first line is one of these comments fails, and the next block of the page, of ``text``,
is the message:

- ``# fails: KIND``: it raises that error
- ``# fails in a new process: KIND``: the same, where nobody has imported anything
- ``# warns``: it runs, and warns
- ``# fails neutone check: NAME``: it runs, and the file that it exports does not pass that check

In a message ``...`` stands for anything, and lines may be broken anywhere. A block whose first line is
``# before each block below`` stands before each that follows it on its page.
"""

import re
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]
_PRELUDE = "# before each block below\n"
_FENCED = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n+)?^```(?P<language>[^\n]*)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_FAILS = re.compile(r"# (fails|warns)\b.*")


@dataclass(frozen=True)
class Block:
    """A block of Python.

    Attributes:
        name: Page and number.
        code: What it says.
        prelude: What stands before it, and is not repeated.
        failure: Its first line, if it fails.
        message: What the page says that it says then.
    """

    name: str
    code: str
    prelude: str
    failure: str = ""
    message: str = ""


class Fenced(NamedTuple):
    """A block of anything: why it does not run, if so, its language, and what it says."""

    reason: str
    language: str
    code: str


def fenced_of(page: str) -> list[Fenced]:
    """Return all blocks of a page."""
    return [Fenced(*groups) for groups in _FENCED.findall(page)]


def blocks_of(name: str, page: str) -> list[Block]:
    """Return all blocks of Python of a page that run or fail."""
    fenced = [*fenced_of(page), Fenced("", "", "")]
    blocks: list[Block] = []
    prelude = ""
    for number, ((reason, language, code), (_, next_language, text)) in enumerate(pairwise(fenced)):
        if language != "python" or reason:
            continue
        failure = _FAILS.match(code)
        message = text if failure and next_language == "text" else ""
        blocks.append(Block(f"{name}-{number}", code, prelude, failure[0] if failure else "", message))
        if code.startswith(_PRELUDE):
            prelude = code
    return blocks


def all_blocks() -> list[Block]:
    """Return those of all pages."""
    return [block for page in PAGES for block in blocks_of(page.name, page.read_text())]


def run(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a block in a folder, and return the names that it defined."""
    monkeypatch.chdir(folder)
    module = ModuleType("documented")
    monkeypatch.setitem(sys.modules, "documented", module)
    for name, code in (("prelude.py", block.prelude), ("model.py", block.code)):
        file = folder / name  # TorchScript reads the source, so there has to be one; lines count from the block's first
        file.write_text(code)
        module.__file__ = str(file)
        exec(compile(code, str(file), "exec"), module.__dict__)  # noqa: S102
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}


def says(documented: str, message: str) -> bool:
    """Return whether a message is the one that a page shows."""
    pattern = ".*?".join(re.escape(part) for part in " ".join(documented.split()).split("..."))
    return documented != "" and re.fullmatch(pattern, " ".join(message.split())) is not None
