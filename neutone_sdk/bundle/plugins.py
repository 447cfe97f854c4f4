"""The plugins that bundles are made of, which wheels bring and a checkout builds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

import neutone_sdk
from neutone_sdk.errors import BundleError

_FOLDER_NAME: Final = "plugins"
_FACTS_NAME: Final = "plugins.json"
_LICENSE_NAME: Final = "LICENSE.DPF"


@dataclass(frozen=True)
class Plugin:
    """A plugin that plays any model."""

    binary: Path  # one file for all formats
    description: Path  # for LV2, in Turtle
    license: Path  # of the framework that it is made with


def find_plugin(n_channels: int, folder: Path | None = None) -> Plugin:
    """Return the plugin for mono or stereo.

    Args:
        n_channels: 1 or 2.
        folder: Where plugins are; None for those of this package.

    Raises:
        BundleError: There are none, or they are built for another torch than the one that is installed.
    """
    folder = _own_folder() if folder is None else folder
    _check_torch(folder / _FACTS_NAME)
    stem = "neutone_example" if n_channels == 2 else "neutone_example_mono"
    plugin = Plugin(folder / f"{stem}.so", folder / f"{stem}.ttl", folder / _LICENSE_NAME)
    for file in (plugin.binary, plugin.description, plugin.license):
        if not file.is_file():
            raise _missing(f"there is no {file.name} in {folder}")
    return plugin


def _own_folder() -> Path:
    """An editable install of the package has two folders: the sources, and what was built from them."""
    for folder in neutone_sdk.__path__:
        if (Path(folder) / _FOLDER_NAME / _FACTS_NAME).is_file():
            return Path(folder) / _FOLDER_NAME
    raise _missing("this installation of neutone_sdk has no plugins")


def _missing(problem: str) -> BundleError:
    return BundleError(
        f"{problem}; take them from a wheel of neutone_sdk that has them, or build them in a checkout (make plugins) "
        "and name the folder: --plugins-from build/plugins/package/neutone_sdk/plugins"
    )


def _check_torch(facts: Path) -> None:
    """Plugins use torch's C++ interface, which changes with every version."""
    try:
        built_for = json.loads(facts.read_text())["torch"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _missing(f"there are no plugins in {facts.parent}: {facts.name} is missing or damaged") from error
    here = torch.__version__.split("+")[0]  # behind that stands what else it can compute with
    if built_for != here:
        msg = (
            f"the plugins in {facts.parent} are built for torch {built_for}, and torch {here} is installed; install "
            f"that one (pip install torch=={built_for}), or build plugins for this one (make plugins)"
        )
        raise BundleError(msg)
