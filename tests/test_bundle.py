"""Bundles as they are written: what lies where, under which names, and what is refused. tests/hosts plays them."""

import errno
import json
import os
import platform
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import neutone_sdk
from neutone_sdk import ContinuousNeutoneParameter
from neutone_sdk._library import ops_library_path
from neutone_sdk.archive import read_metadata
from neutone_sdk.bundle import Bundle, bundle_model
from neutone_sdk.bundle.identity import MAX_NAME_BYTES, identity_of
from neutone_sdk.bundle.layout import default_output
from neutone_sdk.bundle.licenses import license_files
from neutone_sdk.bundle.lv2 import describe
from neutone_sdk.errors import BundleError, InvalidArgumentError, InvalidFileError, ModelOutputError

from .bundle_parts import DESCRIPTION, VERSION, make_plugins, make_torch
from .conftest import Neutone
from .wrappers import PerSample, card, export_quickly

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bundles are made on Linux only")

MACHINE = f"{platform.machine()}-linux"
OPERATORS = ops_library_path().name
BINARIES = {
    "vst3": f"Contents/{MACHINE}/My.so",
    "clap": "My.clap",
    "lv2": "plugin.so",
}
OUTPUTS = {"vst3": "My.vst3", "clap": "My", "lv2": "My.lv2"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    facts = card(name="My model", parameters=[ContinuousNeutoneParameter("gain", "", 0.25)])
    return export_quickly(tmp_path_factory.mktemp("model"), PerSample(nn.Identity(), card=facts))


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of plugins; torch's libraries are small ones too."""
    monkeypatch.setattr(torch, "__file__", str(make_torch(tmp_path / "site")))
    terms = {Path("licenses", "LICENSE"): Path(__file__).parents[1] / "LICENSE"}
    monkeypatch.setattr("neutone_sdk.bundle.make.license_files", lambda _: terms)
    return make_plugins(tmp_path / "plugins")


def files_in(folder: Path) -> set[str]:
    """Return all files but licences."""
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    return {file for file in files if "licenses" not in file}


# ---- What lies where ----


@pytest.mark.parametrize("plugin_format", BINARIES)
def test_all_that_a_plugin_needs_is_in_its_folder(
    plugin_format: str, model: Path, plugins: Path, tmp_path: Path
) -> None:
    made = bundle_model(model, plugin_format, tmp_path / OUTPUTS[plugin_format], plugins_from=plugins)

    binary = Path(BINARIES[plugin_format])
    resources = Path("Contents/Resources") if plugin_format == "vst3" else Path()
    libraries = {str(binary.parent / name) for name in ("libtorch_cpu.so", OPERATORS)}
    described = {"manifest.ttl", "plugin.ttl"} if plugin_format == "lv2" else set()
    of_the_model = {str(resources / name) for name in ("model.nm", "bundle.json")}
    assert files_in(made.folder) == {str(binary), *libraries, *of_the_model, *described}
    assert made.folder == tmp_path / OUTPUTS[plugin_format]
    assert made.n_bytes == sum(file.stat().st_size for file in made.folder.rglob("*") if file.is_file())
    assert (made.folder / resources / "model.nm").read_bytes() == model.read_bytes()
    assert (made.folder / binary).read_bytes() == (plugins / "neutone_example.so").read_bytes()
    facts = json.loads((made.folder / resources / "bundle.json").read_text())
    assert facts == {**asdict(made.identity), "model": "model.nm"}
    assert made.identity.name == "My model"


def test_licences_go_with_it(model: Path, plugins: Path, tmp_path: Path) -> None:
    made = bundle_model(model, "lv2", tmp_path / "My.lv2", plugins_from=plugins)
    licenses = made.folder / "licenses"
    assert (licenses / "LICENSE.DPF").read_text() == "do as you like"
    for package in ("neutone_sdk", "torch"):
        assert (licenses / package / "licenses" / "LICENSE").read_text().startswith("MIT License")


def test_terms_of_a_package_are_found() -> None:
    files = license_files("torch")
    assert any("PyTorch" in file.read_text(errors="replace") for file in files.values())
    assert all(name.name.startswith(("LICEN", "NOTICE", "COPYING")) for name in files)
    assert license_files("no-such-package") == {}


def test_mono_takes_the_other_plugin(model: Path, plugins: Path, tmp_path: Path) -> None:
    (plugins / "neutone_example_mono.so").write_bytes((plugins / "neutone_example.so").read_bytes() + b"mono")
    made = bundle_model(model, "lv2", tmp_path / "My.lv2", mono=True, plugins_from=plugins)
    assert (made.folder / "plugin.so").read_bytes().endswith(b"mono")


def test_the_folder_is_called_after_the_plugin(
    model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert bundle_model(model, "vst3", plugins_from=plugins).folder == Path("My_model.vst3")
    assert bundle_model(model, "clap", name="../Ä", plugins_from=plugins).folder == Path("Ä")
    assert default_output("lv2", "?").name == "plugin.lv2"


def test_hard_links_share_libraries_and_nothing_else(model: Path, plugins: Path, tmp_path: Path) -> None:
    copied = bundle_model(model, "clap", tmp_path / "Copied", plugins_from=plugins).folder
    linked = bundle_model(model, "clap", tmp_path / "Linked", hard_links=True, plugins_from=plugins).folder
    torch_cpu = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    assert (linked / torch_cpu.name).samefile(torch_cpu)
    assert not (copied / torch_cpu.name).samefile(torch_cpu)
    assert not (linked / "Linked.clap").samefile(plugins / "neutone_example.so")


def test_without_links_on_that_file_system_libraries_are_copied(
    model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    made = bundle_model(model, "clap", tmp_path / "My", hard_links=True, plugins_from=plugins)
    assert (made.folder / "libtorch_cpu.so").stat().st_nlink == 1


# ---- Names ----


names = st.text(
    st.characters(categories=("L", "N", "P"), max_codepoint=0x7FF), min_size=1, max_size=MAX_NAME_BYTES // 2
)


@settings(deadline=None)
@given(name=names, other=names, content=st.binary(), channels=st.sampled_from([1, 2]))
def test_what_differs_has_other_identifiers_and_what_is_the_same_has_the_same(
    name: str, other: str, content: bytes, channels: int
) -> None:
    identity = identity_of(name, content, channels)
    assert identity == identity_of(name, content, channels)
    assert 0 <= identity.vst3_id < 1 << 32
    different = [identity_of(name, content + b"1", channels), identity_of(name, content, 3 - channels)]
    different += [identity_of(other, content, channels)] if other != name else []
    for each in different:
        assert each.lv2_uri != identity.lv2_uri
        assert each.clap_id != identity.clap_id
        assert each.vst3_id != identity.vst3_id


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * (MAX_NAME_BYTES + 1), "ä" * 32])
def test_names_that_hosts_cannot_show_are_refused(name: str, model: Path, plugins: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"1 to 63 bytes of printable text, got .* give it another name"):
        bundle_model(model, "lv2", tmp_path / "My.lv2", name=name, plugins_from=plugins)


def test_lv2_is_described_with_the_knobs_of_the_model(model: Path) -> None:
    identity = identity_of('"Ä" \\ 1', b"", 2)
    metadata = read_metadata(model)
    metadata["neutone_parameters"]["p1"]["name"] = 'a "b" \\'
    metadata["dry_default_value"] = 0.125
    files = describe(DESCRIPTION, identity, metadata, "plugin.so")

    assert f"<{identity.lv2_uri}>\n    a lv2:Plugin ;\n    lv2:binary <plugin.so> ;" in files["manifest.ttl"]
    assert f"<{identity.lv2_uri}>\n    a lv2:Plugin, doap:Project ;" in files["plugin.ttl"]
    assert 'doap:name "\\"Ä\\" \\\\ 1" ;' in files["plugin.ttl"]
    assert 'lv2:name "a \\"b\\" \\\\" ;\n        lv2:symbol "knob1" ;\n        lv2:default 0.25' in files["plugin.ttl"]
    assert 'lv2:name "Knob 2" ;' in files["plugin.ttl"]
    assert 'lv2:symbol "dry" ;\n        lv2:default 0.125' in files["plugin.ttl"]
    assert "<urn:neutone-sdk:example>" not in files["plugin.ttl"]


@pytest.mark.parametrize("lost", ["a lv2:Plugin", "doap:name", '"knob1"', '"wet"'])
def test_a_description_of_another_version_is_refused(lost: str, model: Path) -> None:
    with pytest.raises(BundleError, match=r"not of this version.*make plugins"):
        describe(DESCRIPTION.replace(lost, "?"), identity_of("a", b"", 2), read_metadata(model), "plugin.so")


# ---- What is refused ----


def refused(tmp_path: Path, output: Path, kind: type[Exception], match: str, **arguments: Any) -> None:
    """Nothing is left behind."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(kind, match=match):
        bundle_model(output=output, **arguments)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("plugin_format", "name", "match"),
    [
        ("au", "My.component", "plugin must be one of vst3, clap, lv2, got 'au'"),
        ("vst3", "My.lv2", "hosts look for a vst3 in folders that end with .vst3, got My.lv2"),
        ("lv2", "My", "hosts look for a lv2 in folders that end with .lv2, got My"),
        ("clap", "My.clap", "a CLAP is a single file on Linux.*call it My, which then holds My.clap"),
    ],
)
def test_what_no_host_would_find(
    plugin_format: str, name: str, match: str, model: Path, plugins: Path, tmp_path: Path
) -> None:
    arguments = {"model": model, "plugin": plugin_format, "plugins_from": plugins}
    refused(tmp_path, tmp_path / name, InvalidArgumentError, match, **arguments)


def test_what_is_no_model(plugins: Path, tmp_path: Path) -> None:
    (tmp_path / "model.nm").write_bytes(b"no")
    arguments = {"model": tmp_path / "model.nm", "plugin": "lv2", "plugins_from": plugins}
    refused(tmp_path, tmp_path / "My.lv2", InvalidFileError, "is not a model", **arguments)


def test_a_model_that_does_not_play(
    model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ModelOutputError("it fails")

    monkeypatch.setattr("neutone_sdk.checks.subject.call", fail)
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    refused(tmp_path, tmp_path / "My.lv2", ModelOutputError, "it fails", **arguments)


@pytest.mark.parametrize("lost", ["plugins.json", "neutone_example.so", "neutone_example.ttl", "LICENSE.DPF"])
def test_plugins_that_are_not_there(lost: str, model: Path, plugins: Path, tmp_path: Path) -> None:
    (plugins / lost).unlink()
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    refused(tmp_path, tmp_path / "My.lv2", BundleError, f"{lost}.*make plugins.*--plugins-from", **arguments)


def test_an_installation_without_plugins_says_so(
    model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neutone_sdk, "__path__", [*neutone_sdk.__path__, str(tmp_path / "neutone_sdk")])
    arguments = {"model": model, "plugin": "lv2", "plugins_from": None}
    match = "this installation of neutone_sdk has no plugins.*make plugins.*--plugins-from"
    refused(tmp_path, tmp_path / "My.lv2", BundleError, match, **arguments)

    shutil.copytree(plugins, tmp_path / "neutone_sdk" / "plugins")
    assert bundle_model(model, "lv2", tmp_path / "My.lv2").folder.is_dir()


def test_plugins_for_another_torch(model: Path, plugins: Path, tmp_path: Path) -> None:
    (plugins / "plugins.json").write_text('{"torch": "2.99.1"}')
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    match = f"built for torch 2.99.1, and torch {VERSION} is installed.*pip install torch==2.99.1"
    refused(tmp_path, tmp_path / "My.lv2", BundleError, match, **arguments)


def test_a_plugin_that_could_not_be_moved(model: Path, plugins: Path, tmp_path: Path) -> None:
    binary = plugins / "neutone_example.so"
    binary.write_bytes(binary.read_bytes().replace(b"$ORIGIN", b"/opt/ai"))
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    match = "does not look for libtorch_cpu.so in its own folder"
    refused(tmp_path, tmp_path / "My.lv2", BundleError, match, **arguments)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null"])
def test_damaged_facts_about_plugins(content: str, model: Path, plugins: Path, tmp_path: Path) -> None:
    (plugins / "plugins.json").write_text(content)
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    refused(tmp_path, tmp_path / "My.lv2", BundleError, "plugins.json is missing or damaged", **arguments)


def test_another_system(model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    refused(tmp_path, tmp_path / "My.lv2", BundleError, "on Linux only, for Linux; this is darwin", **arguments)


# ---- Whole or not at all ----


def made_before(model: Path, plugins: Path, output: Path) -> Bundle:
    return bundle_model(model, "lv2", output, plugins_from=plugins)


def test_what_is_there_is_replaced_only_if_asked_for(model: Path, plugins: Path, tmp_path: Path) -> None:
    output = tmp_path / "My.lv2"
    made_before(model, plugins, output)
    (output / "old").touch()
    arguments: dict[str, Any] = {"model": model, "plugin": "lv2", "plugins_from": plugins}
    refused(tmp_path, output, BundleError, "is there already; .*--force", **arguments)
    assert (output / "old").exists()

    bundle_model(**arguments, output=output, force=True)
    assert not (output / "old").exists()
    assert (output / "plugin.so").exists()
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_what_is_no_bundle_is_never_replaced(model: Path, plugins: Path, tmp_path: Path) -> None:
    output = tmp_path / "My.lv2"
    output.mkdir()
    (output / "thesis").touch()
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins, "force": True}
    refused(tmp_path, output, BundleError, "is no bundle, so that it is not replaced", **arguments)


def test_a_full_disk_leaves_what_was_there(
    model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "My.lv2"
    before = made_before(model, plugins, output)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", fail)
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins, "force": True}
    refused(tmp_path, output, BundleError, "cannot write .*My.lv2: No space left on device.*make room", **arguments)
    assert sum(file.stat().st_size for file in output.rglob("*") if file.is_file()) == before.n_bytes


def test_a_failed_move_leaves_what_was_there(
    model: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "My.lv2"
    made_before(model, plugins, output)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    arguments = {"model": model, "plugin": "lv2", "plugins_from": plugins, "force": True}
    refused(tmp_path, output, BundleError, "Permission denied", **arguments)


# ---- The command ----


def test_the_command_makes_it_and_says_what_to_do_next(model: Path, plugins: Path, neutone: Neutone) -> None:
    result = neutone("bundle", model, "--plugin", "vst3", "-o", "My.vst3", "--name", "Mine", "--plugins-from", plugins)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("My.vst3: Mine, ")
    assert " MB, nearly all of it torch" in result.stdout
    assert "Copy the whole folder to ~/.vst3" in result.stdout
    assert json.loads(Path("My.vst3/Contents/Resources/bundle.json").read_text())["name"] == "Mine"


def test_the_command_says_in_one_line_what_is_wrong(model: Path, plugins: Path, neutone: Neutone) -> None:
    result = neutone("bundle", model, "--plugin", "clap", "-o", "My.clap", "--plugins-from", plugins)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: a CLAP is a single file on Linux")
    assert neutone("bundle", model, "--plugin", "aax").returncode == 2


@pytest.mark.parametrize("flag", ["--mono", "--hard-links", "--force"])
def test_flags_reach_the_bundle(flag: str, model: Path, neutone: Neutone, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def note(*_: object, **options: Any) -> Bundle:
        asked.update(options)
        return Bundle(Path("My"), identity_of("My", b"", 2), 1)

    monkeypatch.setattr("neutone_sdk.cli.bundle.bundle_model", note)
    assert neutone("bundle", model, "--plugin", "clap", flag).returncode == 0
    given = {name for name in ("mono", "hard_links", "force") if asked[name]}
    assert given == {flag[2:].replace("-", "_")}
