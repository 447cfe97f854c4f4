"""Nothing reaches torch that torch does not write: what ends a process when torch loads it is refused before.

Where a case says so, torch 2.13 was seen to crash, to read memory of others, or to run what the file brings.
"""

import io
from typing import Any

import pytest
import torch

from neutone_sdk.scripting import without_deprecation
from neutone_sdk.torchscript.judge import judge_archive
from neutone_sdk.torchscript.refusal import RefusedError

from .corpus.scripts import FORWARD, HEAD, RETURN, number, script, storage, tensor, text, with_attribute, with_line

FOUR = {"data/0": b"\0" * 16}


def refused(content: bytes, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        judge_archive(content)


def loaded(content: bytes) -> Any:
    assert judge_archive(content) is not None
    with without_deprecation():
        return torch.jit.load(io.BytesIO(content))


def test_what_these_tests_damage_is_good() -> None:
    assert loaded(with_line("y = 1"))(torch.ones(1)) == 1
    assert loaded(with_attribute("Tensor", tensor(storage(4)), records=FOUR)).a.tolist() == [0.0] * 4
    assert loaded(with_attribute("List[int]", b"](K\x01K\x02e")).a == [1, 2]


# Pickles


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(tensor(storage(1 << 28), sizes=(1 << 28,)), "of 1073741824 bytes, of which .* has 16", id="crash"),
        pytest.param(tensor(storage(5)), "a tensor of 20 bytes, of which its record has 16", id="reads beyond"),
        pytest.param(tensor(storage(4, key="1")), "a tensor of 16 bytes, of which its record has 0", id="no record"),
        pytest.param(tensor(storage(4, key="../version")), "of which its record has 0", id="path"),
        pytest.param(tensor(storage(-4)), "a tensor of no size", id="negative size"),
        pytest.param(tensor(storage(1 << 62)), "a tensor of no size", id="overflow"),
        pytest.param(tensor(storage(4, kind=b"torch\nEvilStorage")), r"the name torch\.EvilStorage", id="no dtype"),
        pytest.param(
            tensor(storage(4).replace(b"ctorch\nFloatStorage\n", b"K\xc8")), "to no tensor", id="crash: dtype"
        ),
        pytest.param(tensor(storage(4, device="meta")), "the device 'meta'", id="no memory"),
        pytest.param(tensor(storage(4), offset=1), "reaches item 4 of 4", id="offset"),
        pytest.param(tensor(storage(4), offset=-1), "a tensor of no shape", id="negative offset"),
        pytest.param(tensor(storage(4), sizes=(2, 2), strides=(3, 1)), "reaches item 4 of 4", id="strides"),
        pytest.param(tensor(storage(4), strides=(-1,)), "a tensor of no shape", id="negative strides"),
        pytest.param(tensor(storage(4), sizes=(2, 2)), "a tensor of no shape", id="sizes without strides"),
        pytest.param(tensor(storage(4), sizes=(2**39, 4), strides=(0, 0)), "a tensor of the shape", id="repeated"),
        pytest.param(tensor(number(4)), "a tensor without memory", id="no storage"),
        pytest.param(number(5), r"a of __torch__\.M that is no Tensor", id="number"),
        pytest.param(b"N", r"a of __torch__\.M that is no Tensor", id="None"),
        pytest.param(b"cos\nsystem\n" + text("touch evil") + b"\x85R", r"the name os\.system", id="system"),
        pytest.param(b"ctorch\nload\n" + text("evil") + b"\x85R", r"the name torch\.load", id="torch.load"),
        pytest.param(b"K\x00)R", "a call of what is no function", id="number called"),
        pytest.param(b"K\x00)\x81", "an object of no class", id="number as class"),
        pytest.param(b"K\x00}b", "a state for what is no new object", id="number built"),
        pytest.param(b"Nr\xff\xff\xff\x0f", "268435455 is not the number of a new value", id="4 GB for a memo"),
        pytest.param(b"h\x07", "there is no value number 7", id="memo that is not there"),
        pytest.param(b"X\xff\xff\xff\x7fa", "a text is longer than the pickle", id="2 GB of text"),
        pytest.param(b"\x8a\x09" + bytes(9), "a number of other than 8 bytes", id="long number"),
        pytest.param(b"(NNN(N\x85\x86", "a value is missing", id="below a mark"),
        pytest.param(b"tt", "a mark is missing", id="no mark"),
        pytest.param(b"](Nu", "items for something that takes none", id="items for a list"),
        pytest.param(b"}(K\x01u", "a key without a value", id="odd items"),
        pytest.param(b"}(]K\x01u", "a key that is no text or number", id="list as key"),
        pytest.param(b"]q\x00(h\x00e", "items for something that takes none", id="list in itself"),
        pytest.param(b")" + b"\x85" * 1_000, "nested more than 128 deep", id="crash: deep tuple"),
        pytest.param(b"](" * 1_000 + b"e" * 1_000, "nested more than 128 deep", id="crash: deep list"),
        pytest.param(b"cos\n" + b"x" * 5_000 + b"\n", "a name without an end", id="long name"),
        pytest.param(b"\x8b\xff\xff\xff\x7f", "which torch does not write", id="LONG4"),
        pytest.param(b"I1\n", "which torch does not write", id="INT"),
    ],
)
def test_pickle_that_lies(value: bytes, message: str) -> None:
    refused(with_attribute("Tensor", value, records=FOUR), message)


