"""What a stranger has built with the package."""

from pathlib import Path

import pytest

from .installed import PROJECTS, ROOT, build, fresh, unpacked_wheel


@pytest.fixture(scope="session")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package alone, in a folder with a space in its name, somewhere else than where it was built."""
    return unpacked_wheel(tmp_path_factory.mktemp("a place"))


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `player` and `minimal_host` were built, as docs/plugin-hosts.md tells."""
    cmake_dir = fresh("-m", "neutone_sdk", "--cmake-dir").strip()
    options = (f"-Dneutone_DIR={cmake_dir}", f"-DMINIMAL_HOST={ROOT / 'examples' / 'host'}")
    return build(PROJECTS, tmp_path_factory.mktemp("host"), *options)


@pytest.fixture(scope="session")
def gain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that README's wrapper exports in the fresh environment; its knob goes from 0 to 4."""
    folder = tmp_path_factory.mktemp("gain")
    readme = (ROOT / "README.md").read_text()
    (folder / "gain.py").write_text(readme.partition("```python\n")[2].partition("```")[0])
    fresh("-W", "ignore", "gain.py", folder=folder)
    return folder / "exports" / "gain" / "model.nm"
