"""From a wrapped model to a ``.nm`` file, and back."""

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.jit import ScriptModule

from neutone_sdk._version import __version__
from neutone_sdk.archive import METADATA_NAME, read_model
from neutone_sdk.audio import AudioSample, AudioSamplePair
from neutone_sdk.checks.at_export import check_exported
from neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR, FLAVOURS, MAX_N_AUDIO_SAMPLES
from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.files import make_folders, write_atomically
from neutone_sdk.metadata import check_metadata
from neutone_sdk.needs import missing_needs
from neutone_sdk.samples import choose_clips, files_of, report, sample_sound_files
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


def _portable_script(wrapper: SampleQueueWrapper, freeze: bool, optimize: bool) -> ScriptModule:
    from neutone_sdk.portable.linker import to_portable  # noqa: PLC0415  # few need it, and it compiles a lot

    script = to_portable(_archive_bytes(model_to_torchscript(wrapper), {}, wrapper.w2w_base))
    return _frozen(script, optimize) if freeze or optimize else script


def _frozen(script: ScriptModule, optimize: bool) -> ScriptModule:
    try:
        frozen: ScriptModule = torch.jit.freeze(script, preserved_attrs=script.get_preserved_attributes())
        return torch.jit.optimize_for_inference(frozen) if optimize else frozen
    except RuntimeError as error:
        assigned = re.search(r"does not have an attribute with name '(\w+)'", str(error))
        reason = f"its code assigns to self.{assigned[1]}" if assigned else str(error).strip()
        remedy = f"write into a tensor instead, self.{assigned[1]}.copy_(...), or " if assigned else ""
        msg = f"torch cannot freeze this model: {reason}; {remedy}export it with freeze=False, optimize=False"
        raise ExportError(msg) from error


def save_neutone_model(
    model: WaveformToWaveformBase,
    root_dir: Path | str,
    dump_samples: bool = False,
    submission: bool = False,
    audio_sample_pairs: Sequence[AudioSamplePair | AudioSample] | None = None,
    max_n_samples: int = MAX_N_AUDIO_SAMPLES,
    freeze: bool = False,
    optimize: bool = False,
    speed_benchmark: bool = True,
    test_offline_mode: bool = True,
    flavour: str = "native",
) -> None:
    """Export a wrapped model as ``root_dir/model.nm``, with ``root_dir/metadata.json`` beside it.

    Before anything is written, the file is reloaded and must play real audio like the model in memory. Every file
    appears whole or not at all; if anything fails, what was there before stays.

    Args:
        model: The wrapped model.
        root_dir: Folder to write to; made if it is not there.
        dump_samples: Also write the embedded samples to ``root_dir/samples``, as ``sample_in_0.mp3``,
            ``sample_out_0.mp3`` and so on.
        submission: Run all checks of `neutone_sdk.checks`, show them as a table on stderr, and refuse a model that
            fails one, or that fails on a sample; otherwise only those run that tell whether a host can play the file
            rightly. Writes ``root_dir/samples`` too.
        audio_sample_pairs: Inputs with their outputs to embed, or inputs alone, to be played through the exported
            file. By default `get_default_audio_samples` are, as far as the model gets in twice their duration.
        max_n_samples: Most pairs to embed, 0..3.
        freeze: See `model_to_torchscript`.
        optimize: See `model_to_torchscript`.
        speed_benchmark: Also warn of a model that is far too slow for real time.
        test_offline_mode: Also compare offline rendering with playing block by block.
        flavour: ``"native"`` for hosts that have the operators of this package, or ``"portable"`` for any host: only
            operators of torch, equal output to 1e-6, the same delay, many times the overhead.

    Warns:
        UserWarning: A reset leaves state behind, the model is far too slow for real time, or an input cannot be played
            and is left out.

    Raises:
        InvalidTypeError: ``model`` is no wrapper, or an argument, or what a getter returns, is of another type.
        InvalidArgumentError: ``flavour`` is none of the two, ``max_n_samples`` is not in 0..3, a pair cannot be
            encoded, or what the model says of itself exceeds the limits of hosts; all of it is listed.
        ScriptingError: TorchScript cannot convert the model, or a file cannot hold a method.
        ExportError: The reloaded file plays something else than the model, a submission fails a check (the message
            lists all that failed), `load_neutone_model` would refuse the file, or the folder cannot be written.
    """
    if not isinstance(model, WaveformToWaveformBase):
        msg = f"model must be a WaveformToWaveformBase, got {type(model).__name__}; wrap it first"
        raise InvalidTypeError(msg)
    if flavour not in FLAVOURS:
        msg = f"flavour must be one of {', '.join(FLAVOURS)}, got {flavour!r}"
        raise InvalidArgumentError(msg)
    clips = choose_clips(audio_sample_pairs, max_n_samples)
    model.prepare_for_inference()
    rate_hz = select_best_model_sr(DEFAULT_DAW_SR, model.get_native_sample_rates())
    wrapper = SampleQueueWrapper(model, daw_sr=rate_hz, daw_bs=DEFAULT_DAW_BS)
    metadata = _complete_metadata(model, flavour)
    check_metadata(metadata)
    convert = _portable_script if flavour == "portable" else model_to_torchscript
    script = convert(wrapper, freeze, optimize)
    content = _archive_bytes(script, metadata, model)
    _check_loadable(content)
    entries, problems = sample_sound_files(clips, content, may_cut=audio_sample_pairs is None)
    if entries:  # before the model in memory plays: the script shares its state
        metadata["sample_sound_files"] = entries
        content = _archive_bytes(script, metadata, model)
    check_exported(
        wrapper,
        content,
        metadata,
        is_submission=submission,
        with_offline=test_offline_mode,
        with_speed=speed_benchmark,
    )
    report(problems, is_strict=submission)
    _write(Path(root_dir), content, metadata, with_samples=dump_samples or submission)


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


def _check_loadable(content: bytes) -> None:
    try:
        judge_archive(content)
    except RefusedError as error:
        msg = f"load_neutone_model would refuse this model, {error}; change what is named there, or rename it"
        raise ExportError(msg) from error


def _write(root_dir: Path, content: bytes, metadata: dict[str, Any], *, with_samples: bool) -> None:
    """Write all files or none; no folder stays that was made for nothing."""
    samples = files_of(metadata, root_dir / "samples") if with_samples else {}
    text = json.dumps(metadata, indent=4, sort_keys=True)
    made = make_folders(root_dir / "samples" if samples else root_dir)
    try:
        write_atomically({root_dir / MODEL_NAME: content, root_dir / METADATA_NAME: text.encode(), **samples})
    except BaseException:
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _complete_metadata(model: WaveformToWaveformBase, flavour: str) -> dict[str, Any]:
    return {
        **model.to_metadata(),
        "sample_sound_files": [],
        "flavour": flavour,
        "required_ops": {"neutone": __version__} if flavour == "native" else {},
    }


def _archive_bytes(script: ScriptModule, metadata: dict[str, Any], model: WaveformToWaveformBase) -> bytes:
    """Hosts must not need to turn gradients off, so no parameter in the file asks for them."""
    trained = [parameter for parameter in script.parameters() if parameter.requires_grad]
    buffer = io.BytesIO()
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        with without_deprecation():
            torch.jit.save(script, buffer, _extra_files={METADATA_NAME: json.dumps(metadata, sort_keys=True)})
    except RuntimeError as error:
        raise explain(error, model) from error
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
    return buffer.getvalue()
