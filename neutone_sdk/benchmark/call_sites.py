"""Which module a line of TorchScript calls.

torch's profiler names a called module by its last name only: ``xs.0`` and ``ys.0`` are both ``0`` to it. The line that
called it tells them apart, for instance ``x = (_0).forward(y, )`` below ``xs = self.xs`` and
``_0 = getattr(xs, "0")``.
"""

import io
import re
import zipfile
from typing import Final

Names = tuple[str, ...]

_FRAME: Final = re.compile(r"(?P<file>code/.*)\((?P<line>\d+)\): ")
_CALLED: Final = re.compile(r"\((\w+)\)\.\w+\(")
_ATTRIBUTE: Final = re.compile(r"^\s*(\w+) = (\w+)\.(\w+)$")
_ITEM: Final = re.compile(r'^\s*(\w+) = getattr\((\w+), "([^"]+)"\)$')


class CallSites:
    """The code of a model file.

    Args:
        content: The file.
    """

    def __init__(self, content: bytes) -> None:
        self.files: dict[str, list[str]] = {}
        self.known: dict[tuple[str, str], Names] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                path = name.partition("/")[2]
                if path.startswith("code/") and path.endswith(".py"):
                    self.files[path] = archive.read(name).decode().splitlines()

    def called(self, frame: str, name: str) -> Names:
        """Return where the module called at a frame is, from the module whose code that is on: ``("xs", "0")``.

        Args:
            frame: As in ``code/__torch__.py(15): forward``.
            name: The module's last name. It alone is returned if the line tells nothing more.
        """
        if (frame, name) not in self.known:
            self.known[frame, name] = self._called(frame, name)
        return self.known[frame, name]

    def _called(self, frame: str, name: str) -> Names:
        found = _FRAME.match(frame)
        lines = self.files.get(found["file"], []) if found else []
        at = int(found["line"]) if found else 0
        if not 1 <= at <= len(lines):
            return (name,)
        parents = _parents(lines[:at])
        chains = {_chain(variable, parents) for variable in _CALLED.findall(lines[at - 1])}
        fitting = sorted(chain for chain in chains if chain[-1:] == (name,))
        return fitting[0] if len(fitting) == 1 else (name,)


def _parents(lines: list[str]) -> dict[str, tuple[str, str]]:
    """Return for each variable of the function that the last line is in whose attribute it is, and which."""
    parents: dict[str, tuple[str, str]] = {}
    for line in reversed(lines):
        found = _ATTRIBUTE.match(line) or _ITEM.match(line)
        if found:
            parents.setdefault(found[1], (found[2], found[3]))
        if line.lstrip().startswith("def "):
            break
    return parents


def _chain(variable: str, parents: dict[str, tuple[str, str]]) -> Names:
    names: list[str] = []
    while variable in parents and len(names) <= len(parents):  # each once, whatever a stranger's code says
        variable, name = parents[variable]
        names.insert(0, name)
    return tuple(names)
