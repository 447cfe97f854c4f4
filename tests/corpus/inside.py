"""Damage to what is inside of an archive whose checksums are all right."""

import itertools
import json
import pickletools
import random
import re
import struct
from typing import Any

from . import zips
from .zips import Archive, Piece

Random = random.Random


def _metadata(archive: Archive) -> Piece | None:
    return next(iter(archive.named("extra/metadata.json")), None)


# Metadata


def metadata_that_is_no_json(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = _metadata(archive)
    if not piece:
        piece = Piece("archive/extra/metadata.json", b"{}")
        archive.pieces.append(piece)
    text = piece.content
    n = rng.choice([100, 10_000, 200_000])
    texts = [
        text[: rng.randrange(len(text))],
        b"",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"{'a': 1}",
        b"\xff\xfe\x00",
        b"\0",
    ]
    texts += [b"[" * n, b'{"a":' * n, b"[" * n + b"]" * n, b"[" + b"[]," * n + b"0]", b'{"a": ' + b"1" * n + b"}"]
    texts += [b'{"a": 1e999}', b'{"a": NaN}', text.decode().encode("utf-16"), text + text, b"\xef\xbb\xbf" + text]
    piece.content = rng.choice(texts)
    return archive.write()


def metadata_of_wrong_values(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = _metadata(archive)
    values = json.loads(piece.content) if piece else {}
    others: list[Any] = [
        None,
        5,
        -1,
        1e308,
        "",
        "x\ud800",
        "True",
        [],
        [None],
        {},
        {"p1": {}},
        [[[[]]]],
        "x" * 100_000,
        10**300,
    ]
    keys = [*values, "flavour", "required_ops", "neutone_parameters", "native_sample_rates", "model_name"]
    for key in rng.sample(keys, rng.choice([1, 1, 2, 5])):
        values[key] = rng.choice(others)
    if rng.random() < 0.3:
        values |= rng.choice(
            [
                {"flavour": "portable"},
                {"required_ops": {"neutone": "99.0.0"}},
                {"required_ops": {}},
                {"required_ops": {"evil": "1.0"}},
            ]
        )
    archive.pieces = [each for each in archive.pieces if each is not piece]
    archive.pieces.append(Piece("archive/extra/metadata.json", json.dumps(values).encode()))
    return archive.write()


# Records


def missing_records(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    for _ in range(rng.choice([1, 1, 1, 5])):
        archive.pieces.remove(rng.choice(archive.pieces))
    return archive.write()


def mixed_records(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    first, second = rng.sample(archive.pieces, 2)
    match rng.randrange(6):
        case 0:
            first.content, second.content = second.content, first.content
        case 1:
            first.content = second.content
        case 2:
            first.content = rng.choice([b"", b"\0", rng.randbytes(100), first.content[: len(first.content) // 2]])
        case 3:
            first.name = rng.choice(["archive/model.json", "archive/evil.py", "other/version", "archive/code/evil.so"])
        case 4:
            archive.piece("version").content = rng.choice([b"", b"x", b"-1", b"0", b"99999", b"9" * 400, b"3\n\n"])
        case 5:
            archive.pieces.append(Piece("archive/byteorder", rng.choice([b"big", b"middle", b""])))
    return archive.write()


def changed_weights(rng: Random, good: bytes) -> bytes:
    """Other weights are another model, and harmless."""
    archive = zips.read(good)
    weights = [piece for piece in archive.pieces if re.search(r"/(data|constants)/\d+$", piece.name)]
    if not weights:
        return metadata_that_is_no_json(rng, good)
    piece = rng.choice(weights)
    match rng.randrange(4):
        case 0:
            piece.content = piece.content[: rng.randrange(len(piece.content) + 1)]
        case 1:
            piece.content += bytes(rng.choice([1, 4, 1000]))
        case 2:
            piece.content = rng.randbytes(len(piece.content))
        case 3:
            piece.is_deflated = True
    return archive.write()


# Pickles


def _pickle(rng: Random, archive: Archive) -> Piece:
    endings = ["/data.pkl"] * 4 + ["/constants.pkl", ".debug_pkl"]
    return rng.choice(archive.named(rng.choice(endings)) or archive.named("/data.pkl"))


def poisoned_pickle(rng: Random, good: bytes) -> bytes:
    """What does harm to Python's own reader of pickles."""
    archive = zips.read(good)
    piece = _pickle(rng, archive)
    call = b"X\x0b\x00\x00\x00touch evil\x00"
    poisons = [
        b"cos\nsystem\n" + call + b"\x85R0",
        b"cos\nsystem\n" + call + b"\x85R",
        b"cbuiltins\neval\n" + call + b"\x85R",
        b"c__torch__.torch.classes.aten\nOpaqueObject\n)\x81" + call + b"b",
        b"ctorch.storage\n_load_from_bytes\n" + call + b"\x85R",
        b"(" * 100_000,
        b"]" * 100_000,
        b")" + b"\x85" * 100_000,
        b"Nr\xff\xff\xff\x7f",
        b"X\xff\xff\xff\x7f",
        b"\x8b\xff\xff\xff\x7f",
        b"K\x00)R",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    ]
    at = rng.choice([2, len(piece.content) - 1, *_positions(piece.content)])
    piece.content = piece.content[:at] + rng.choice(poisons) + piece.content[at:]
    return archive.write()


def _positions(pickle: bytes) -> list[int]:
    return [position or 0 for _, _, position in pickletools.genops(pickle)]


def damaged_pickle(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = _pickle(rng, archive)
    damaged = bytearray(piece.content)
    for _ in range(min(rng.choice([1, 1, 2, 10]), len(damaged) - 1)):
        match rng.randrange(4):
            case 0:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            case 1:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            case 2:
                del damaged[rng.randrange(len(damaged))]
            case 3:
                damaged.insert(rng.randrange(len(damaged)), rng.randrange(256))
    piece.content = bytes(damaged[: rng.choice([len(damaged)] * 4 + [rng.randrange(len(damaged))])])
    return archive.write()


def rearranged_pickle(rng: Random, good: bytes) -> bytes:
    """Opcode by opcode, so that it stays a pickle."""
    archive = zips.read(good)
    piece = _pickle(rng, archive)
    starts = [*_positions(piece.content), len(piece.content)]
    parts = [piece.content[start:end] for start, end in itertools.pairwise(starts)]
    for _ in range(min(rng.choice([1, 1, 2, 5]), len(parts) - 2)):
        first, second = rng.randrange(1, len(parts)), rng.randrange(1, len(parts))
        match rng.randrange(4):
            case 0:
                parts[first], parts[second] = parts[second], parts[first]
            case 1:
                parts[first] = parts[second]
            case 2:
                del parts[first]
            case 3:
                parts.insert(first, parts[second])
    piece.content = b"".join(parts)
    return archive.write()


def other_values_in_pickle(rng: Random, good: bytes) -> bytes:
    """Numbers, texts and names become others: shapes, strides, offsets, records, classes, indices."""
    archive = zips.read(good)
    piece = _pickle(rng, archive)
    ops = list(pickletools.genops(piece.content))
    texts = [bytes(str(arg), "utf-8", "replace") for op, arg, _ in ops if op.name == "BINUNICODE"]
    names = [f"c{arg}\n".replace(" ", "\n").encode() for op, arg, _ in ops if op.name == "GLOBAL"]
    numbers = [0, 1, 255, 65536, 2**31 - 1, -1, 2**40, 2**62, -(2**62)]
    wanted = rng.choice(
        [("BININT1", "BININT2", "BININT", "LONG1"), ("BINUNICODE",), ("GLOBAL",), ("NEWTRUE", "NEWFALSE", "NONE")]
    )
    found = [index for index, (op, _, _) in enumerate(ops) if op.name in wanted]
    if not found:
        return damaged_pickle(rng, good)
    index = rng.choice(found)
    start, end = ops[index][2] or 0, ops[index + 1][2] or 0
    number = b"\x8a\x08" + struct.pack("<q", rng.choice(numbers))
    text = rng.choice([*texts, b"", b"..", b"List[" * 99, b"x" * 10_000])
    replacements = [
        number,
        b"X" + struct.pack("<I", len(text)) + text,
        b"N",
        b"\x88",
        b"G" + struct.pack(">d", 0.5),
        b"]",
        b"}",
    ]
    replacement = rng.choice(names) if wanted == ("GLOBAL",) else rng.choice([number, *replacements])
    piece.content = piece.content[:start] + replacement + piece.content[end:]
    return archive.write()


# Code


def _code(rng: Random, archive: Archive) -> Piece:
    return rng.choice([piece for piece in archive.pieces if piece.name.endswith(".py")])


def damaged_code(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = _code(rng, archive)
    damaged = bytearray(piece.content)
    for _ in range(rng.choice([1, 2, 10])):
        damaged[rng.randrange(len(damaged))] = rng.choice(b"()[]{}:,.=\"'\\\n #x0\xff\x00+-*")
    piece.content = bytes(damaged)
    return archive.write()


def rearranged_code(rng: Random, good: bytes) -> bytes:
    """Line by line."""
    archive = zips.read(good)
    piece = _code(rng, archive)
    lines = piece.content.split(b"\n")
    for _ in range(rng.choice([1, 2, 5])):
        first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(3):
            case 0:
                lines[first], lines[second] = lines[second], lines[first]
            case 1:
                lines[first:first] = lines[second : second + rng.choice([1, 5])]
            case 2:
                del lines[first : first + rng.choice([1, 3])]
        lines = lines or [b""]
    piece.content = b"\n".join(lines)
    return archive.write()


def other_types(rng: Random, good: bytes) -> bytes:
    """The code promises other attributes than the pickle holds."""
    archive = zips.read(good)
    piece = _code(rng, archive)
    types = [
        b"int",
        b"Tensor",
        b"str",
        b"List[Tensor]",
        b"Optional[int]",
        b"Dict[str, Tensor]",
        b"Tuple[int, int]",
        b"Any",
    ]
    types += re.findall(rb"__torch__[\w.]+", piece.content)
    declared = list(re.finditer(rb"(?m)^  \w+ : (.+)$", piece.content))
    if not declared:
        return damaged_code(rng, good)
    place = rng.choice(declared)
    piece.content = piece.content[: place.start(1)] + rng.choice(types) + piece.content[place.end(1) :]
    return archive.write()


def hostile_code(rng: Random, good: bytes) -> bytes:
    archive = zips.read(good)
    piece = _code(rng, archive)
    n = rng.choice([600, 5_000, 50_000])
    lines = [
        "x = " + "(" * n + "1" + ")" * n,
        "x = 1" + "+1" * n,
        "x = " + "not " * n + "True",
        "x = self" + ".a" * n,
        "x = torch.from_file('evil', True, 100)",
        "x = torch.save(1, 'evil')",
        "x = getattr(torch, 'save')(1, 'evil')",
        "x = ops.aten.save(1, 'evil')",
        "x = ops.inductor._reinterpret_tensor(x, [9999999], [1], 0)",
        "x = ops.evil.op(1)",
        "y = ops",
        "y = __torch__.torch.classes.aten.OpaqueObject()",
        "\n".join(" " * index + "    if True:" for index in range(min(n, 2000)))
        + "\n"
        + " " * (min(n, 2000) + 4)
        + "pass",
    ]
    definitions = [
        "def run(x: int=__torch__.run()) -> int:\n  return 1",
        "def run(x: List[int]=[0] * 99999999999) -> int:\n  return 1",
        "class Run(Module):\n  k : Final[int] = __torch__.run()",
        "\n".join(
            f"def f{index}(x: Tensor) -> Tensor:\n  return __torch__.f{index + 1}(x, )" for index in range(n // 5)
        ),
        "class S(Module):\n  def __setstate__(self, s: int) -> NoneType:\n    return None",
        "x : " + "List[" * n + "int" + "]" * n,
    ]
    text = piece.content.decode()
    if rng.random() < 0.6:
        bodies = [match.end() for match in re.finditer(r"(?m)^  def .*(?:\n    .*)*?:\n", text)] or [len(text)]
        at = rng.choice(bodies)
        text = text[:at] + "    " + rng.choice(lines) + "\n" + text[at:]
    else:
        text = rng.choice([text + rng.choice(definitions) + "\n", rng.choice(definitions) + "\n" + text])
    piece.content = text.encode()
    return archive.write()


METADATA = (metadata_that_is_no_json, metadata_of_wrong_values)
RECORDS = (missing_records, mixed_records, changed_weights)
PICKLES = (poisoned_pickle, damaged_pickle, rearranged_pickle, other_values_in_pickle)
CODE = (damaged_code, rearranged_code, other_types, hostile_code)
