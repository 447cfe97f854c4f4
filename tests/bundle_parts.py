"""Small stand-ins for what a bundle is made of: shared libraries that need each other, and plugins."""

import json
import shutil
from pathlib import Path

import torch

TORCH_LIB = Path(torch.__file__).parent / "lib"
VERSION = torch.__version__.split("+")[0]

# The C library and threads are all that it needs.
LEAF = next(TORCH_LIB.glob("libgomp*.so*"), None) or next(TORCH_LIB.parent.parent.glob("torch.libs/libgomp*.so*"))
# Needs libtorch_cpu.so, and looks for it in its own folder, as a plugin does; 8 KB.
NEEDS_TORCH = TORCH_LIB / "libtorch.so"

DESCRIPTION = """\
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .

<urn:neutone-sdk:example#model>
    a lv2:Parameter .

<urn:neutone-sdk:example>
    a lv2:Plugin, doap:Project ;

    lv2:port [
        lv2:name "Knob 1" ;
        lv2:symbol "knob1" ;
        lv2:default 0.5 ;
    ] ,
    [
        lv2:name "Knob 2" ;
        lv2:symbol "knob2" ;
        lv2:default 0.5 ;
    ] ,
    [
        lv2:name "Wet" ;
        lv2:symbol "wet" ;
        lv2:default 1 ;
    ] ,
    [
        lv2:name "Dry" ;
        lv2:symbol "dry" ;
        lv2:default 0 ;
    ] ,
    [
        lv2:name "Input gain" ;
        lv2:symbol "input_gain" ;
        lv2:default 0.5 ;
    ] ,
    [
        lv2:name "Output gain" ;
        lv2:symbol "output_gain" ;
        lv2:default 0.5 ;
    ] ;

    doap:name "Neutone Example" ;
    lv2:minorVersion 2 .
"""


def make_plugins(folder: Path, built_for: str = VERSION) -> Path:
    """Put what stands for plugins into a new folder."""
    folder.mkdir(parents=True)
    for stem in ("neutone_example", "neutone_example_mono"):
        shutil.copy(NEEDS_TORCH, folder / f"{stem}.so")
        (folder / f"{stem}.ttl").write_text(DESCRIPTION)
    (folder / "LICENSE.DPF").write_text("do as you like")
    (folder / "plugins.json").write_text(json.dumps({"torch": built_for}))
    return folder


def make_torch(folder: Path) -> Path:
    """Put what stands for torch's libraries into a new folder; return what stands for ``torch/__init__.py``."""
    lib = folder / "torch" / "lib"
    lib.mkdir(parents=True)
    shutil.copy(LEAF, lib / "libtorch_cpu.so")
    return folder / "torch" / "__init__.py"
