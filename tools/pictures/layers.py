"""The layers of the project, each above those that it knows."""

from pathlib import Path
from typing import Final, NamedTuple

from tools.pictures.svg import GREY, TINTS, Drawing

ROOT: Final = Path(__file__).parents[2]

_WIDTH: Final = 760
_LEFT: Final = 20
_COLUMN: Final = 180
_ROW: Final = 86
_HEIGHT: Final = 58
_GAP: Final = 16
_TOP: Final = 20


class Box(NamedTuple):
    """A folder, where it lies, what it is, and the folders that it knows."""

    folder: str
    row: int
    column: float
    n_columns: float
    texts: tuple[str, ...]
    knows: tuple[str, ...] = ()


BOXES: Final = (
    Box(
        "neutone_sdk",
        *(0, 0, 4),
        ("Python: wrappers, model blocks, streaming, export, checks, benchmarks, command line",),
        ("csrc/python", "csrc/ops"),
    ),
    Box("examples/plugins", 1, 1.25, 1.5, ("VST3, CLAP and LV2 from one source",), ("csrc/host",)),
    Box("csrc/python", 2, 0, 1, ("pybind11: the engine", "for Python"), ("csrc/engine",)),
    Box("csrc/host", 2, 1.25, 1.5, ("libtorch: opens a .nm file,", "for the engine"), ("csrc/engine", "csrc/ops")),
    Box("csrc/engine", 3, 0, 2.25, ("audio thread and model worker;", "the standard library only"), ("csrc/dsp",)),
    Box("csrc/ops", 3, 2.25, 1.75, ("tensors in, spans out;", "torch's stable ABI"), ("csrc/dsp",)),
    Box("csrc/dsp", 4, 0, 4, ("ring, resampler, filters and their designs,", "parameters; the standard library only")),
)


def draw() -> str:
    """Return the picture, with the folders that are there."""
    boxes = {box.folder: box for box in BOXES if (ROOT / box.folder).is_dir()}
    rows = sorted({box.row for box in boxes.values()})
    tops = {row: _TOP + number * _ROW for number, row in enumerate(rows)}
    title = "The layers of the project: an arrow points to what a layer knows"
    drawing = Drawing(_WIDTH, tops[rows[-1]] + _HEIGHT + _TOP, title)
    for box in boxes.values():
        x, y, width = _LEFT + box.column * _COLUMN, tops[box.row], box.n_columns * _COLUMN - _GAP
        drawing.box(x, y, width, _HEIGHT, TINTS[box.row])
        drawing.text(x + width / 2, y + 18, box.folder, 14, "middle", weight="bold")
        for number, text in enumerate(box.texts):
            drawing.text(x + width / 2, y + 35 + 15 * number, text, 11.5, "middle", GREY)
        for known in filter(None, map(boxes.get, box.knows)):
            x = _LEFT + _middle(box, known) * _COLUMN - _GAP / 2
            drawing.line([(x, y + _HEIGHT), (x, tops[known.row])], has_tip=True)
    return drawing.finished()


def _middle(box: Box, known: Box) -> float:
    """Return the column in the middle of what both boxes span."""
    return (max(box.column, known.column) + min(box.column + box.n_columns, known.column + known.n_columns)) / 2
