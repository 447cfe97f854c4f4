"""Text of strangers, made fit to be shown. Escaping is the template's business."""

import re
import unicodedata
from typing import Any, Final
from urllib.parse import urlsplit

# They turn the order of the characters behind them around, so that a text reads as another than it is. Hebrew and
# Arabic need none of them.
_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
MAX_ADDRESS_CHARS: Final = 2000


def shown(value: Any, max_chars: int) -> str:
    """Return text without what drives the display rather than says something, cut off behind ``max_chars``.

    Line breaks stay; tabs become spaces; other control characters, overrides of the writing direction and halves of
    surrogate pairs go. What is no text at all is the empty one.
    """
    if not isinstance(value, str):
        return ""
    # Nobody needs to look at the rest of millions of characters that are cut off.
    text = value[: 2 * max_chars].replace("\r\n", "\n").replace("\t", " ")
    text = "".join(character for character in text if _is_shown(character)).strip()
    return text if len(text) <= max_chars else text[:max_chars].rstrip() + "…"


def _is_shown(character: str) -> bool:
    return character == "\n" or not (unicodedata.category(character) in {"Cc", "Cs"} or character in _OVERRIDES)


def link_host(address: str) -> str:
    """Return the host that a link leads to, or nothing if it must not be a link.

    Links are http or https, to a host and not to a user at a host (``https://good.example@bad.example``), and hold
    nothing that browsers read in another way than this package.
    """
    if (
        len(address) > MAX_ADDRESS_CHARS
        or shown(address, MAX_ADDRESS_CHARS) != address
        or re.search(r"[\s\\]", address)
    ):
        return ""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("ascii" if (parts.hostname or "").isascii() else "idna").decode()
        is_port_valid = parts.port is None or parts.port > 0
    except ValueError:  # of urllib, the port, or a host that has no name on the net
        return ""
    is_web = parts.scheme in {"http", "https"} and "@" not in parts.netloc and is_port_valid
    return host if is_web and _HOST.fullmatch(host) else ""
