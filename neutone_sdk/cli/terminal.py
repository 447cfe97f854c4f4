"""What may be shown on a terminal."""

import unicodedata


def printable(text: str) -> str:
    """Return text of one or more lines without control characters: in a model of others they may drive the terminal."""
    return "".join(character for character in text if character == "\n" or unicodedata.category(character) != "Cc")
