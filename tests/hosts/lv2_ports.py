"""The description of a plugin for hosts of LV2 without events: see bare_lv2.cpp."""

import re
from pathlib import Path

PREFIXES = """@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
KEPT = re.compile(r"^ *(a lv2:|lv2:(symbol|name|default|minimum|maximum) )")


def write_bare_bundle(bundle: Path, described: Path, library: Path) -> str:
    """Put a bundle of ``library`` with the ports of ``described``, a file of DPF's, into ``bundle``; return its URI."""
    text = described.read_text()
    ports = [block for block in re.findall(r"\[\n(.*?)\]", text, re.DOTALL) if "lv2:index" in block]
    ports = [port for port in ports if "atom:AtomPort" not in port]
    uri = re.findall(r"^<(\S+)>\n +a lv2:Plugin", text, re.MULTILINE)[0] + "#bare"
    blocks = []
    for index, port in enumerate(ports):
        lines = [line for line in port.splitlines() if KEPT.match(line)]
        blocks.append("\n".join(["[", *lines, f"lv2:index {index} ;", "]"]))
    bundle.mkdir(parents=True)
    (bundle / "manifest.ttl").write_text(
        f"{PREFIXES}<{uri}> a lv2:Plugin ; lv2:binary <{library.resolve().as_uri()}> ; rdfs:seeAlso <ports.ttl> .\n"
    )
    (bundle / "ports.ttl").write_text(
        f'{PREFIXES}<{uri}> a lv2:Plugin ; doap:name "bare" ; lv2:port {" , ".join(blocks)} .\n'
    )
    return uri
