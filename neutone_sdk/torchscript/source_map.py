"""The records that say which line of the researcher's Python a piece of code comes from.

Torch reads them when it has to show an error, and takes every number in them for the place of a text that is there.
"""

from typing import Any, Final

from neutone_sdk.torchscript.refusal import refuse_unless
from neutone_sdk.torchscript.values import ListValue, TupleValue

_WITH_TABLE: Final = "FORMAT_WITH_STRING_TABLE"


def check_source_map(value: Any) -> None:
    """Refuse a map that torch cannot read.

    Raises:
        RefusedError: It has another form, or names a text that is not there.
    """
    items = _items(value)
    n_texts = 0
    if items[:1] == [_WITH_TABLE]:
        refuse_unless(len(items) == 3, "a map of source lines of too few or too many parts")
        texts = _items(items[1])
        refuse_unless(all(isinstance(text, str) for text in texts), "a source line that is no text")
        n_texts = len(texts)
        items = _items(items[2])
    checked: set[int] = set()
    for entry in items:
        parts = _items(entry)
        place = next((part for part in parts if isinstance(part, TupleValue)), None)
        numbers = [part for part in parts if part is not place]
        refuse_unless(len(parts) in (2, 3) and all(map(_is_number, numbers)), "an entry of no form")
        source, *span = _items(place)
        refuse_unless(len(span) == 2 and all(map(_is_number, span)), "a place of no form")
        if id(source) not in checked:
            _check_source(source, n_texts)
            checked.add(id(source))


def _check_source(source: Any, n_texts: int) -> None:
    text, file_name, line = (_items(source) + [None] * 3)[:3]
    refuse_unless(_is_number(line), "a source without a line number")
    if isinstance(text, str):
        refuse_unless(file_name is None or isinstance(file_name, str), "a source without a file name")
        return
    refuse_unless(isinstance(text, ListValue), "a source without text")
    indices = [*text.items, file_name]
    is_there = all(_is_number(index) and 0 <= index < max(n_texts, 1) for index in indices)
    refuse_unless(is_there, "a source line that is not there")


def _items(value: Any) -> list[Any]:
    refuse_unless(isinstance(value, TupleValue), "a map of source lines of no form")
    items: list[Any] = value.items
    return items


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
