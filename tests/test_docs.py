"""Every block of Python in README and docs that is not there to fail runs; every file that they link to is there."""

import re
from pathlib import Path

import pytest

from .documents import PAGES, ROOT, Block, all_blocks, run

BLOCKS = [pytest.param(block, id=block.name) for block in all_blocks() if not block.failure]
LINKS = [
    (page, link)
    for page in PAGES
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    if "://" not in link
]


@pytest.mark.parametrize("block", BLOCKS)
def test_code_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run(block, tmp_path, monkeypatch)
    if re.search(r"^(save_neutone_model|export)\(", block.code, re.MULTILINE):
        assert list(tmp_path.rglob("model.nm")) != []
    assert any(isinstance(value, type) for value in names.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_placeholder_was_forgotten(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", page.read_text(), flags=re.DOTALL)
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b|TODO|TBD|XXX", prose) == []


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


def test_there_is_something_to_run() -> None:
    assert len(BLOCKS) >= 2
