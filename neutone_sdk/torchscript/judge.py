"""Whether a file is one that torch may load: its directory, its records, its code, its pickles, in this order."""

import io
import re
from collections.abc import Mapping
from typing import Final

from neutone_sdk.torchscript.code import CodeJudge
from neutone_sdk.torchscript.directory import STORED, Member, check_stored, read_directory, read_member
from neutone_sdk.torchscript.pickles import PickleJudge
from neutone_sdk.torchscript.references import check_depth
from neutone_sdk.torchscript.refusal import RefusedError, refuse_unless
from neutone_sdk.torchscript.source_map import check_source_map
from neutone_sdk.torchscript.types import TypeChecker
from neutone_sdk.torchscript.values import InstanceValue, TupleValue

MAX_TEXT_BYTES: Final = 8 * 2**20  # of code, and of pickles
MAX_EXTRA_BYTES: Final = 64 * 2**20
MAX_COPIES: Final = 4  # of the weights, should several tensors read the same record
_RECORD: Final = re.compile(
    r"version|byteorder|\.data/(version|serialization_id)|\.format_version|\.storage_alignment"
    r"|(data|constants|traced_inputs)(\.pkl|/\d+)"
    r"|code/[\w./]+\.py(\.debug_pkl)?|extra/.+"
)
_WEIGHTS: Final = re.compile(r"(data|constants|traced_inputs)/\d+")
_VERSIONS: Final = (".data/version", "version")  # the first, since some operators (GELU's) made a new format necessary
_REQUIRED: Final = ("data.pkl", "constants.pkl")


def judge_archive(content: bytes) -> set[str]:
    """Return the operators that the code of a TorchScript file calls by name, as ``namespace::name``.

    Raises:
        RefusedError: The file is damaged, torch did not write it, or loading it could do harm.
    """
    file = io.BytesIO(content)
    records = records_of(read_directory(file))
    for name, member in records.items():
        refuse_unless(_RECORD.fullmatch(name), f"{name!r}, a record that torch does not write")
        if member.method == STORED:
            check_stored(content, member)
        else:
            refuse_unless(not _WEIGHTS.fullmatch(name), f"{name!r} is compressed as torch never does")
    texts = _read_texts(file, records)
    _check_format(texts)
    code = CodeJudge()
    for name, text in texts.items():
        if name.endswith(".py"):
            code.judge(name, text)
    check_depth(code.references)
    _judge_pickles(texts, TypeChecker(code.declarations), records)
    return code.operators


def records_of(members: Mapping[str, Member]) -> dict[str, Member]:
    """Return the members of an archive by their names in its only folder.

    Raises:
        RefusedError: There are none, or they are in several folders.
    """
    parts = {name.partition("/")[::2]: member for name, member in members.items()}
    is_one = len({folder for folder, _ in parts}) == 1 and all(name for _, name in parts)
    refuse_unless(is_one, "its members are not in one folder")
    return {name: member for (_, name), member in parts.items()}


def _read_texts(file: io.BytesIO, records: Mapping[str, Member]) -> dict[str, bytes]:
    """Return what torch reads, but for weights and what is embedded; it does not read the inputs of a trace."""
    budgets = {"code": MAX_TEXT_BYTES, "pickles": MAX_TEXT_BYTES, "extra files": MAX_EXTRA_BYTES}
    texts = {}
    for name, member in records.items():
        if _WEIGHTS.fullmatch(name) or name == "traced_inputs.pkl":
            continue
        kind = "extra files" if name.startswith("extra/") else "code" if name.endswith(".py") else "pickles"
        refuse_unless(member.size <= budgets[kind], f"its {kind} have more than {MAX_TEXT_BYTES} bytes")
        budgets[kind] -= member.size
        if kind != "extra files" or member.method != STORED:
            texts[name] = read_member(file, member, MAX_EXTRA_BYTES)
    return texts


def _check_format(texts: Mapping[str, bytes]) -> None:
    versions = [texts[name] for name in _VERSIONS if name in texts]
    missing = [name for name in _REQUIRED if name not in texts] + ([] if versions else ["version"])
    refuse_unless(not missing, f"the record {missing[:1]} of a TorchScript file is missing")
    refuse_unless(all(re.fullmatch(rb"\d{1,3}\n?", text) for text in versions), "its version is no number")
    refuse_unless(texts.get("byteorder", b"little") in (b"little", b"big"), "its byte order is none")


def _judge_pickles(texts: Mapping[str, bytes], checker: TypeChecker, records: Mapping[str, Member]) -> None:
    sizes = {name: member.size for name, member in records.items() if _WEIGHTS.fullmatch(name)}
    judge = PickleJudge(checker, sizes)
    for name, text in texts.items():
        if name.endswith("pkl"):
            value = judge.judge(name, text)
            _check_root(name, value, checker)
    most = MAX_COPIES * sum(sizes.values())
    refuse_unless(judge.n_tensor_bytes <= most, "its tensors read the same weights again and again")


def _check_root(name: str, value: object, checker: TypeChecker) -> None:
    if name == "data.pkl":
        is_module = isinstance(value, InstanceValue) and checker.declaration(value.type_name).kind == "Module"
        refuse_unless(is_module, "it holds no module")
    elif name == "constants.pkl":
        refuse_unless(isinstance(value, TupleValue), "its constants are no tuple")
    elif name.endswith(".debug_pkl"):
        try:
            check_source_map(value)
        except RefusedError as error:
            raise RefusedError(f"{name!r}: {error}") from error
