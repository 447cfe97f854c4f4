"""What is in the wheel, and that it is good wherever it is unpacked."""

import re
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .installed import ROOT, start, the_wheel

MAX_BYTES = 3_000_000
# What only files of csrc/dsp include that are compiled into the library.
NOT_FOR_USERS = {"argument_range.h", "instruction_set.h", "kaiser.h"}


def sources(folder: str, *patterns: str) -> set[str]:
    """Files of the repository, as paths in it."""
    return {str(file.relative_to(ROOT)) for pattern in patterns for file in (ROOT / folder).rglob(pattern)}


def package() -> set[str]:
    files = sources("neutone_sdk", "*.py", "*.pyi", "py.typed", "assets/*.json", "assets/samples/*", "templates/*")
    return files | sources("neutone_command", "*.py")


def headers() -> set[str]:
    engine = {f"csrc/engine/{name}.h" for name in ("engine", "model", "stats", "worker_pool")}
    dsp = {name for name in sources("csrc/dsp", "*.h") if Path(name).name not in NOT_FOR_USERS}
    host = {name for name in sources("csrc/host", "*.h", "*.cpp") if "/command/" not in name}
    return {name.replace("csrc/", "neutone_sdk/include/neutone/") for name in engine | dsp | host}


def test_holds_the_package_what_plugin_developers_need_and_nothing_else() -> None:
    cmake = {"FindTorchStable", "neutone-config", "neutone-config-version", "neutone-host", "neutone-operators"}
    cmake |= {"neutone-targets", "neutone-targets-release"}
    built = {"neutone_sdk/libneutone_ops.so", "neutone_sdk/lib/libneutone_dsp.a", "neutone_sdk/lib/libneutone_engine.a"}
    built |= {f"neutone_sdk/plugins/{name}" for name in ("LICENSE.DPF", "plugins.json")}
    built |= {f"neutone_sdk/plugins/neutone_example{k}.{end}" for k in ("", "_mono") for end in ("so", "ttl")}
    expected = package() | headers() | built | {f"neutone_sdk/share/cmake/neutone/{name}.cmake" for name in cmake}

    names = set(zipfile.ZipFile(the_wheel()).namelist())
    others = names - expected
    modules = {name for name in others if re.fullmatch(r"neutone_sdk/_native\.[\w-]+\.so", name)}

    assert expected - names == set()
    assert len(modules) == 1
    assert {name.split("/")[0] for name in others - modules} == {the_wheel().name.rsplit("-", 3)[0] + ".dist-info"}


def test_is_small() -> None:
    assert the_wheel().stat().st_size <= MAX_BYTES


def test_names_no_place_of_the_machine_that_built_it() -> None:
    places = [str(ROOT), sys.prefix, tempfile.gettempdir() + "/"]
    with zipfile.ZipFile(the_wheel()) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    found = [(name, place) for name, content in contents.items() for place in places if place.encode() in content]
    assert found == []


def test_every_header_compiles_alone_beside_headers_of_the_same_names(without_torch: Path, tmp_path: Path) -> None:
    include = without_torch / "neutone_sdk" / "include"
    shipped = [file.relative_to(include) for file in sorted(include.rglob("*.h"))]
    hostile = tmp_path / "hostile"
    for header in shipped:  # as dsp/x.h and as x.h
        for place in (hostile / header.relative_to("neutone"), hostile / header.name):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("#error this is the consumer's own\n")

    def compile_alone(header: Path) -> str:
        source = tmp_path / f"{'_'.join(header.parts)}.cpp"
        source.write_text(f"#include <{header.as_posix()}>\n")
        options = ("-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror")
        return start("c++", *options, f"-I{hostile}", f"-I{hostile / 'dsp'}", f"-I{include}", source).stderr

    with ThreadPoolExecutor(2) as workers:
        messages = [message for message in workers.map(compile_alone, shipped) if message]
    assert messages == []
    assert {header.parts[1] for header in shipped} == {"dsp", "engine", "host"}
