"""What hosts know a bundle by, which has to differ from every other plugin's."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

from neutone_sdk.errors import InvalidArgumentError

FILE_NAME: Final = "bundle.json"
MAX_NAME_BYTES: Final = 63  # of VST3, in UTF-8


@dataclass(frozen=True)
class Identity:
    """What a plugin reads when it is loaded. Each format has an identifier of its own."""

    name: str
    lv2_uri: str
    clap_id: str
    vst3_id: int  # 32 bits of the class id; the others are those of all plugins made with DPF

    def to_json(self, model: str) -> str:
        """Return the content of ``bundle.json``; ``model`` is the file to play, beside it."""
        return json.dumps({**asdict(self), "model": model}, indent=4) + "\n"


def identity_of(name: str, model: bytes, n_channels: int) -> Identity:
    """Return the identity of a bundle: always the same for the same model, name and number of channels.

    Raises:
        InvalidArgumentError: No host can show that name.
    """
    check_name(name)
    parts = (name.encode(), str(n_channels).encode(), hashlib.sha256(model).hexdigest().encode())
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    return Identity(
        name=name,
        lv2_uri=f"urn:neutone-sdk:bundle:{digest[:16]}",
        clap_id=f"neutone-sdk.bundle.{digest[:16]}",
        vst3_id=int(digest[:8], 16),
    )


def check_name(name: str) -> None:
    """Raise unless hosts can show a name.

    Raises:
        InvalidArgumentError: It is empty, too long, or holds what cannot be printed.
    """
    if not name.strip() or not name.isprintable() or len(name.encode()) > MAX_NAME_BYTES:
        msg = f"a plugin's name has 1 to {MAX_NAME_BYTES} bytes of printable text, got {name!r}; give it another name"
        raise InvalidArgumentError(msg)
