"""Reads the code of a TorchScript file as text: what it declares, what it uses, and what may not be in it.

Torch runs some of the code when it loads a file: values of constants, defaults of arguments, ``__setstate__``; and what
is nested too deep overflows its stack, which ends the process. So none of that is let through.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from neutone_sdk.torchscript.refusal import RefusedError, refuse_unless
from neutone_sdk.torchscript.types import SAFE_CLASSES, Declaration

MAX_TOKENS: Final = 500_000  # of all code of a file: a second of judging
MAX_LINE_BYTES: Final = 2**20
MAX_INDENT: Final = 200
MAX_BRACKETS: Final = 64
# Parts of one expression, one inside the other or one after the other without a comma between: torch walks them
# recursively. 2000 are too many for a stack of 8 MB; written code has 150.
MAX_CHAIN: Final = 500
# Operators that read or write files, or memory that is none of theirs.
FORBIDDEN: Final = frozenset(
    {
        "from_file",
        "save",
        "data_ptr",
        "_nested_view_from_buffer",
        "_nested_view_from_buffer_copy",
        "_nested_view_from_jagged",
        "_reinterpret_tensor",
        "_sparse_coo_tensor_unsafe",
        "_sparse_compressed_tensor_unsafe",
        "_sparse_csr_tensor_unsafe",
        "_sparse_csc_tensor_unsafe",
        "_sparse_bsr_tensor_unsafe",
        "_sparse_bsc_tensor_unsafe",
        "rpc_sync",
        "rpc_async",
        "rpc_remote",
    }
)
_RUN_WHEN_LOADED: Final = ("__setstate__", "__getstate__")
_ROOTS: Final = ("torch", "ops", "__torch__")  # where names of operators and classes start
# A lookahead is not tried again: the texts of an attacker are long, and without an end.
_TOKEN: Final = re.compile(
    r"""[ ]*
    (?:(?P<name>[^\W\d]\w*)
    |(?P<sign>[^\w\s"'\\\#])
    |(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?j?(?!\w))
    |(?P<string>"(?=(?P<in_double>[^"\\\n]*(?:\\.[^"\\\n]*)*))(?P=in_double)"
               |'(?=(?P<in_single>[^'\\\n]*(?:\\.[^'\\\n]*)*))(?P=in_single)')
    |(?P<newline>(?:\#[^\n]*)?\n))""",
    re.VERBOSE | re.ASCII,
)
_LITERAL_SIGNS: Final = frozenset("()[]{},:.=->")
_KINDS: Final = {"Module": "Module", "NamedTuple": "NamedTuple", "Enum": "Enum"} | dict.fromkeys(
    ("Interface", "ModuleInterface"), "Interface"
)


class _Line(NamedTuple):
    """A statement, or the first line of a compound one, however many lines it takes."""

    indent: int
    tokens: list[tuple[str, str]]  # kind and text
    text: str

    def words(self, start: int, stop: int) -> list[str]:
        return [text for _, text in self.tokens[start:stop]]


class CodeJudge:
    """Judges the code of one file, record by record, and gathers what it declares and uses."""

    def __init__(self) -> None:
        self.declarations: dict[str, Declaration] = {}
        self.references: dict[str, set[str]] = {}
        self.operators: set[str] = set()
        self._n_tokens = 0

    def judge(self, name: str, content: bytes) -> None:
        """Judge a record, ``code/__torch__/package/module.py``.

        Raises:
            RefusedError: It holds what torch does not write, or what would do harm.
        """
        self._module = name.removeprefix("code/").removesuffix(".py").replace("/", ".")
        self._definition = self._class = ""
        body_indents: list[int] = []
        try:
            longest = max(map(len, content.split(b"\n")))
            refuse_unless(longest <= MAX_LINE_BYTES, f"a line of {longest} bytes, at most {MAX_LINE_BYTES} are allowed")
            for line in self._lines(content.decode("latin-1")):
                while body_indents and line.indent <= body_indents[-1]:
                    body_indents.pop()
                if line.indent == 0:
                    self._start_definition(line)
                if not body_indents or line.tokens[0][1] == "def":
                    _check_literal(line)
                    self._declare(line)
                _check_nesting(line)
                self._check_names(line)
                if line.tokens[0][1] == "def":
                    body_indents.append(line.indent)
        except RefusedError as error:
            raise RefusedError(f"{name!r}: {error}") from error

    def _lines(self, text: str) -> Iterator[_Line]:
        text += "\n"
        tokens: list[tuple[str, str]] = []
        start = at = depth = 0
        for match in _TOKEN.finditer(text):
            self._n_tokens += 1
            if match.start() != at or self._n_tokens > MAX_TOKENS:
                break
            at = match.end()
            kind = match.lastgroup or ""
            word = match[kind]
            if kind == "newline":
                if tokens and not depth:
                    yield _Line(_indent(text[start:at]), tokens, text[start:at].strip())
                    tokens = []
                start = start if tokens else at
                continue
            if kind == "sign":
                depth += (word in "([{") - (word in ")]}")
                if not 0 <= depth <= MAX_BRACKETS:
                    raise RefusedError(f"brackets nested more than {MAX_BRACKETS} deep, or not paired")
            elif kind == "string" and tokens and tokens[-1][0] == "string":
                raise RefusedError("texts side by side, which torch reads as one")
            tokens.append((kind, word))
        refuse_unless(self._n_tokens <= MAX_TOKENS, f"the code of the file has more than {MAX_TOKENS} words")
        refuse_unless(at == len(text), f"{text[at : at + 20]!r}, which torch does not write")
        refuse_unless(not tokens, "a bracket that is not closed")

    # What it declares

    def _start_definition(self, line: _Line) -> None:
        kind, name = [*line.words(0, 2), "", ""][:2]
        self._definition = f"{self._module}.{name}" if kind in ("class", "def") else ""
        self._class = self._definition if kind == "class" else ""
        if self._definition:
            refuse_unless(self._definition not in self.references, f"{self._definition} is there twice")
            self.references[self._definition] = set()
        if self._class:
            base = line.words(3, 4)[0] if line.words(2, 3) == ["("] else ""
            refuse_unless(not base or base in _KINDS, f"{name} is a class of the kind {base}")
            self.declarations[self._class] = Declaration(_KINDS.get(base, "class"), {})

    def _declare(self, line: _Line) -> None:
        """Note the type of an attribute; constants are in the code, not in the pickle."""
        if not self._class or line.indent == 0:
            return
        words = line.words(0, 5)
        name = kind = ""
        if words[1:2] == [":"]:
            name, kind = words[0], line.text.split(":", 1)[1].strip()
        elif words[:2] == ["__annotations__", "["] and words[3:] == ["]", "="]:
            name, kind = words[2][1:-1], line.text.split("=", 1)[1].strip()
            refuse_unless("\\" not in name, f"an attribute of the name {name!r}")
        elif words[1:2] == ["="] and self.declarations[self._class].kind == "Enum":
            self.declarations[self._class].attributes[words[0]] = line.text.split("=", 1)[1].strip()
        if kind and not kind.startswith("Final["):
            self.declarations[self._class].attributes[name] = kind.split("=")[0].strip()

    # What it uses

    def _check_names(self, line: _Line) -> None:
        previous = ""
        for index, (kind, text) in enumerate(line.tokens):
            if kind == "string" and "getattr" in line.text:
                _check_attribute(text[1:-1])
            if kind == "name":
                if previous == ".":
                    _check_attribute(text)
                elif text in _ROOTS and (index > 0 or line.words(1, 2) != [":"]):  # an attribute may have that name
                    self._check_root(text, line, index)
                refuse_unless(previous != "def" or text not in _RUN_WHEN_LOADED, f"{text}, which would run when loaded")
                refuse_unless(text not in ("elif", "lambda"), f"{text!r}, which torch does not write")
            previous = text

    def _check_root(self, root: str, line: _Line, index: int) -> None:
        """``ops.space.name(``, ``torch.name``, ``__torch__.path``: never a root alone, which could hide the rest."""
        path = [root]
        while line.words(index + 1, index + 2) == ["."]:
            path += line.words(index + 2, index + 3)
            index += 2
        refuse_unless(len(path) > 1, f"{root!r} without a name of what is in it")
        if root == "ops":
            is_call = len(path) == 3 and line.words(index + 1, index + 2) == ["("]
            refuse_unless(is_call, f"{'.'.join(path)}, which is no call of an operator")
            self.operators.add("::".join(path[1:]))
        elif path[:2] == ["__torch__", "torch"] and path[2:3] in ([], ["classes"]):
            is_safe = SAFE_CLASSES.fullmatch(".".join(path[:5]))
            refuse_unless(is_safe, f"{'.'.join(path)}, a class of torch that a file may not hold")
        elif root == "__torch__" and self._definition:
            self.references[self._definition].add(".".join(path))


def _indent(text: str) -> int:
    indent = len(text) - len(text.lstrip(" "))
    refuse_unless(indent <= MAX_INDENT, f"a line is indented by more than {MAX_INDENT} spaces")
    return indent


def _check_attribute(name: str) -> None:
    refuse_unless(name not in FORBIDDEN, f"the operator {name!r}, which reads or writes more than its arguments")
    refuse_unless("\\" not in name, f"an attribute of the name {name[:80]!r}")


def _check_literal(line: _Line) -> None:
    """Outside of functions torch runs what it reads, so there may be types and constants, but nothing to run."""
    before = ("", "")
    for index, (kind, text) in enumerate(line.tokens):
        is_sign = kind == "sign"
        refuse_unless(
            not is_sign or text in _LITERAL_SIGNS, f"{text!r} outside of a function, where torch would run it"
        )
        is_call = is_sign and text == "(" and (before[0] == "name" or before[1] in (")", "]"))
        is_header = index == 2 and line.tokens[0][1] in ("class", "def")
        refuse_unless(is_header or not is_call, "a call outside of a function, which torch would run")
        before = (kind, text)


def _check_nesting(line: _Line) -> None:
    """Torch walks an expression recursively, along its brackets and along its operators."""
    outer: list[tuple[int, int]] = []
    start = length = longest = 0
    for kind, text in line.tokens:
        length += 1
        if kind != "sign":
            continue
        if text in "([{":
            outer.append((start, longest))
            start = longest = length
        elif text in ")]}":
            length = max(length, longest)
            start, longest = outer.pop()
        elif text == ",":
            longest = max(longest, length)
            length = start
        refuse_unless(length <= MAX_CHAIN, f"an expression of more than {MAX_CHAIN} parts without a comma")
    refuse_unless(max(length, longest) <= MAX_CHAIN, f"an expression of more than {MAX_CHAIN} parts without a comma")
