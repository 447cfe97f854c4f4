"""Which shared libraries a shared library needs, as Linux's dynamic loader finds them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from neutone_sdk.errors import BundleError

# The C and C++ runtimes and the loader, which every Linux that runs torch brings: what manylinux wheels leave out.
_OF_THE_SYSTEM: Final = re.compile(r"(?:lib(?:c|m|dl|rt|util|pthread|gcc_s|stdc\+\+)|ld-linux-[\w-]+)\.so\.\d+")
_ORIGIN: Final = re.compile(r"\$ORIGIN\b|\$\{ORIGIN\}")


@dataclass(frozen=True)
class Dynamic:
    """What a library tells the loader."""

    needed: tuple[str, ...]
    search: tuple[str, ...]  # folders, from RUNPATH, or else RPATH; $ORIGIN stands for the library's own

    def folders(self, library: Path) -> list[Path]:
        """Return where the loader looks for what this library needs."""
        return [Path(_ORIGIN.sub(lambda _: str(library.parent), entry)) for entry in self.search]


def read_dynamic(library: Path) -> Dynamic:
    """Return what a library needs.

    Raises:
        BundleError: It is no shared library of Linux, cannot be read, or pyelftools is not installed.
    """
    try:
        from elftools.common.exceptions import ELFError  # noqa: PLC0415  # an extra, that only bundles need
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415
    except ImportError as error:
        msg = "reading libraries takes pyelftools, which is not installed: pip install 'neutone_sdk[bundle]'"
        raise BundleError(msg) from error
    try:
        with library.open("rb") as file:
            segments: Iterator[Any] = ELFFile(file).iter_segments("PT_DYNAMIC")
            tags = [(tag.entry.d_tag, tag) for segment in segments for tag in segment.iter_tags()]
            needed = tuple(tag.needed for kind, tag in tags if kind == "DT_NEEDED")
            paths = {kind: getattr(tag, kind[3:].lower()) for kind, tag in tags if kind in ("DT_RPATH", "DT_RUNPATH")}
    except (ELFError, OSError) as error:
        msg = f"{library} is no shared library that can be bundled: {error}"
        raise BundleError(msg) from error
    search = paths.get("DT_RUNPATH", paths.get("DT_RPATH", ""))
    return Dynamic(needed, tuple(entry for entry in search.split(":") if entry))


def closure(roots: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Return all libraries that ``roots`` need, and those need, by name; not the roots, nor what every system has.

    Args:
        roots: Libraries.
        folder: Where to look first, torch's; then where a library says itself.

    Raises:
        BundleError: One is nowhere.
    """
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        library = waiting.pop()
        dynamic = read_dynamic(library)
        for name in _not_of_the_system(dynamic):
            if name in found:
                continue
            found[name] = _find(name, library, [folder, *dynamic.folders(library)])
            waiting.append(found[name])
    return found


def check_relocatable(libraries: Mapping[str, Path]) -> None:
    """Raise unless libraries in one folder find each other, wherever that is moved.

    Raises:
        BundleError: One looks elsewhere for what lies beside it.
    """
    for library in libraries.values():
        dynamic = read_dynamic(library)
        beside = [name for name in _not_of_the_system(dynamic) if name in libraries]
        if beside and not any(_ORIGIN.fullmatch(entry.rstrip("/.")) for entry in dynamic.search):
            msg = (
                f"{library.name} does not look for {', '.join(beside)} in its own folder, but in "
                f"{':'.join(dynamic.search) or 'none'}; set that where it comes from: patchelf --set-rpath '$ORIGIN'"
            )
            raise BundleError(msg)


def _not_of_the_system(dynamic: Dynamic) -> Iterator[str]:
    return (name for name in dynamic.needed if not _OF_THE_SYSTEM.fullmatch(name))


def _find(name: str, library: Path, folders: list[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    msg = (
        f"{name}, which {library} needs, is neither beside torch nor in its own search path; a torch with everything "
        "beside it is the CPU build from https://download.pytorch.org/whl/cpu"
    )
    raise BundleError(msg)
