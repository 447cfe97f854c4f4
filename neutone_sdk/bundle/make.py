"""Puts a model and all that plays it into one folder."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from neutone_sdk._library import ops_library_path
from neutone_sdk.bundle.elf import check_relocatable, closure
from neutone_sdk.bundle.folder import check_place, new_folder
from neutone_sdk.bundle.identity import FILE_NAME, Identity, identity_of
from neutone_sdk.bundle.layout import Layout, check_format, default_output, layout_of
from neutone_sdk.bundle.licenses import license_files
from neutone_sdk.bundle.lv2 import describe
from neutone_sdk.bundle.plugins import Plugin, find_plugin
from neutone_sdk.checks.subject import noise, play_afresh
from neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR
from neutone_sdk.export import load_neutone_model
from neutone_sdk.files import open_file
from neutone_sdk.rendering import set_up_host
from neutone_sdk.streaming.schedule import ceil_div, select_best_model_sr


@dataclass(frozen=True)
class Bundle:
    """A plugin that plays one model, and needs nothing that is not in its folder."""

    folder: Path
    identity: Identity
    n_bytes: int  # of all files


@dataclass(frozen=True)
class _Parts:
    """What a bundle is made of."""

    layout: Layout
    plugin: Plugin
    libraries: dict[str, Path]  # by the names that they are looked for
    identity: Identity
    metadata: dict[str, Any]
    model: bytes


def bundle_model(
    model: Path | str,
    plugin: str,
    output: Path | str | None = None,
    *,
    name: str | None = None,
    mono: bool = False,
    hard_links: bool = False,
    force: bool = False,
    plugins_from: Path | str | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Make a plugin of a model: a folder with plugin, torch, operators and model, that can be moved anywhere.

    It is there whole or not at all. Hosts know it by identifiers that come from name, model and channels: bundles of
    several models, or of two versions of one, live beside each other.

    Args:
        model: A ``.nm`` file. It is loaded and played, so it has to come from somebody you trust.
        plugin: The format: ``vst3``, ``clap`` or ``lv2``.
        output: The folder to make, ``Name.vst3`` or ``Name.lv2``; for a CLAP, which is a single file in there, a name
            without that ending. None for the name of the plugin, in the working directory.
        name: What hosts show, 1 to 63 bytes; None for the name in the model.
        mono: One channel in and out instead of two.
        hard_links: Share torch's libraries with the installed torch where both are on one file system, instead of
            copying them.
        force: Replace a bundle that is there.
        plugins_from: The folder with the plugins; None for those that were installed with this package.
        on_step: Is told what is done next.

    Raises:
        InvalidFileError: The file is no model, or cannot be loaded.
        InvalidArgumentError: There is no such format; hosts could not show the name, or would not find the folder.
        ModelOutputError: The model does not play.
        BundleError: There are no plugins, or none for this torch or system; the folder is there already; or it cannot
            be written. Nothing is left behind.
    """
    check_format(plugin)
    n_channels = 1 if mono else 2
    parts = find_plugin(n_channels, None if plugins_from is None else Path(plugins_from))
    on_step("playing the model")
    content, metadata = _playable(Path(model))
    identity = identity_of(str(metadata["model_name"]) if name is None else name, content, n_channels)
    output = default_output(plugin, identity.name) if output is None else Path(output)
    layout = layout_of(plugin, output)
    check_place(output, force=force)

    operators = ops_library_path()
    libraries = closure([parts.binary, operators], Path(torch.__file__).parent / "lib")
    libraries[operators.name] = operators
    whole = _Parts(layout, parts, libraries, identity, metadata, content)
    with new_folder(output) as folder:
        _fill(folder, whole, plugin, hard_links=hard_links, on_step=on_step)
    return Bundle(output, identity, sum(file.stat().st_size for file in output.rglob("*") if file.is_file()))


def _playable(model: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the content of a file and its metadata, once its model has played until it had a block of its own."""
    script, metadata = load_neutone_model(model)
    rate_hz = select_best_model_sr(DEFAULT_DAW_SR, list(script.get_native_sample_rates()))
    latency = set_up_host(script, rate_hz, DEFAULT_DAW_BS)
    n_blocks = ceil_div(latency.model_block, DEFAULT_DAW_BS) + 1
    play_afresh(script, noise(2, n_blocks * DEFAULT_DAW_BS), DEFAULT_DAW_BS)
    with open_file(model) as file:
        return file.read(), metadata


def _fill(folder: Path, parts: _Parts, plugin: str, *, hard_links: bool, on_step: Callable[[str], None]) -> None:
    layout = parts.layout
    binary = folder / layout.binary
    for place in (binary.parent, folder / layout.resources):
        place.mkdir(parents=True, exist_ok=True)
    shutil.copy2(parts.plugin.binary, binary)
    for name, library in parts.libraries.items():
        on_step(f"copying {name}, {library.stat().st_size / 1e6:.1f} MB")
        _put(library, binary.parent / name, hard_links=hard_links)
    # The operators find torch in the process, which the plugin has brought along.
    operators = ops_library_path().name
    beside = {name: binary.parent / name for name in parts.libraries if name != operators}
    check_relocatable({layout.binary.name: binary, **beside})

    (folder / layout.model).write_bytes(parts.model)
    (folder / layout.resources / FILE_NAME).write_text(parts.identity.to_json(layout.model.name), encoding="utf-8")
    for package in ("neutone_sdk", "torch"):
        for place, terms in license_files(package).items():
            _copy(terms, folder / layout.resources / "licenses" / package / place)
    _copy(parts.plugin.license, folder / layout.resources / "licenses" / parts.plugin.license.name)
    if plugin == "lv2":
        example = parts.plugin.description.read_text(encoding="utf-8")
        for name, text in describe(example, parts.identity, parts.metadata, binary.name).items():
            (folder / name).write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _put(library: Path, place: Path, *, hard_links: bool) -> None:
    if hard_links:
        try:
            os.link(library.resolve(), place)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copy2(library, place)
