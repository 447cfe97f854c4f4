"""Every block of Python in README and docs runs; every file that they link to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]
LINKS = [
    (page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in link
]


@pytest.mark.parametrize("block", BLOCKS)
def test_code_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "documented.py"  # TorchScript reads the source, so there has to be a file
    file.write_text(block)
    namespace = {"__name__": "documented", "__file__": str(file)}
    exec(compile(block, str(file), "exec"), namespace)  # noqa: S102
    if "save_neutone_model(" in block:
        assert list(tmp_path.rglob("model.nm")) != []
    assert any(isinstance(value, type) for name, value in namespace.items() if not name.startswith("__"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_placeholder_was_forgotten(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b|TODO|TBD|XXX", prose) == []


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


def test_there_is_something_to_run() -> None:
    assert len(BLOCKS) >= 2