TWO_CLASSES = "".join(
    f"class {name}(Module):\n  __parameters__ = []\n  __buffers__ = []\n"
    + "".join(f"  f{n} : int\n" for n in range(size))
    for name, size in (("Large", 400), ("Small", 0))
)


def instance(name: str) -> bytes:
    return f"c__torch__\n{name}\n".encode() + b")\x81}b"


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        pytest.param("__torch__.Large", instance("Small"), r"no __torch__\.Large", id="reads beyond: other class"),
        pytest.param("__torch__.Large", instance("Large"), r"__torch__\.Large without f0", id="attributes missing"),
        pytest.param("__torch__.Large", b"c__torch__\nSmall\n)\x81", "an object without state", id="no state"),
        pytest.param("__torch__.Large", instance("Lost"), "'__torch__.Lost', of which there is no code", id="no class"),
        pytest.param("List[int]", b"](" + text("8 bytes!") + b"e", r"no List\[int\]", id="text as number"),
        pytest.param("List[Tensor]", b"](K\x01e", r"no List\[Tensor\]", id="number as tensor"),
        pytest.param("Dict[str, int]", b"}(K\x01K\x01u", r"no Dict\[str, int\]", id="wrong key"),
        pytest.param("Tuple[int, int]", b"K\x01\x85", r"no Tuple\[int, int\]", id="short tuple"),
        pytest.param("Optional[int]", text("1"), r"no Optional\[int\]", id="wrong option"),
        pytest.param("int", b"\x88", "no int", id="true as number"),
        pytest.param("Future[int]", b"K\x01", r"no Future\[int\]", id="type of no value"),
        pytest.param("List int", b"]", "is no type", id="no type"),
        pytest.param(
            "int", b"ctorch.jit._pickle\nbuild_intlist\n](N" + b"e\x85R", r"no List\[int\]", id="list of None"
        ),
        pytest.param(
            "int",
            b"ctorch.jit._pickle\nrestore_type_tag\n]" + text("List[" * 9_999 + "int" + "]" * 9_999) + b"\x86R",
            "a type of 59997 characters",
            id="crash: deep type",
        ),
        pytest.param(
            "int",
            b"ctorch.jit._pickle\nrestore_type_tag\n]" + text("List[" * 99 + "int" + "]" * 99) + b"\x86R",
            "a type is nested more than 32 deep",
            id="deep type",
        ),
        pytest.param(
            "__torch__.torch.classes.aten.OpaqueObject",
            b"c__torch__.torch.classes.aten\nOpaqueObject\n)\x81" + text("cHJpbnQ=") + b"b",
            "a class of torch that a file may not hold",
            id="runs Python",
        ),
    ],
)
def test_pickle_that_holds_something_else_than_the_code_says(kind: str, value: bytes, message: str) -> None:
    refused(with_attribute(kind, value, TWO_CLASSES), message)


def test_objects_of_torch_that_run_python_are_refused_whatever_the_code_says() -> None:
    opaque = b"c__torch__.torch.classes.aten\nOpaqueObject\n)\x81" + text("cHJpbnQ=") + b"b"

    refused(
        with_attribute("Any", opaque), r"'__torch__\.torch\.classes\.aten\.OpaqueObject', of which there is no code"
    )


def test_shared_lists_are_looked_at_once() -> None:
    """30 lists, each twice in the next: a thousand million if each is looked at where it stands."""
    value = (
        b"(]q\x00"
        + b"".join(b"](h" + bytes([level]) + b"h" + bytes([level]) + b"eq" + bytes([level + 1]) for level in range(29))
        + b"t"
    )
    kinds = ", ".join("List[" * (level + 1) + "int" + "]" * (level + 1) for level in range(30))
    assert judge_archive(with_attribute(f"Tuple[{kinds}]", value)) == set()


