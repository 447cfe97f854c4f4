"""Whether this process has what a file needs, and whether the file says so of itself."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import torch

from neutone_sdk._library import load_ops_library
from neutone_sdk._version import __version__
from neutone_sdk.constants import FLAVOURS

# Operators of torch that models call. The others, for compilers, several machines, profilers, take what they are given
# for addresses and sizes, or have nothing to do with audio.
COMMON_NAMESPACES: Final = frozenset({"aten", "prim", "quantized", "mkldnn", "mkldnn_prepacked"})
_REFUSED_NAMESPACES: Final = frozenset(
    {
        *("prims", "inductor", "inductor_prims", "debugprims", "rngprims", "static_runtime", "profiler", "export"),
        *("c10d", "_c10d_functional", "_c10d_functional_autograd", "symm_mem", "_dtensor", "fsdp", "rpc"),
        *("_quantized", "quantization", "onednn", "mkl", "onnx", "sparse", "_test", "_native", "debug_mode_ops"),
    }
)


def missing_needs(operators: Iterable[str], metadata: Mapping[str, Any]) -> str:
    """Say what a file needs that is not here, or in what it contradicts its code; nothing if all is well.

    Args:
        operators: What its code calls, as ``namespace::name``.
        metadata: What it says of itself.
    """
    own = {name for name in operators if name.partition("::")[0] not in COMMON_NAMESPACES}
    refused = {name for name in own if name.partition("::")[0] in _REFUSED_NAMESPACES}
    if refused:
        return f"its code uses {_listed(refused)}, which no model for a host needs; it is refused"
    return _contradiction(own, metadata) or _newer(metadata) or _unknown(own)


def _contradiction(own: set[str], metadata: Mapping[str, Any]) -> str:
    flavour = metadata.get("flavour", "native")  # files of 1.x do not say
    if flavour not in FLAVOURS:
        return f"its flavour is {flavour!r}, here {' and '.join(FLAVOURS)} are known; upgrade neutone_sdk"
    if flavour == "portable" and own:
        return f"it says that it is portable, but its code uses {_listed(own)}; export it again"
    stated = metadata.get("required_ops")
    if stated is None:
        return ""  # files of 1.x do not say
    if not isinstance(stated, dict) or not all(isinstance(version, str) for version in stated.values()):
        return "the required_ops of its metadata must be an object of texts; export it again"
    unstated = {name for name in own if name.partition("::")[0] not in stated}
    return f"its code uses {_listed(unstated)}, which its metadata do not state; export it again" if unstated else ""


def _newer(metadata: Mapping[str, Any]) -> str:
    """A newer version may have added operators, and may have changed what they do."""
    needed = (metadata.get("required_ops") or {}).get("neutone", "")
    if _release(needed) > _release(__version__) > ():
        return f"it needs neutone operators of version {needed}, here are those of {__version__}; upgrade neutone_sdk"
    return ""


def _release(version: str) -> tuple[int, ...]:
    """The first two numbers: the third changes no operator."""
    match = re.match(r"(\d{1,9})\.(\d{1,9})", version)
    return tuple(map(int, match.groups())) if match else ()


def _unknown(own: set[str]) -> str:
    load_ops_library()
    unknown = {name for name in own if not torch._C._jit_get_schemas_for_operator(name)}  # noqa: SLF001  # no public way
    remedy = "import the package that brings them first, or take a version of this one that has them"
    return f"its code uses operators that are not here: {_listed(unknown)}; {remedy}" if unknown else ""


def _listed(names: set[str]) -> str:
    shown = 5
    text = ", ".join(sorted(names)[:shown])
    return f"{text} and {len(names) - shown} more" if len(names) > shown else text
