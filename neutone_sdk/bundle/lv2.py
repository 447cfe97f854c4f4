"""The description of an LV2, which hosts read instead of asking the plugin."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from neutone_sdk.bundle.identity import Identity
from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import BundleError
from neutone_sdk.rendering import knobs

_PORTS_NAME: Final = "plugin.ttl"
_MANIFEST: Final = """\
@prefix lv2:  <http://lv2plug.in/ns/lv2core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

<{uri}>
    a lv2:Plugin ;
    lv2:binary <{binary}> ;
    rdfs:seeAlso <{ports}> .
"""
# The control of a default in the metadata.
_GAINS: Final = {
    "wet": "wet_default_value",
    "dry": "dry_default_value",
    "input_gain": "input_gain_default_value",
    "output_gain": "output_gain_default_value",
}


def describe(example: str, identity: Identity, metadata: Mapping[str, Any], binary: str) -> dict[str, str]:
    """Return the files that describe a plugin, by name.

    Args:
        example: What describes the plugin that plays any model, in Turtle.
        identity: What it is called from now on.
        metadata: Of its model, which names the knobs and says where they and the gains stand.
        binary: The plugin's file, beside those.

    Raises:
        BundleError: ``example`` is not what this package's plugins are described by.
    """
    uri = _only(re.findall(r"^<(\S+)>\n +a lv2:Plugin", example, re.MULTILINE))
    # The ids of groups and properties, which begin alike, may be the same in all plugins.
    text = example.replace(f"<{uri}>", f"<{identity.lv2_uri}>")
    text = _put(text, r'(doap:name )".*"( ;)', rf"\g<1>{_quoted(identity.name)}\2")
    parameters = list(metadata.get("neutone_parameters", {}).values())[:MAX_N_PARAMS]
    for index, (parameter, position) in enumerate(zip(parameters, knobs(dict(metadata), {}).flatten().tolist())):  # noqa: B905
        text = _name(text, f"knob{index + 1}", str(parameter["name"]))
        text = _preset(text, f"knob{index + 1}", position)
    for symbol, key in _GAINS.items():
        if key in metadata:
            text = _preset(text, symbol, float(metadata[key]))
    manifest = _MANIFEST.format(uri=identity.lv2_uri, binary=binary, ports=_PORTS_NAME)
    return {"manifest.ttl": manifest, _PORTS_NAME: text}


def _name(text: str, symbol: str, name: str) -> str:
    return _put(text, rf'(lv2:name )".*"( ;\s+lv2:symbol "{symbol}" ;)', rf"\g<1>{_quoted(name)}\2")


def _preset(text: str, symbol: str, value: float) -> str:
    return _put(text, rf'(lv2:symbol "{symbol}" ;\s+lv2:default )\S+( ;)', rf"\g<1>{value:.6f}\2")


def _quoted(text: str) -> str:
    """Return a text as Turtle writes it, which JSON does too, in a replacement of `re`."""
    return json.dumps(text, ensure_ascii=False).replace("\\", "\\\\")


def _put(text: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, text)
    _only([None] * count)
    return changed


def _only(found: list[Any]) -> Any:
    if len(found) != 1:
        msg = "the description of the plugin is not of this version of neutone_sdk; build plugins again (make plugins)"
        raise BundleError(msg)
    return found[0]
