"""Where things lie in a bundle, by format. For Linux only: other systems want other libraries and signatures."""

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neutone_sdk.errors import BundleError, InvalidArgumentError

# A CLAP is a single file on Linux, which hosts find in folders of any name.
SUFFIXES: Final = {"vst3": ".vst3", "clap": "", "lv2": ".lv2"}
HOST_FOLDERS: Final = {"vst3": "~/.vst3", "clap": "~/.clap", "lv2": "~/.lv2"}
_MODEL_NAME: Final = "model.nm"


@dataclass(frozen=True)
class Layout:
    """Places in a bundle, relative to its folder. Libraries lie beside the binary."""

    binary: Path
    resources: Path

    @property
    def model(self) -> Path:
        """The file to play."""
        return self.resources / _MODEL_NAME


def check_format(plugin_format: str) -> None:
    """Raise unless there is such a format, on this system.

    Raises:
        InvalidArgumentError: There is none of that name.
        BundleError: This is not Linux.
    """
    if plugin_format not in SUFFIXES:
        msg = f"plugin must be one of {', '.join(SUFFIXES)}, got {plugin_format!r}"
        raise InvalidArgumentError(msg)
    if sys.platform != "linux":
        msg = f"bundles can be made on Linux only, for Linux; this is {sys.platform}"
        raise BundleError(msg)


def layout_of(plugin_format: str, output: Path) -> Layout:
    """Return where things lie in the bundle ``output``.

    Raises:
        InvalidArgumentError: Hosts would not look into a folder of that name.
    """
    stem = output.stem if SUFFIXES[plugin_format] else output.name
    suffix = SUFFIXES[plugin_format]
    if plugin_format == "clap" and output.suffix == ".clap":
        msg = (
            f"a CLAP is a single file on Linux, with its libraries beside it, so that its bundle is a folder of "
            f"another name, got {output.name}; call it {output.stem}, which then holds {output.name}"
        )
        raise InvalidArgumentError(msg)
    if suffix and output.suffix != suffix:
        msg = f"hosts look for a {plugin_format} in folders that end with {suffix}, got {output.name}"
        raise InvalidArgumentError(msg)
    here = Path()
    if plugin_format == "vst3":  # its binary has the name of the bundle
        return Layout(Path("Contents", f"{platform.machine()}-linux", f"{stem}.so"), Path("Contents", "Resources"))
    return Layout(Path("plugin.so" if plugin_format == "lv2" else f"{stem}.clap"), here)


def default_output(plugin_format: str, name: str) -> Path:
    """Return the folder for a plugin that is called ``name``, in this one."""
    stem = re.sub(r"[^\w-]+", "_", name).strip("_") or "plugin"
    return Path(stem + SUFFIXES[plugin_format])
