"""What an exported model has to prove before it is written."""

import io
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.errors import ExportError
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of, without_deprecation
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper
from neutone_sdk.waveform import WaveformToWaveformBase

# The interpreter and Python run the same kernels; fused multiplications and reordered sums differ by rounding.
MAX_DIFFERENCE = 1e-4
N_SAMPLES = 1 << 15
MIN_BLOCKS = 3


def check_exported(wrapper: SampleQueueWrapper, content: bytes, *, with_offline: bool, is_strict: bool) -> None:
    """Raise unless an exported file plays a drum loop as the model in memory does, also offline, also after a reset.

    A wrapper without ``reset_model``, as many of 1.x are, may leave state behind: that is a warning.

    Args:
        wrapper: The model in memory.
        content: The file.
        with_offline: Compare offline rendering with playing block by block.
        is_strict: Raise, rather than warn, if the wrapper's ``reset_model`` leaves state behind.

    Raises:
        ExportError: It does not.
    """
    reloaded = _load(content)
    delay = reloaded.calc_buffering_delay_samples() + reloaded.calc_model_delay_samples()
    audio = _drum_loop(max(N_SAMPLES, MIN_BLOCKS * wrapper.model_bs) + delay, wrapper.daw_bs)
    in_memory = _play(wrapper, audio)
    try:
        in_file = _play(reloaded, audio)
    except SCRIPT_ERRORS as error:
        msg = f"the exported model fails on a drum loop, the model in memory does not: {message_of(error)}"
        raise ExportError(msg) from error
    _compare("the model in memory", in_memory, "the exported file", in_file)
    if with_offline:
        offline = _seeded(_load(content).forward_offline, audio)[:, : audio.size(1) - delay]
        _compare("the exported file block by block", in_file[:, delay:], "the same file offline", offline)
    try:
        _compare("the exported file", in_file, "the same file after reset()", _play(reloaded, audio))
    except ExportError as error:
        can_reset = type(wrapper.w2w_base).reset_model is not WaveformToWaveformBase.reset_model
        if can_reset and is_strict:
            raise
        remedy = "reset_model() has" if can_reset else "the wrapper has no reset_model(): define one"
        warnings.warn(f"{error}; {remedy} to forget all of it", UserWarning, stacklevel=3)


def _load(content: bytes) -> Any:
    with without_deprecation():
        return torch.jit.load(io.BytesIO(content))


def _drum_loop(min_samples: int, block: int) -> Tensor:
    """Whole blocks of the host."""
    n_samples = -(-min_samples // block) * block
    loop = get_default_audio_samples()[1].audio
    return loop.repeat(1, n_samples // loop.size(1) + 1)[:, :n_samples]


def _play(model: Any, audio: Tensor) -> Tensor:
    def run(audio: Tensor) -> Tensor:
        model.reset()
        blocks = [model(block) for block in audio.split(model.daw_bs, dim=1)]
        model.reset()
        return torch.cat(blocks, dim=1)

    return _seeded(run, audio)


def _seeded(run: Callable[[Tensor], Tensor], audio: Tensor) -> Tensor:
    """Models that use random numbers get the same ones each time, and the caller's generator stays as it was."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return run(audio)


def _compare(name: str, expected: Tensor, other_name: str, actual: Tensor) -> None:
    is_same = (expected == actual) | (expected.isnan() & actual.isnan())
    difference = torch.where(is_same, 0.0, (expected - actual).abs()).nan_to_num(nan=torch.inf)
    worst = float(difference.max())
    if worst > MAX_DIFFERENCE * max(1.0, float(expected.nan_to_num().abs().max())):
        msg = (
            f"{name} and {other_name} play the same audio differently, by up to {worst:.3g} "
            f"(allowed: {MAX_DIFFERENCE:g}). A common cause is state that reset_model() does not reset, "
            "or code that takes another way when it is scripted"
        )
        raise ExportError(msg)