def test_weights_read_again_and_again() -> None:
    many = b"](" + tensor(storage(4)) * 5 + b"e"

    refused(with_attribute("List[Tensor]", many, records=FOUR), "read the same weights again and again")


@pytest.mark.parametrize("index", [2, 200, 2**31 - 1, -1])
def test_source_lines_that_are_not_there_are_a_crash_when_an_error_is_shown(index: int) -> None:
    def source_map(index: int) -> bytes:
        lines = b"ctorch.jit._pickle\nbuild_intlist\n](" + number(index) + b"e\x85R"
        source = b"(" + lines + number(0) + number(1) + b"t"
        entry = number(0) + source + number(0) + number(0) + b"\x87" + number(0) + b"\x87"
        return b"\x80\x02" + text("FORMAT_WITH_STRING_TABLE") + text("") + text("a") + b"\x86(" + entry + b"t\x87."

    records = {"code/__torch__.py.debug_pkl": source_map(1)}
    assert judge_archive(script(HEAD + FORWARD + RETURN, records=records)) == set()

    records = {"code/__torch__.py.debug_pkl": source_map(index)}
    refused(script(HEAD + FORWARD + RETURN, records=records), "a source line that is not there")


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({"data.pkl": b"\x80\x02N."}, "it holds no module"),
        ({"data.pkl": b"\x80\x02NN."}, "other than one value at the end"),
        ({"data.pkl": b"\x80\x02N.N."}, "other than one value at the end"),
        ({"data.pkl": b"\x80\x04N."}, "not a pickle of TorchScript"),
        ({"data.pkl": b"\x80\x02K"}, "ends before it should"),
        ({"data.pkl": b""}, "not a pickle of TorchScript"),
        ({"constants.pkl": b"\x80\x02]."}, "its constants are no tuple"),
        ({"version": b"x"}, "its version is no number"),
        ({".data/version": b"x"}, "its version is no number"),
        ({"byteorder": b"middle"}, "its byte order is none"),
        ({"model.json": b"{}"}, "'model.json', a record that torch does not write"),
        ({"code/evil.so": b""}, "'code/evil.so', a record that torch does not write"),
        ({"data.pkl": b"\x80\x02" + b"N0" * 10}, "opcode b'0', which torch does not write"),
    ],
)
def test_records_that_torch_does_not_write(records: dict[str, bytes], message: str) -> None:
    refused(script(HEAD + FORWARD + RETURN, records=records), message)


def test_pickle_without_end() -> None:
    refused(script(HEAD, records={"data.pkl": b"\x80\x02" + b"N" * 1_100_000}), "more than 1000000 opcodes")


