"""From a wrapped model to a ``.nm`` file, and back."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.jit import ScriptModule

from neutone_sdk._version import __version__
from neutone_sdk.archive import METADATA_NAME, read_model
from neutone_sdk.audio import AudioSamplePair
from neutone_sdk.checks import check_exported
from neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR, MAX_N_AUDIO_SAMPLES
from neutone_sdk.errors import ExportError, InvalidFileError, InvalidTypeError
from neutone_sdk.files import write_atomically
from neutone_sdk.needs import missing_needs
from neutone_sdk.script_errors import explain
from neutone_sdk.scripting import forget_converted_classes, without_deprecation
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper
from neutone_sdk.streaming.schedule import select_best_model_sr
from neutone_sdk.torchscript.judge import judge_archive
from neutone_sdk.torchscript.refusal import RefusedError
from neutone_sdk.waveform import WaveformToWaveformBase

MODEL_NAME = "model.nm"
# What every host calls, in files of every version.
HOST_METHODS = ("forward", "reset", "set_daw_sample_rate_and_buffer_size", "calc_buffering_delay_samples")


def model_to_torchscript(
    model: WaveformToWaveformBase | SampleQueueWrapper, freeze: bool = False, optimize: bool = False
) -> ScriptModule:
    """Convert a wrapped model to TorchScript.

    Args:
        model: A wrapper, or a wrapper in its queue.
        freeze: Make weights and attributes constants; what hosts call is preserved.
        optimize: Let torch fuse operations for inference; implies ``freeze``.

    Raises:
        ScriptingError: TorchScript cannot convert a method; the message names it, the line, and what to change.
        ExportError: ``freeze`` or ``optimize`` is asked for, and torch cannot do it.
    """
    model.prepare_for_inference()
    with without_deprecation():
        try:
            script: ScriptModule = torch.jit.script(model)
        except Exception as error:
            forget_converted_classes()
            raise explain(error, getattr(model, "w2w_base", model)) from error
        return _frozen(script, optimize) if freeze or optimize else script


def _frozen(script: ScriptModule, optimize: bool) -> ScriptModule:
    try:
        frozen: ScriptModule = torch.jit.freeze(script, preserved_attrs=script.get_preserved_attributes())
        return torch.jit.optimize_for_inference(frozen) if optimize else frozen
    except RuntimeError as error:
        msg = f"torch cannot freeze this model ({str(error).strip()}); export it with freeze=False, optimize=False"
        raise ExportError(msg) from error


def save_neutone_model(
    model: WaveformToWaveformBase,
    root_dir: Path | str,
    dump_samples: bool = False,
    submission: bool = False,
    audio_sample_pairs: Sequence[AudioSamplePair] | None = None,
    max_n_samples: int = MAX_N_AUDIO_SAMPLES,
    freeze: bool = False,
    optimize: bool = False,
    speed_benchmark: bool = True,  # noqa: ARG001  # part of the 1.x interface
    test_offline_mode: bool = True,
) -> None:
    """Export a wrapped model as ``root_dir/model.nm``, with ``root_dir/metadata.json`` beside it.

    Before anything is written, the file is reloaded and must play real audio like the model in memory. Every file
    appears whole or not at all; if anything fails, what was there before stays.

    Args:
        model: The wrapped model.
        root_dir: Folder to write to; made if it is not there.
        dump_samples: Also write the embedded samples to ``root_dir/samples``.
        submission: Refuse a model whose own ``reset_model`` leaves state behind; otherwise, and for a wrapper without
            one, that is a warning.
        audio_sample_pairs: Input and output to embed; none by default.
        max_n_samples: Most pairs to embed.
        freeze: See `model_to_torchscript`.
        optimize: See `model_to_torchscript`.
        speed_benchmark: Accepted for older code.
        test_offline_mode: Also compare offline rendering with playing block by block.

    Warns:
        UserWarning: A reset leaves state behind.

    Raises:
        InvalidTypeError: ``model`` is no wrapper.
        ScriptingError: TorchScript cannot convert the model, or a file cannot hold a method.
        ExportError: The reloaded file plays something else than the model, `load_neutone_model` would refuse it, or the
            folder cannot be written.
    """
    if not isinstance(model, WaveformToWaveformBase):
        msg = f"model must be a WaveformToWaveformBase, got {type(model).__name__}; wrap it first"
        raise InvalidTypeError(msg)
    model.prepare_for_inference()
    rate_hz = select_best_model_sr(DEFAULT_DAW_SR, model.get_native_sample_rates())
    wrapper = SampleQueueWrapper(model, daw_sr=rate_hz, daw_bs=DEFAULT_DAW_BS)
    pairs = list(audio_sample_pairs or [])[:max_n_samples]
    metadata = _complete_metadata(model, pairs)
    script = model_to_torchscript(wrapper, freeze, optimize)
    try:
        content = _archive_bytes(script, metadata)
    except RuntimeError as error:
        raise explain(error, model) from error
    _check_loadable(content)
    check_exported(wrapper, content, with_offline=test_offline_mode, is_strict=submission)

    root_dir = Path(root_dir)
    files = {
        root_dir / MODEL_NAME: content,
        root_dir / METADATA_NAME: json.dumps(metadata, indent=4, sort_keys=True).encode(),
    }
    for index, pair in enumerate(pairs if dump_samples else []):
        files[root_dir / "samples" / f"sample_in_{index}.mp3"] = pair.input.to_mp3_bytes()
        files[root_dir / "samples" / f"sample_out_{index}.mp3"] = pair.output.to_mp3_bytes()
    made = _make_folders(root_dir / "samples" if dump_samples and pairs else root_dir)
    try:
        write_atomically(files)
    except BaseException:
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _check_loadable(content: bytes) -> None:
    try:
        judge_archive(content)
    except RefusedError as error:
        msg = f"load_neutone_model would refuse this model, {error}; change what is named there, or rename it"
        raise ExportError(msg) from error


def load_neutone_model(path: Path | str) -> tuple[ScriptModule, dict[str, Any]]:
    """Load a ``.nm`` file, after its structure, metadata, code and needs have been judged; see ``docs/security.md``.

    Returns:
        The model, ready to play, and its metadata.

    Raises:
        InvalidFileError: The file is missing, damaged, no model, needs operators that are not there, says of itself
            what is not so, or holds what torch does not write or what could do harm when it is loaded.
    """
    file = read_model(path)
    problem = missing_needs(file.operators, file.metadata)
    if problem:
        msg = f"{path} cannot be loaded: {problem}"
        raise InvalidFileError(msg)
    try:
        with without_deprecation():
            script = torch.jit.load(io.BytesIO(file.content), map_location="cpu")
    except (RuntimeError, ValueError, OSError, LookupError, MemoryError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        msg = f"{path} cannot be loaded: {reason}"
        raise InvalidFileError(msg) from error
    missing = [name for name in HOST_METHODS if not hasattr(script, name)]
    if missing:
        msg = f"{path} holds a TorchScript module, but no model for a host: it has no {', '.join(missing)}"
        raise InvalidFileError(msg)
    return script, file.metadata


def _complete_metadata(model: WaveformToWaveformBase, pairs: list[AudioSamplePair]) -> dict[str, Any]:
    return {
        **model.to_metadata(),
        "sample_sound_files": [dict(pair.to_metadata_format()) for pair in pairs],
        "flavour": "native",
        "required_ops": {"neutone": __version__},
    }


def _archive_bytes(script: ScriptModule, metadata: dict[str, Any]) -> bytes:
    """Hosts must not need to turn gradients off, so no parameter in the file asks for them."""
    trained = [parameter for parameter in script.parameters() if parameter.requires_grad]
    buffer = io.BytesIO()
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        with without_deprecation():
            torch.jit.save(script, buffer, _extra_files={METADATA_NAME: json.dumps(metadata, sort_keys=True)})
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
    return buffer.getvalue()


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and return what had to be made, innermost first."""
    try:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {folder}: {error.strerror or error}; choose one that you may write to"
        raise ExportError(msg) from error
    return missing
