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

import torch
from torch import nn
from torch._sources import fake_range
from torch.jit.annotations import try_ann_to_type

from neutone_sdk.errors import ScriptingError
from neutone_sdk.script_methods import OVERRIDES, evaluated, names_around, overridden

PACKAGE_FOLDER = Path(__file__).parent
TORCH_FOLDER = Path(torch.__file__).parent

# What torch's message says, and what helps.
_REMEDIES = (
    (
        r"super\(.*\n\s*~*\s*<--- HERE",
        "call the base class's method by another name than super(): TorchScript has no classes to look it up in",
    ),
    (
        r"torch[/\\]utils[/\\]_contextlib\.py",
        "remove the decorator, such as @torch.no_grad(), from the function: TorchScript compiles it in the wrong place",
    ),
    (r"Can't get source", "put the class into a .py file: TorchScript reads the source, and exec leaves none"),
    (
        r"Could not export Python function",
        "remove @torch.jit.ignore, or call the method only if not torch.jit.is_scripting(): no file can hold it",
    ),
    (
        r"Unknown type name '(dict|list|tuple|Dict|List|Tuple)'",
        "say what it holds, for instance dict[str, Tensor] or list[int]",
    ),
    (
        r"Unknown type annotation",
        "annotate it with a type that TorchScript knows (Tensor, int, list[int], ...), or leave the annotation out",
    ),
    (
        r"expected type comment",
        "reword the comment with '# type:', TorchScript reads a type there; only '# type: ignore[code]' may end a line",
    ),
    (r"does not return along all paths", "return a value on every path; one that ends without return returns None"),
    (r"numpy", "use torch's functions on tensors instead of NumPy's: NumPy does not exist in an exported file"),
    (r"try blocks", "test for the condition before it happens: TorchScript cannot catch exceptions"),
    (r"Lambda", "write a function with def instead of the lambda"),
    (
        r"Module '\w+' has no attribute '\w+'(?! \()",
        (
            "create it in __init__, after super().__init__; a constant of the class needs its type, N: Final[int] = 4; "
            "what the first block creates, as in layers of cached-conv, is there once a block has been played"
        ),
    ),
    (r"set nonexistent attribute", "create the attribute in __init__, after super().__init__, with its final type"),
    (r"is not defined in the (false|true) branch", "give the variable a value before the if, or in both branches"),
    (r"unsupported index type 'str'", "annotate the argument, for instance params: Dict[str, Tensor]"),
    (
        r"concrete type of torch\.nn\.Module",
        "put the modules into an nn.ModuleList, or there are no weights in the file",
    ),
    (
        r"failed to convert Python type",
        "annotate the attribute on the class, or keep in it what TorchScript knows: tensors, numbers, strings, lists",
    ),
    (
        r"variable number of arguments",
        "name every argument: TorchScript knows no *args, no **kwargs, and no default behind a *",
    ),
    (r"Tensor \(inferred\)", "annotate the argument, for instance n: int; what has no annotation counts as a Tensor"),
    (r"found type 'Optional", "put it into a variable and ask that one: past = self.past; if past is not None: ..."),
    (r"Could not match type \w+ to t ", "say what the empty list holds, for instance sizes: list[int] = []"),
    (r"formatting in JoinedStr", "leave the format, such as :.2f, out of the f-string"),
    (r"function definitions", "move the function to the top of the file, or make it a method"),
    (r"ModuleList/Sequential indexing", "loop over the modules: for layer in self.layers, or enumerate(self.layers)"),
    (r"import statements", "import at the top of the file"),
    (r"Expected a single top-level function", "write a function with def instead of the lambda"),
    (r"closed over global variable", "pass the value as an argument, write it in the method, or make it an attribute"),
    (r"has no attribute or method", "annotate where the object comes from: what has no annotation counts as a Tensor"),
    (r"undefined value|Unknown type name", "import or define the name at the top of the file, not inside a function"),
    (
        (
            r"[Ee]xpected a value of type|previously had type|type mismatch|was annotated as having type|"
            r"Wrong type for|if-expression's true branch"
        ),
        "give the value one type throughout, and annotate it: x: Optional[Tensor] = None",
    ),
    (
        r"with statements? |with .*context manager",
        "leave the with out: TorchScript knows torch.no_grad() and few others",
    ),
)
# The same where torch points to no line at all.
_REMEDIES_WITHOUT_PLACE = (
    (
        r"'(WeightNorm|SpectralNorm)' object has no attribute",
        (
            "call torch.nn.utils.remove_weight_norm (or remove_spectral_norm) on each layer that has it, or use the "
            "one in torch.nn.utils.parametrizations"
        ),
    ),
)
_NOBODY = "nothing in your code: this is a fault of neutone_sdk, or a torch that it does not know; please report it"
_OTHERWISE = "rewrite the line in TorchScript's part of Python (pytorch.org/docs/stable/jit_language_reference.html)"

