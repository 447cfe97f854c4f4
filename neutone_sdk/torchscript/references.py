"""How deep definitions refer to each other: torch reads what a definition refers to before it, recursively."""

from collections.abc import Mapping
from typing import Final

from neutone_sdk.torchscript.refusal import refuse_unless

MAX_DEPTH: Final = 200  # 3000 overflow a stack of 8 MB; modules in modules in modules are 20


def check_depth(references: Mapping[str, set[str]]) -> None:
    """Refuse definitions of which each refers to the next, and so on.

    Raises:
        RefusedError: The chain is longer than `MAX_DEPTH`.
    """
    graph = {name: _resolved(names, references) - {name} for name, names in references.items()}
    users: dict[str, set[str]] = {name: set() for name in graph}
    for name, used in graph.items():
        for each in used:
            users[each].add(name)
    # Whatever is left between the two ends lies on a circle, or between circles: all of it may be one chain.
    depth = _peel(graph, users) + _peel(users, graph) + len(graph)
    refuse_unless(depth <= MAX_DEPTH, f"its definitions refer to each other more than {MAX_DEPTH} deep")


def _resolved(names: set[str], definitions: Mapping[str, set[str]]) -> set[str]:
    """A reference may name a member of a definition."""
    resolved = set()
    for name in names:
        found = name
        while found and found not in definitions:
            found = found.rpartition(".")[0]
        resolved.add(found)
    return resolved - {""}


def _peel(forward: dict[str, set[str]], backward: dict[str, set[str]]) -> int:
    """Take away, layer by layer, what refers to nothing that is left; return how many layers there were."""
    layer = [name for name, used in forward.items() if not used]
    n_layers = 0
    while layer:
        n_layers += 1
        following = []
        for name in layer:
            for user in backward.pop(name):
                forward[user].discard(name)
                if not forward[user]:
                    following.append(user)
            del forward[name]
        layer = following
    return n_layers