# Code


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("y = " + "(" * 65 + "1" + ")" * 65, "nested more than 64 deep", id="crash from 10000 on"),
        pytest.param("y = 1" + "+1" * 300, "more than 500 parts without a comma", id="crash from 10000 on: sum"),
        pytest.param("y = x" + ".a" * 300, "more than 500 parts", id="crash from 100000 on: dots"),
        pytest.param("y = " + "not " * 600 + "True", "more than 500 parts", id="crash from 100000 on: not"),
        pytest.param("y = " + "(1+1+1+1+1+1+1+1+" * 60 + "1" + ")" * 60, "more than 500 parts", id="both ways"),
        pytest.param("y = (1", "a bracket that is not closed", id="open bracket"),
        pytest.param("y = 1)", "nested more than 64 deep, or not paired", id="closed bracket"),
        pytest.param('y = "', "which torch does not write", id="open text"),
        pytest.param('y = """a"""', "texts side by side", id="long text"),
        pytest.param('y = "' + "\\n" * 550_000, "a line of 1100009 bytes, at most 1048576", id="long line"),
        pytest.param('y = "' + "a" * 1_000_000, "which torch does not write", id="long open text"),
        pytest.param('y = "' + "\\n" * 500_000, "which torch does not write", id="long open escapes"),
        pytest.param("y = \\\n 1", "which torch does not write", id="backslash"),
        pytest.param("y = lambda: 1", "'lambda', which torch does not write", id="lambda"),
        pytest.param(" " * 300 + "y = 1", "indented by more than 200", id="indentation"),
        pytest.param("y = torch.from_file('evil', True, 100)", "the operator 'from_file'", id="maps any file"),
        pytest.param("y = torch . save(x, 'evil')", "the operator 'save'", id="writes any file"),
        pytest.param("y = ops.aten.save(x, 'evil')", "the operator 'save'", id="writes any file, by ops"),
        pytest.param("y = (x).save('evil')", "the operator 'save'", id="writes any file, as a method"),
        pytest.param("y = getattr(torch, 'save')(x, 'evil')", "'torch' without a name", id="torch itself"),
        pytest.param("y = getattr(x, 'save')('evil')", "the operator 'save'", id="by name"),
        pytest.param("y = getattr(x, 's\\x61ve')('evil')", "an attribute of the name", id="by hidden name"),
        pytest.param("y = getattr(x, 'sa' 've')('evil')", "texts side by side", id="by a name in parts"),
        pytest.param("y = 1..save('evil')", "the operator 'save'", id="of a number"),
        pytest.param("y = 1.5e3.save('evil')", "the operator 'save'", id="of another number"),
        pytest.param("y = 0x1.save('evil')", "which torch does not write", id="of no number"),
        pytest.param("y = x[torch:]", "'torch' without a name", id="in a slice"),
        pytest.param("\ty = 1", "which torch does not write", id="tabulator"),
        pytest.param("y = ops", "'ops' without a name of what is in it", id="ops itself"),
        pytest.param("y = ops.inductor", "is no call of an operator", id="namespace itself"),
        pytest.param("y = ops.aten.add.Tensor(x, x)", "is no call of an operator", id="overload"),
        pytest.param("y = __torch__", "'__torch__' without a name", id="classes themselves"),
        pytest.param("y = __torch__.torch", "a class of torch that a file may not hold", id="classes of torch"),
        pytest.param("y = __torch__.torch.classes.c10d.Work()", "a class of torch", id="a class of torch"),
    ],
)
def test_line_of_code_that_is_refused(line: str, message: str) -> None:
    refused(with_line(line), message)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("def f(x: int=__torch__.g()) -> int:\n  return x\n", "a call outside of a function", id="default"),
        pytest.param("def f(x: List[int]=[0] * 9) -> int:\n  return 1\n", r"'\*' outside of a function", id="sum"),
        pytest.param("class N(Enum):\n  a = __torch__.g()\n", "a call outside of a function", id="enumeration"),
        pytest.param("class N(Module):\n  k : Final[int] = int(5)\n", "a call outside of a function", id="constant"),
        pytest.param("class N(Module):\n  k : Final[int] = (5)(6)\n", "a call outside of a function", id="bracket"),
        pytest.param("class N(Evil):\n  k : int\n", "a class of the kind Evil", id="unknown base"),
        pytest.param(
            "class N(Module):\n  def __setstate__(self, s: int) -> NoneType:\n    return None\n",
            "__setstate__, which would run when loaded",
            id="__setstate__",
        ),
        pytest.param(HEAD, r"__torch__\.M is there twice", id="class twice"),
    ],
)
def test_code_that_would_run_when_loaded(code: str, message: str) -> None:
    refused(with_line("y = 1", code), message)


def chain(n_functions: int) -> str:
    functions = [
        f"def f{index}(x: Tensor) -> Tensor:\n  return __torch__.f{index + 1}(x, )\n" for index in range(n_functions)
    ]
    return "".join(functions) + f"def f{n_functions}(x: Tensor) -> Tensor:\n  return x\n"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(chain(200), id="functions"),
        pytest.param(
            chain(200) + "def g() -> int:\n  return __torch__.h()\ndef h() -> int:\n  return __torch__.g()\n",
            id="circle",
        ),
        pytest.param(
            chain(199).replace("-> Tensor:\n  return x\n", "-> Tensor:\n  return __torch__.f0(x, )\n"), id="one circle"
        ),
    ],
)
def test_definitions_that_need_each_other_in_a_long_chain_are_a_crash(code: str) -> None:
    assert judge_archive(with_line("y = 1", chain(150))) == set()
    refused(with_line("y = 1", code), "refer to each other more than 200 deep")


def test_code_without_end() -> None:
    refused(with_line("y = [" + "1, " * 260_000 + "]"), "more than 500000 words")


def test_operators_are_named() -> None:
    content = with_line("y = ops.evil.op(x)\n    z = (ops . neutone .ring_clear(x))")

    assert judge_archive(content) == {"evil::op", "neutone::ring_clear"}
