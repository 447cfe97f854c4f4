"""Which layer of a model a profile's time belongs to.

torch's profiler notes for every operator that TorchScript runs which modules called it, as in
``TOP(SampleQueueWrapper)::forward.SELF(SampleQueueWrapper)::_play.w2w_base(Amp)::do_forward_pass.model(Net)::forward.``,
and from which lines.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from neutone_sdk.benchmark.call_sites import CallSites, Names

QUEUE: Final = "(host to model and back)"
WRAPPER: Final = "(wrapper)"
BETWEEN: Final = "(between operators)"
_WRAPPER_MODULE: Final = "w2w_base"
# What torch's own compiler puts in place of operators is written nowhere in the model, and called by nobody.
_COMPILER_FRAME: Final = "<string>"
_CALL: Final = re.compile(r"(?P<module>[^.():]*)(?:\((?P<kind>[^()]*)\))?::[^.]*\.")
CALLBACK: Final = "neutone callback"  # the annotation that each callback has to have


@dataclass(frozen=True)
class Layer:
    """What one module costs, over all callbacks.

    Attributes:
        name: Where it is in the wrapper, as in ``model.net.0``; `QUEUE`, `WRAPPER` and `BETWEEN` are no layers.
        kind: Its class.
        own_us: Operators that it calls itself.
        total_us: And those of the modules in it.
        n_operators: That it calls itself.
    """

    name: str
    kind: str
    own_us: float
    total_us: float
    n_operators: int


@dataclass
class _Node:
    kind: str = ""
    own_us: float = 0.0
    n_operators: int = 0


@dataclass(frozen=True)
class _Operator:
    duration_us: float
    path: Names
    kinds: Names


def layers_of(events: Iterable[dict[str, Any]], sites: CallSites) -> list[Layer]:
    """Return the layers in the order in which they first ran, those of a module behind it, and `BETWEEN` last.

    Args:
        events: Of a Chrome trace that torch's profiler wrote, with modules and stacks, and annotations `CALLBACK`.
        sites: The code of the file that was played.

    Returns:
        Layers whose ``own_us`` add up to the durations of the callbacks.
    """
    events = list(events)
    nodes: dict[Names, _Node] = {}
    for operator in _operators(events, sites):
        for depth, kind in enumerate(operator.kinds, 1):
            node = nodes.setdefault(operator.path[:depth], _Node())
            node.kind = node.kind or kind
        nodes[operator.path].own_us += operator.duration_us
        nodes[operator.path].n_operators += 1
    layers = [_layer(path, nodes) for path in _as_tree(nodes)]
    callbacks_us = sum(event["dur"] for event in events if _is_callback(event))
    between_us = callbacks_us - sum(layer.own_us for layer in layers)
    return [*layers, Layer(BETWEEN, "", between_us, between_us, 0)]


def has_modules(layers: Iterable[Layer]) -> bool:
    """Return whether the operators say which module called them: those of a frozen file do not."""
    return any(layer.name not in {QUEUE, BETWEEN} for layer in layers)


def _is_callback(event: dict[str, Any]) -> bool:
    return event.get("cat") == "user_annotation" and event.get("name") == CALLBACK


def _operators(events: list[dict[str, Any]], sites: CallSites) -> Iterator[_Operator]:
    """Return the operators that TorchScript called in callbacks: not those that are inside of others."""
    threads = {event["tid"] for event in events if _is_callback(event)}
    found = [event for event in events if event.get("cat") == "cpu_op" and event["tid"] in threads]
    end = float("-inf")
    path: Names = (QUEUE,)
    kinds: Names = ("",)
    for event in sorted(found, key=lambda event: (event["ts"], -event["dur"])):
        stack = event["args"].get("Call stack", "")
        if event["ts"] < end or not stack:  # inside of another, or the model's method itself
            continue
        end = event["ts"] + event["dur"]
        if not stack.startswith(_COMPILER_FRAME):  # else it stands for a part of what came before
            path, kinds = _place(event["args"].get("Module Hierarchy", ""), stack, sites)
        yield _Operator(event["dur"], path, kinds)


def _place(hierarchy: str, stack: str, sites: CallSites) -> tuple[Names, Names]:
    """Return the names of the modules from the wrapper on, and their classes."""
    calls = list(_CALL.finditer(hierarchy))
    frames = [frame for frame in reversed(stack.split(";")) if frame]
    path: list[str] = []
    kinds: list[str] = []
    for index, call in enumerate(calls):
        name = call["module"]
        if name and name not in {"TOP", "SELF"}:
            names = sites.called(frames[index - 1], name) if len(frames) == len(calls) else (name,)
            path += names
            kinds += [""] * (len(names) - 1) + [call["kind"] or ""]
    if path[:1] != [_WRAPPER_MODULE]:
        return (QUEUE,), ("",)
    return (WRAPPER, *path[1:]), tuple(kinds)


def _as_tree(nodes: dict[Names, _Node]) -> list[Names]:
    """Sort: what is in a module comes behind it, otherwise what ran first comes first."""
    first = {path: index for index, path in enumerate(nodes)}
    return sorted(nodes, key=lambda path: [first[path[:depth]] for depth in range(1, len(path) + 1)])


def _layer(path: Names, nodes: dict[Names, _Node]) -> Layer:
    total_us = sum(node.own_us for other, node in nodes.items() if other[: len(path)] == path)
    return Layer(".".join(path[1:]) or path[0], nodes[path].kind, nodes[path].own_us, total_us, nodes[path].n_operators)
