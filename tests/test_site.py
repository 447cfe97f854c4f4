"""The documentation site builds without a warning, has everything that is public, and fetches nothing."""

import ast
import importlib
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from sphinx.util.inventory import InventoryFile

import neutone_sdk
from tools.pictures import PICTURES

from .documents import PAGES, ROOT, blocks_of


def build(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Do what `make docs` does."""
    (command,) = re.findall(r"^\t\$\(BIN\)/python (-m sphinx .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    arguments = command.replace("build/docs", str(output)).split()
    return subprocess.run([sys.executable, *arguments], cwd=source, capture_output=True, text=True, check=False)  # noqa: S603


def test_the_site_has_all_that_is_public_and_fetches_nothing(tmp_path: Path) -> None:
    result = build(ROOT, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    inventory = InventoryFile.loads((tmp_path / "objects.inv").read_bytes(), uri="").data
    described = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    names = public_names() | imported_names()
    assert sorted(name for name in names if not is_described(*name, described)) == []
    assert {str(page.relative_to(ROOT).with_suffix("")) for page in PAGES if ".github" not in page.parts} <= set(
        inventory["std:doc"]
    )
    fetched = r"""(?:<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*\shref=|url\(|@import\s*)["']?(?:https?:)?//[^"')]*"""
    files = [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.css")]
    assert [found for file in files for found in re.findall(fetched, file.read_text(encoding="utf-8"))] == []


def is_described(module: str, name: str, described: set[str]) -> bool:
    """Return whether it is there by the name that it is imported by, or by the one of where it is defined."""
    value = getattr(importlib.import_module(module), name)
    return not described.isdisjoint({f"{module}.{name}", f"{value.__module__}.{value.__qualname__}"})


def public_names() -> set[tuple[str, str]]:
    """Return modules and names: what ``neutone_sdk`` has, and what the modules that it names have."""
    values = {name: getattr(neutone_sdk, name) for name in neutone_sdk.__all__}
    modules = [value for value in values.values() if isinstance(value, ModuleType)]
    names = {
        ("neutone_sdk", name) for name, value in values.items() if inspect.isclass(value) or inspect.isroutine(value)
    }
    return names | {(module.__name__, name) for module in modules for name in members(module)}


def members(module: ModuleType) -> list[str]:
    """Return what is public in a module: what it says, or else the classes and functions that it defines."""
    defined = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
        and hasattr(value, "__qualname__")
    ]
    return list(getattr(module, "__all__", defined))


def imported_names() -> set[tuple[str, str]]:
    """Return modules and names that README, docs and examples import from the package."""
    codes = [block.code for page in PAGES for block in blocks_of(page.name, page.read_text())]
    codes += [file.read_text() for file in (ROOT / "examples").glob("*.py")]
    imports = [node for code in codes for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    names = {(node.module or "", alias.name) for node in imports for alias in node.names}
    return {(module, name) for module, name in names if module.startswith("neutone_sdk") and not name.isupper()}


MISTAKES = """# A page
[nowhere](nowhere.md), [no heading](index.md#not-there)

```{eval-rst}
`nobody`

.. autofunction:: json.not_there
```
"""


def test_mistakes_are_errors(tmp_path: Path) -> None:
    (tmp_path / "docs" / "site").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "conf.py", tmp_path / "docs")
    (tmp_path / "docs" / "index.md").write_text("# First\n```{toctree}\npage\n```\n")
    (tmp_path / "docs" / "page.md").write_text(MISTAKES)
    (tmp_path / "docs" / "forgotten.md").write_text("# In no navigation\n")
    result = build(tmp_path, tmp_path / "output")
    assert result.returncode == 1
    for complaint in (
        "'nowhere.md'",
        "'not-there'",
        "target not found: nobody",
        "'not_there' from module 'json'",
        "forgotten.md: WARNING",
    ):
        assert complaint in result.stderr


def test_pictures_are_those_that_the_script_draws() -> None:
    for name, draw in PICTURES.items():
        assert (ROOT / "docs" / "pictures" / name).read_text(encoding="utf-8") == draw(), (
            "run: python -m tools.pictures"
        )
