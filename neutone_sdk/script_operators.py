"""What a TorchScript module calls: a walk over the graphs of all methods, nothing of it is run."""

from collections.abc import Container, Iterator
from typing import Any

import torch
from torch.jit import ScriptModule

# Those of torch itself; any host has them.
STOCK_NAMESPACES = frozenset(
    {
        *("aten", "prim", "prims", "prepacked", "quantized", "_quantized", "sparse", "xnnpack"),
        *("mkldnn", "mkldnn_prepacked", "onednn", "inductor", "profiler", "cuda"),
    }
)


def operators_in(script: ScriptModule) -> set[str]:
    """Return the names of all operators that any method of a module can call, without overloads: ``"aten::add"``.

    All methods and hooks of all modules below count, also those that nothing calls, and the functions, TorchScript
    classes and forked calls that they use. What steers a graph (``prim::If`` and the like) is in it too.
    """
    return {node.kind() for node in _all_nodes(script)}


def drops_out(script: ScriptModule) -> bool:
    """Return whether a method calls dropout that is at work whatever the mode, as ``F.dropout(x)`` does."""
    # The third argument, of all variants, says whether it is at work; that of nn.Dropout is an attribute.
    return any(
        node.kind().startswith("aten::") and "dropout" in node.kind() and node.inputsAt(2).toIValue() is True
        for node in _all_nodes(script)
    )


def custom_namespaces(operators: set[str]) -> set[str]:
    """Return the namespaces among operators' names that are not torch's own: a host needs libraries for them."""
    return {name.partition("::")[0] for name in operators} - STOCK_NAMESPACES


def _modules(script: ScriptModule) -> Iterator[Any]:
    """Torch's types do not say that all modules below a script are scripts."""
    yield from script.modules()


def _all_nodes(script: ScriptModule) -> Iterator[Any]:
    kinds = {_type_name(module._c._type()): module for module in _modules(script)}  # noqa: SLF001
    for module in kinds.values():
        for graph in _graphs_of(module):
            yield from _nodes_in(_inlined(graph) if _calls_others(graph, kinds) else graph)


def _type_name(kind: Any) -> str:
    return kind.qualified_name() if isinstance(kind, torch._C.ClassType) else ""  # noqa: SLF001


def _graphs_of(module: Any) -> list[Any]:
    """Return the graphs of a module's own methods and hooks. Modules of one type share them."""
    inner = module._c  # noqa: SLF001  # torch has no other way to name the methods of a loaded module
    bodies = [inner._get_method(name) for name in inner._method_names()]  # noqa: SLF001
    hooks = [*inner._get_forward_hooks(), *inner._get_forward_pre_hooks()]  # noqa: SLF001
    return [body.graph for body in [*bodies, *hooks]]


def _calls_others(graph: Any, modules: Container[str]) -> bool:
    """Return whether a graph calls what is no method of a module: a function, or a method of a TorchScript class."""
    if graph.findAllNodes("prim::CallFunction"):
        return True
    owners = (next(node.inputs()).type() for node in graph.findAllNodes("prim::CallMethod"))
    return any(_type_name(owner) not in modules for owner in owners)


def _inlined(graph: Any) -> Any:
    """Return a copy with the bodies of all calls in their places: torch gives no other access to functions."""
    graph = graph.copy()
    torch._C._jit_pass_inline(graph)  # noqa: SLF001
    return graph


def _nodes_in(block: Any) -> Iterator[Any]:
    """Yield all nodes of a graph, those of branches, loops and forked calls too."""
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes_in(inner)
        if node.hasAttribute("Subgraph"):
            yield from _nodes_in(_inlined(node.g("Subgraph")))