_KNOWN_LIBRARIES = ("torch", "math", "typing", "warnings", "neutone_sdk")

_LOCATION = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')

# How torch's messages, and the lines of ours that call the user's methods, name a method, maybe with its class.
_METHOD_NAMES = (
    r"(?P<method>\w+)\(__torch__\.(?:\w+\.)*(?P<owner>\w+) self",
    r"<function (?:[\w.<>]*?(?P<owner>\w+)\.)?(?P<method>\w+) at ",
    r"Python function call '(?P<method>\w+)'(?P<owner>)",
    r"self\.(?:w2w_base\.)?(?P<method>\w+)\((?P<owner>)",
)


@dataclass(frozen=True)
class _Place:
    file: str
    line: int
    name: str = ""  # if the file cannot tell

    def is_in(self, folder: Path) -> bool:
        return folder in Path(self.file).parents

    @property
    def code(self) -> str:
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.name or self._function()} ({self.file}, line {self.line})" + (
            f":\n      {self.code}" if self.code else ""
        )

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
    """Return the error to raise instead of what torch raised while it converted or saved ``model``."""
    text = str(error)
    if not _LOCATION.search(text):
        text += _places_in(error.__traceback__) or ("" if _named_in(text, model) else _foreign_call_in(model))
    reason = _reason(text[: match.start()] if (match := _LOCATION.search(text)) else text)
    misfit = _misfit_of(model)
    if misfit is not None:
        override, ours, what = misfit
        return _error(model, [_start_of(override)], f"{what} (torch says: {reason})", _declaration_of(ours))
    remedy = _remedy(_REMEDIES, text, _OTHERWISE)
    places = [_Place(match["file"], int(match["line"])) for match in _LOCATION.finditer(text)]
    not_ours = [place for place in places if not place.is_in(PACKAGE_FOLDER)]
    guilty = [place for place in not_ours if not place.is_in(TORCH_FOLDER)] or _guessed(text, places, model) or not_ours
    return _error(model, guilty, reason, remedy if guilty else _remedy(_REMEDIES_WITHOUT_PLACE, text, _NOBODY))


def _remedy(remedies: tuple[tuple[str, str], ...], text: str, otherwise: str) -> str:
    return next((remedy for pattern, remedy in remedies if re.search(pattern, text)), otherwise)


def _error(model: nn.Module, places: list[_Place], reason: str, remedy: str) -> ScriptingError:
    lines = [f"TorchScript cannot convert {type(model).__name__}"]
    for index, place in enumerate(dict.fromkeys(places)):
        lines.append(f"  {'in' if index == 0 else 'called from'} {place}")
    return ScriptingError("\n".join([*lines, f"  because: {reason}", f"  change: {remedy}"]))


def _guessed(text: str, places: list[_Place], model: nn.Module) -> list[_Place]:
    """Find what of the user's is meant where torch points into our code only."""
    called = "\n".join(place.code for place in places if place.is_in(PACKAGE_FOLDER))
    method = _named_in(text, model) or _named_in(called, model)
    return [_start_of(method)] if method is not None else _unreadable_annotations(model)


def _named_in(text: str, model: nn.Module) -> FunctionType | None:
    """Find the first method of the user's that a text names."""
    for pattern in _METHOD_NAMES:
        for match in re.finditer(pattern, text):
            for owner in _classes_of(model):
                method = vars(owner).get(match["method"])
                if isinstance(method, FunctionType) and match["owner"] in {None, "", owner.__name__}:
                    return inspect.unwrap(method)
    return None


def _classes_of(model: nn.Module) -> list[type]:
    """Return the user's classes, those of ``model`` first."""
    classes = dict.fromkeys(base for module in model.modules() for base in type(module).__mro__)
    return [each for each in classes if each.__module__.split(".")[0] not in {*_KNOWN_LIBRARIES, "builtins", "abc"}]


