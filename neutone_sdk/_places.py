"""Where the parts of this package lie, told without importing torch: ``python -m neutone_sdk --cmake-dir``."""

import sys
from pathlib import Path
from typing import Final, NamedTuple

from neutone_sdk._version import __version__


class Part(NamedTuple):
    """A file or folder in the package, and what it is."""

    path: str
    name: str


OPERATORS: Final = Part(
    {"win32": "neutone_ops.dll", "darwin": "libneutone_ops.dylib"}.get(sys.platform, "libneutone_ops.so"),
    "the native operators",
)
PARTS: Final = {
    "--cmake-dir": Part("share/cmake/neutone", "the files for CMake"),
    "--include-dir": Part("include", "the headers"),
    "--ops-library": OPERATORS,
}


def find(part: Part) -> Path | None:
    """Return where it is, or nothing."""
    return next((folder / part.path for folder in _folders() if (folder / part.path).exists()), None)


def missing(part: Part) -> str:
    """Say that it is not there, and what to do."""
    folders = _folders()
    archives = [folder for folder in folders if not folder.is_dir()]
    if archives:
        return (
            f"neutone_sdk lies in an archive: {archives[0]}\nNeither torch nor a compiler finds {part.name} in there; "
            "unpack it, or install the package into a folder (pip install neutone_sdk)."
        )
    tried = "\n".join(f"  {folder / part.path}" for folder in folders)
    return (
        f"{part.name} of neutone_sdk are not built. Looked for\n{tried}\n"
        "Install the package (pip install neutone_sdk), or build it from a checkout (make build)."
    )


def _folders() -> list[Path]:
    """An editable install has two: the sources, and what was built from them."""
    return [Path(folder) for folder in sys.modules[__package__].__path__]


def answer() -> None:
    """If all that ``python -m neutone_sdk`` is asked for are places and the version, print them and exit.

    Python imports a package before it runs its ``__main__``: there it would be too late to spare anyone torch.
    """
    asked = _arguments_of_module()
    if not asked or not set(asked) <= {*PARTS, "--version"}:
        return
    for option in asked:
        print(__version__ if option == "--version" else _found(PARTS[option]))  # noqa: T201  # the answer
    sys.exit()


def _arguments_of_module() -> list[str]:
    """Return the arguments if this process was started with ``-m neutone_sdk``, and is about to run it."""
    arguments = getattr(sys, "argv", [])  # a program that embeds Python may have none
    command = sys.orig_argv[: len(sys.orig_argv) - len(arguments) + 1]
    is_module = arguments[:1] == ["-m"] and (command[-2:] == ["-m", __package__] or command[-1] == f"-m{__package__}")
    return arguments[1:] if is_module else []


def _found(part: Part) -> Path:
    path = find(part)
    if path is None:
        sys.exit(f"Error: {missing(part)}")
    return path
