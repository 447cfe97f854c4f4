"""Turns a failed conversion to TorchScript into what its author has to know: which line, and what to change."""

import ast
import inspect
import linecache
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any

from torch import nn

from neutone_sdk.errors import ScriptingError

PACKAGE_FOLDER = Path(__file__).parent

# What torch's message says, and what helps.
_REMEDIES = (
    (r"numpy", "use torch's functions on tensors instead of NumPy's: NumPy does not exist in an exported file"),
    (r"try blocks", "test for the condition before it happens: TorchScript cannot catch exceptions"),
    (r"Lambda", "write a function with def instead of the lambda"),
    (r"set nonexistent attribute", "create the attribute in __init__, after super().__init__, with its final type"),
    (r"is not defined in the (false|true) branch", "give the variable a value before the if, or in both branches"),
    (r"unsupported index type 'str'", "annotate the argument, for instance params: Dict[str, Tensor]"),
    (
        r"failed to convert Python type",
        "annotate the attribute on the class, or keep in it what TorchScript knows: tensors, numbers, strings, lists",
    ),
    (r"closed over global variable", "pass the value as an argument, write it in the method, or make it an attribute"),
    (r"has no attribute or method", "annotate where the object comes from: what has no annotation counts as a Tensor"),
    (r"undefined value|Unknown type name", "import or define the name at the top of the file, not inside a function"),
    (
        r"Expected a value of type|expected a value of type|previously had type|type mismatch",
        "give the value one type throughout, and annotate it: x: Optional[Tensor] = None",
    ),
    (
        r"with statements? |with .*context manager",
        "leave the with out: TorchScript knows torch.no_grad() and few others",
    ),
)
_OTHERWISE = "rewrite the line in TorchScript's part of Python (pytorch.org/docs/stable/jit_language_reference.html)"

_KNOWN_LIBRARIES = ("torch", "math", "typing", "warnings", "neutone_sdk")

_LOCATION = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


@dataclass(frozen=True)
class _Place:
    file: str
    line: int

    @property
    def is_ours(self) -> bool:
        return PACKAGE_FOLDER in Path(self.file).parents

    @property
    def code(self) -> str:
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self._function()} ({self.file}, line {self.line})"

    def _function(self) -> str:
        """Name the function that the line stands in, with its class."""
        try:
            node: ast.AST = ast.parse("".join(linecache.getlines(self.file)))
        except SyntaxError:
            return "code"
        names: list[str] = []
        while True:
            inner = [
                child
                for child in ast.walk(node)
                if isinstance(child, (ast.FunctionDef, ast.ClassDef))
                and child is not node
                and child.lineno <= self.line <= (child.end_lineno or child.lineno)
            ]
            if not inner:
                return ".".join(names) or "module"
            node = min(inner, key=lambda child: child.lineno)
            names.append(node.name)


def explain(error: Exception, model: nn.Module) -> ScriptingError:
    """Return the error to raise instead of what torch raised while it converted ``model``."""
    text = str(error)
    if not _LOCATION.search(text):
        text += _places_in(error.__traceback__) or _foreign_call_in(model)
    places = [_Place(match["file"], int(match["line"])) for match in _LOCATION.finditer(text)]
    theirs = [place for place in places if not place.is_ours]
    reason = text[: match.start()] if (match := _LOCATION.search(text)) else text
    if not theirs:
        remedy = (
            "nothing in your code: this is a fault of neutone_sdk, or a torch that it does not know; please report it"
        )
        return ScriptingError(
            f"TorchScript cannot convert {type(model).__name__}\n  because: {_line(reason)}\n  change: {remedy}"
        )
    remedy = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, text)), _OTHERWISE)

    lines = [f"TorchScript cannot convert {type(model).__name__}"]
    for index, place in enumerate(dict.fromkeys(theirs)):
        lines.append(f"  {'in' if index == 0 else 'called from'} {place}:\n      {place.code}")
    lines.append(f"  because: {_line(reason)}")
    lines.append(f"  change: {remedy}")
    return ScriptingError("\n".join(lines))


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(":").strip()


def _places_in(traceback: TracebackType | None) -> str:
    """Find the source that torch was compiling when something else than the compiler failed, innermost first."""
    places: list[str] = []
    while traceback is not None:
        location: Any = traceback.tb_frame.f_locals.get("loc")
        if hasattr(location, "highlight"):
            places.insert(0, str(location.highlight()))
        traceback = traceback.tb_next
    return "".join(f"\n{place}" for place in places)


def _foreign_call_in(model: nn.Module) -> str:
    """Find the first use of a library that TorchScript does not know: on some of them it fails without a location."""
    for module_class in dict.fromkeys(type(module) for module in model.modules()):
        if module_class.__module__.split(".")[0] in _KNOWN_LIBRARIES:
            continue
        for method in vars(module_class).values():
            function = inspect.unwrap(method) if inspect.isfunction(method) else None
            line = _first_foreign_line(function) if function is not None else None
            if function is not None and line is not None:
                return f'\nFile "{inspect.getsourcefile(function)}", line {line}'
    return ""


def _first_foreign_line(function: FunctionType) -> int | None:
    try:
        lines, first_line = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and function.__name__ != "__init__":
            module = function.__globals__.get(node.id)
            if inspect.ismodule(module) and module.__name__.split(".")[0] not in _KNOWN_LIBRARIES:
                return first_line + node.lineno - 1
    return None
