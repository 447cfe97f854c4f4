"""Which layer of a model a profile's time belongs to.

torch's profiler notes for every operator that TorchScript runs which modules called it, as in
``TOP(SampleQueueWrapper)::forward.SELF(SampleQueueWrapper)::_run_blocks.w2w_base(Amp)::do_forward_pass.model(Net)::forward.``,
and from which lines. That takes it ten times as long as a small operator itself. So callbacks are timed without, and
others like them tell whose operators those are.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from neutone_sdk.benchmark.call_sites import CallSites, Names
from neutone_sdk.streaming.schedule import ceil_div

QUEUE: Final = "(host to model and back)"
WRAPPER: Final = "(wrapper)"
BETWEEN: Final = "(between operators)"
_WRAPPER_MODULE: Final = "w2w_base"
# What torch's own compiler puts in place of operators is written nowhere in the model, and called by nobody.
_COMPILER_FRAME: Final = "<string>"
_METHOD: Final = "forward"  # of the whole model: every operator is inside of it
_CALL: Final = re.compile(r"(?P<module>[^.():]*)(?:\((?P<kind>[^()]*)\))?::[^.]*\.")
CALLBACK: Final = "neutone callback"  # the annotation that each callback has to have


@dataclass(frozen=True)
class Layer:
    """What one module costs, over all callbacks.

    Attributes:
        name: Where it is in the wrapper, as in ``model.net.0``; ``QUEUE``, ``WRAPPER`` and ``BETWEEN`` are no layers.
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


@dataclass(frozen=True)
class Costs:
    """What all layers cost: their ``own_us`` add up to the durations of the callbacks.

    Of the callbacks with the same operators the faster half stands for all of them: what takes the core away meanwhile
    is no layer, but would be counted as one.
    """

    layers: tuple[Layer, ...]
    n_callbacks: int
    callbacks_us: float


@dataclass
class _Node:
    kind: str = ""
    own_us: float = 0.0
    n_operators: int = 0


Place = tuple[Names, Names]  # the names of the modules down to the one that calls, and their classes


@dataclass
class _Callback:
    duration_us: float
    operators: list[dict[str, Any]]  # those that TorchScript called: not those that are inside of others

    @property
    def names(self) -> Names:
        return tuple(operator["name"] for operator in self.operators)


def layers_of(timed: list[dict[str, Any]], placed: list[dict[str, Any]], sites: CallSites) -> Costs:
    """Return the layers in the order in which they first ran, those of a module behind it, and `BETWEEN` last.

    Args:
        timed: Events of a Chrome trace that torch's profiler wrote, with annotations `CALLBACK`.
        placed: The same of other callbacks, with modules and stacks. If there are none in it with the same operators
            one after the other as one in ``timed``, these callbacks themselves are counted instead.
        sites: The code of the file that was played.
    """
    known = _callbacks(placed)
    places = {callback.names: _places(callback, sites) for callback in known}
    callbacks = _callbacks(timed)
    if any(callback.names not in places for callback in callbacks):
        callbacks = known
    nodes: dict[Names, _Node] = {}
    callbacks_us = 0.0
    for group in _alike(callbacks):
        kept = sorted(group, key=lambda callback: callback.duration_us)[: ceil_div(len(group), 2)]
        weight = len(group) / len(kept)  # not 2: where the model works in one callback of many, that is a group of one
        callbacks_us += weight * sum(callback.duration_us for callback in kept)
        for index, place in enumerate(places[group[0].names]):
            duration_us = weight * sum(callback.operators[index]["dur"] for callback in kept)
            _count(nodes, duration_us, len(group), *place)
    layers = [_layer(path, nodes) for path in _as_tree(nodes)]
    between_us = callbacks_us - sum(layer.own_us for layer in layers)
    return Costs((*layers, Layer(BETWEEN, "", between_us, between_us, 0)), len(callbacks), callbacks_us)


def has_modules(layers: Iterable[Layer]) -> bool:
    """Return whether the operators say which module called them: those of a frozen file do not."""
    return any(layer.name not in {QUEUE, BETWEEN} for layer in layers)


def _callbacks(events: list[dict[str, Any]]) -> list[_Callback]:
    """Return the callbacks of a trace. What other threads do meanwhile is theirs."""
    callbacks: list[_Callback] = []
    thread, callback_end, operator_end = None, 0.0, 0.0
    for event in sorted(filter(_counts, events), key=lambda event: (event["ts"], -event["dur"])):
        start, end = event["ts"], event["ts"] + event["dur"]
        if event["name"] == CALLBACK:
            thread, callback_end, operator_end = event["tid"], end, start
            callbacks.append(_Callback(event["dur"], []))
        elif event["tid"] == thread and operator_end <= start < callback_end and event["name"] != _METHOD:
            operator_end = end
            callbacks[-1].operators.append(event)
    return callbacks


def _alike(callbacks: list[_Callback]) -> Iterable[list[_Callback]]:
    groups: dict[Names, list[_Callback]] = {}
    for callback in callbacks:
        groups.setdefault(callback.names, []).append(callback)
    return groups.values()


def _counts(event: dict[str, Any]) -> bool:
    category = event.get("cat")
    return category == "cpu_op" or (category == "user_annotation" and event["name"] == CALLBACK)


def _count(nodes: dict[Names, _Node], duration_us: float, n_operators: int, path: Names, kinds: Names) -> None:
    for depth, kind in enumerate(kinds, 1):
        node = nodes.setdefault(path[:depth], _Node())
        node.kind = node.kind or kind
    nodes[path].own_us += duration_us
    nodes[path].n_operators += n_operators


def _places(callback: _Callback, sites: CallSites) -> list[Place]:
    places: list[Place] = []
    place: Place = ((QUEUE,), ("",))
    for operator in callback.operators:
        stack = operator["args"].get("Call stack", "")
        if not stack.startswith(_COMPILER_FRAME):  # else it stands for a part of what came before
            place = _place(operator["args"].get("Module Hierarchy", ""), stack, sites)
        places.append(place)
    return places


def _place(hierarchy: str, stack: str, sites: CallSites) -> Place:
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
