"""From a wrapped model to a ``.nm`` file, and back."""

import io
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_sdk._version import __version__
from neutone_sdk.archive import METADATA_NAME, read_metadata, write_atomically
from neutone_sdk.audio import AudioSamplePair, get_default_audio_samples
from neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR, MAX_N_AUDIO_SAMPLES
from neutone_sdk.errors import ExportError, InvalidFileError, InvalidTypeError
from neutone_sdk.script_errors import explain
from neutone_sdk.scripting import forget_converted_classes
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper
from neutone_sdk.streaming.schedule import select_best_model_sr
from neutone_sdk.waveform import WaveformToWaveformBase

MODEL_NAME = "model.nm"
# The interpreter and Python run the same kernels; fused multiplications and reordered sums differ by rounding.
MAX_RELOAD_DIFFERENCE = 1e-4
N_COMPARED_SAMPLES = 1 << 15
MIN_COMPARED_BLOCKS = 3


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
    with _without_deprecation():
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
    submission: bool = False,  # noqa: ARG001  # part of the 1.x interface
    audio_sample_pairs: Sequence[AudioSamplePair] | None = None,
    max_n_samples: int = MAX_N_AUDIO_SAMPLES,
    freeze: bool = False,
    optimize: bool = False,
    speed_benchmark: bool = True,  # noqa: ARG001
    test_offline_mode: bool = True,
) -> None:
    """Export a wrapped model as ``root_dir/model.nm``, with ``root_dir/metadata.json`` beside it.

    The file is reloaded and must play real audio like the model in memory before anything is written. Both files appear
    whole or not at all; if anything fails, what was there before stays.

    Args:
        model: The wrapped model.
        root_dir: Folder to write to; made if it is not there.
        dump_samples: Also write the embedded samples to ``root_dir/samples``.
        submission: Accepted for older code: all checks run always.
        audio_sample_pairs: Input and output to embed; none by default.
        max_n_samples: Most pairs to embed.
        freeze: See `model_to_torchscript`.
        optimize: See `model_to_torchscript`.
        speed_benchmark: Accepted for older code.
        test_offline_mode: Also compare offline rendering with playing block by block.

    Raises:
        InvalidTypeError: ``model`` is no wrapper.
        ScriptingError: TorchScript cannot convert the model.
        ExportError: The reloaded file plays something else than the model, or the folder cannot be written.
    """
    if not isinstance(model, WaveformToWaveformBase):
        msg = f"model must be a WaveformToWaveformBase, got {type(model).__name__}; wrap it first"
        raise InvalidTypeError(msg)
    root_dir = Path(root_dir)
    model.prepare_for_inference()
    rate_hz = select_best_model_sr(DEFAULT_DAW_SR, model.get_native_sample_rates())
    wrapper = SampleQueueWrapper(model, daw_sr=rate_hz, daw_bs=DEFAULT_DAW_BS)
    script = model_to_torchscript(wrapper, freeze, optimize)
    pairs = list(audio_sample_pairs or [])[:max_n_samples]
    metadata = _complete_metadata(model, pairs)
    content = _archive_bytes(script, metadata)
    _check_reloaded(wrapper, content, test_offline_mode)

    files: dict[Path, bytes] = {}
    for index, pair in enumerate(pairs if dump_samples else []):
        files[root_dir / "samples" / f"sample_in_{index}.mp3"] = pair.input.to_mp3_bytes()
        files[root_dir / "samples" / f"sample_out_{index}.mp3"] = pair.output.to_mp3_bytes()
    files[root_dir / METADATA_NAME] = json.dumps(metadata, indent=4, sort_keys=True).encode()
    files[root_dir / MODEL_NAME] = content
    made = _make_folders(root_dir / "samples" if dump_samples else root_dir)
    new: list[Path] = []
    try:
        for path, file_content in files.items():
            is_new = not os.path.lexists(path)
            write_atomically(path, file_content)
            if is_new:
                new.append(path)
    except ExportError:
        for path in new:
            path.unlink()
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def load_neutone_model(path: Path | str) -> tuple[ScriptModule, dict[str, Any]]:
    """Load a ``.nm`` file.

    Returns:
        The model, ready to play, and its metadata.

    Raises:
        InvalidFileError: The file is missing, damaged, no model, or needs operators that are not there.
    """
    metadata = read_metadata(path)
    try:
        with _without_deprecation():
            script = torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        msg = f"{path} cannot be loaded: {reason}"
        raise InvalidFileError(msg) from error
    return script, metadata


@contextmanager
def _without_deprecation() -> Iterator[None]:
    """Torch announces that TorchScript will go; users of this package can do nothing about it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)", DeprecationWarning)
        yield


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
        with _without_deprecation():
            torch.jit.save(script, buffer, _extra_files={METADATA_NAME: json.dumps(metadata, sort_keys=True)})
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
    return buffer.getvalue()


def _check_reloaded(wrapper: SampleQueueWrapper, content: bytes, test_offline_mode: bool) -> None:
    """Raise unless the exported file plays a drum loop as the model in memory does.

    Raises:
        ExportError: It does not.
    """
    with _without_deprecation():
        reloaded = torch.jit.load(io.BytesIO(content))
    n_samples = max(N_COMPARED_SAMPLES, MIN_COMPARED_BLOCKS * wrapper.model_bs)
    n_samples -= n_samples % wrapper.daw_bs
    loop = get_default_audio_samples()[1].audio
    audio = loop.repeat(1, n_samples // loop.size(1) + 1)[:, :n_samples]
    in_memory, in_file = _play(wrapper, audio), _play(reloaded, audio)
    _compare("the model in memory", in_memory, "the exported file", in_file)
    if test_offline_mode:
        delay = reloaded.calc_buffering_delay_samples() + reloaded.calc_model_delay_samples()
        offline = _seeded(reloaded.forward_offline, audio)[:, : n_samples - delay]
        _compare("the exported file block by block", in_file[:, delay:], "the same file offline", offline)


def _play(model: Any, audio: Tensor) -> Tensor:
    def run(audio: Tensor) -> Tensor:
        model.reset()
        blocks = [model(block) for block in audio.split(model.daw_bs, dim=1)]
        model.reset()
        return torch.cat(blocks, dim=1)

    return _seeded(run, audio)


def _seeded(run: Any, audio: Tensor) -> Tensor:
    """Models that use random numbers get the same ones each time, and the caller's generator stays as it was."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return run(audio)


def _compare(name: str, expected: Tensor, other_name: str, actual: Tensor) -> None:
    difference = torch.where(expected == actual, 0.0, (expected - actual).abs())
    both_nan = expected.isnan() & actual.isnan()
    worst = float(difference.masked_fill(both_nan, 0.0).nan_to_num(nan=torch.inf).max()) if actual.numel() else 0.0
    if worst > MAX_RELOAD_DIFFERENCE * max(1.0, float(expected.nan_to_num().abs().max())):
        msg = (
            f"{name} and {other_name} play the same audio differently, by up to {worst:.3g} "
            f"(allowed: {MAX_RELOAD_DIFFERENCE:g}). A common cause is state that reset_model() does not reset, "
            "or code that takes another way when it is scripted"
        )
        raise ExportError(msg)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and return what had to be made, innermost first."""
    try:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {folder}: {error.strerror or error}; choose one that you may write to"
        raise ExportError(msg) from error
    return missing