def _start_of(function: FunctionType) -> _Place:
    """Return the line of a function's ``def``, behind its decorators."""
    code = function.__code__
    try:
        lines, first_line = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return _Place(code.co_filename, code.co_firstlineno, function.__qualname__.split("<locals>.")[-1])
    offset = next((index for index, line in enumerate(lines) if line.lstrip().startswith("def ")), 0)
    return _Place(code.co_filename, first_line + offset)


def _unreadable_annotations(model: nn.Module) -> list[_Place]:
    """Find the attributes that are annotated on their class with a type that TorchScript does not know."""
    return [
        place
        for module in model.modules()
        for owner in type(module).__mro__
        for name, kind in inspect.get_annotations(owner).items()
        if owner in _classes_of(model)
        and not isinstance(getattr(module, name, module), nn.Module)  # those and missing ones are not asked for
        and _script_type(evaluated(kind, names_around(owner))) is None
        for place in _annotation_of(owner, name)
    ]


def _annotation_of(owner: type, name: str) -> list[_Place]:
    try:
        lines, first_line = inspect.getsourcelines(owner)
        body = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError):
        return []
    return [
        _Place(inspect.getsourcefile(owner) or "", first_line + node.lineno - 1)
        for node in ast.walk(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    ]


def _misfit_of(model: nn.Module) -> tuple[FunctionType, FunctionType, str] | None:
    """Find an override that cannot be called like what it overrides: itself, ours, and what is wrong with it."""
    for name in OVERRIDES:
        override = overridden(type(model), name)
        what = None if override is None else _misfit(*override)
        if override is not None and what is not None:
            return *override, what
    return None


def _misfit(method: FunctionType, ours: FunctionType) -> str | None:
    """Say why ``method`` cannot be called like ``ours``; None if it can. What it leaves unannotated fits."""
    wanted = inspect.signature(ours).parameters
    signature = inspect.signature(method)
    try:
        arguments = signature.bind(*wanted).arguments  # from the name here to the name there
    except TypeError:
        return f"{method.__name__} is called with ({', '.join(wanted)}), but takes ({', '.join(signature.parameters)})"
    for mine, theirs in [*list(arguments.items())[1:], ("return", "return")]:
        needed = ours.__annotations__.get(theirs, Any)
        declared = evaluated(method.__annotations__.get(mine, needed), method.__globals__)
        if not _fits(declared, needed, is_result=mine == "return"):
            subject = "what it returns" if mine == "return" else mine
            kinds = inspect.formatannotation(declared), inspect.formatannotation(needed)
            return f"{method.__name__} declares {subject} as {kinds[0]}, but it has to be {kinds[1]}"
    return None


def _fits(kind: object, wanted: object, *, is_result: bool) -> bool:
    """Return whether TorchScript takes a value for both; texts are annotations that only it can read."""
    if isinstance(kind, str):
        return True
    mine, theirs = _script_type(kind), _script_type(wanted)
    return mine is not None and (mine.isSubtypeOf(theirs) if is_result else theirs.isSubtypeOf(mine))


def _script_type(annotation: object) -> Any:
    """Return TorchScript's type for an annotation; None if it has none."""
    try:
        return try_ann_to_type(annotation, fake_range())
    except Exception:  # noqa: BLE001  # for a class it tries to compile the class
        return None


def _declaration_of(ours: FunctionType) -> str:
    return f"declare it as def {ours.__name__}{inspect.signature(ours)}, and keep to these types"


def _reason(text: str) -> str:
    """Return torch's reason in one line: of an operator that takes something else, not what all its variants take."""
    line = re.sub(r" \(of Python compilation unit at: 0x\w+\)| at 0x[0-9a-f]+", "", " ".join(text.split()))
    line = line.rstrip(":").strip()
    short, many, variants = line.partition(" The following variants are available: ")
    found = ", ".join(dict.fromkeys(re.findall(r"found type '([^']+)'", variants)))
    operator = re.match(r"[\w:]+", variants)
    return f"{short} No variant of {operator[0]} takes {found}" if many and operator and found else line


def _places_in(traceback: TracebackType | None) -> str:
    """Find the source that torch was compiling when something else than the compiler failed, innermost first."""
    places: list[str] = []
    while traceback is not None:
        for name in ("loc", "r"):  # where torch keeps a value's place, and a method's
            location: Any = traceback.tb_frame.f_locals.get(name)
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
