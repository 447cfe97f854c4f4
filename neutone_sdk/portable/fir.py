"""FIR filters for streams: csrc/ops/fir_op.cpp. Scriptable."""

import torch
from torch import Tensor

from neutone_sdk.portable.convolution import convolved
from neutone_sdk.portable.fir_tensors import banks_of, check_taps, checked_words
from neutone_sdk.portable.tensors import check_frames


def faded_in(outputs: Tensor, words: list[int], n_mixed: int) -> Tensor:
    """Return the output of the taps in force, cross-faded for ``n_mixed`` frames from that of the earlier ones."""
    _, _, _, _, _, bank, faded, fade = words
    parts = torch.arange(faded + 1, faded + n_mixed + 1, dtype=torch.float64).div(fade).to(torch.float32)
    new, old = outputs[bank], outputs[1 - bank, :, :n_mixed]
    mixed = old + parts * (new[:, :n_mixed] - old)
    return torch.cat([mixed, new[:, n_mixed:]], dim=1)


def next_frames(audio: Tensor, words: list[int], table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    """Filter the next frames of a stream; ``words`` is what ``state`` holds, and goes with it."""
    n_taps, _, filled, _, _, bank, faded, fade = words
    before = history[:, filled - (n_taps - 1) : filled]
    window = torch.cat([before, audio], dim=1)
    before.copy_(window[:, audio.size(1) :])
    banks = banks_of(table, n_taps)
    n_mixed = min(audio.size(1), fade - faded)
    if n_mixed == 0:
        return convolved(window, banks[bank : bank + 1])[0]
    filtered = faded_in(convolved(window, banks), words, n_mixed)
    words[6] += n_mixed
    state[6].add_(n_mixed)
    return filtered


def fir(audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    """Filter the next frames of a stream, ``(channels, n)``, float32; returns as many.

    In blocks of a limited length, so that memory for their spectra is limited too.
    """
    check_frames("fir", "audio", audio)
    words = checked_words("fir", table, history, state)
    if audio.size(0) != history.size(0):
        raise RuntimeError(f"fir: audio must have the filter's {history.size(0)} channels, got {audio.size(0)}")
    if audio.size(1) <= 65_536:
        return next_frames(audio.detach(), words, table, history, state)
    blocks = [next_frames(block, words, table, history, state) for block in audio.detach().split(65_536, dim=1)]
    return torch.cat(blocks, dim=1)


def fir_set_taps(taps: Tensor, n_fade_frames: int, table: Tensor, history: Tensor, state: Tensor) -> None:
    """Cross-fade to as many other taps. During a fade, what is heard now is the filter that the next begins with."""
    check_taps("fir_set_taps", taps)
    if n_fade_frames < 0:
        raise RuntimeError(f"fir_set_taps: n_fade_frames must be at least 0, got {n_fade_frames}")
    if n_fade_frames > 1_000_000_000_000:
        raise RuntimeError(f"fir_set_taps: n_fade_frames must be at most 1000000000000, got {n_fade_frames}")
    n_taps, _, _, _, _, bank, faded, fade = checked_words("fir_set_taps", table, history, state)
    if taps.size(0) != n_taps:
        raise RuntimeError(f"fir_set_taps: taps must be the filter's {n_taps}, got {taps.size(0)}")
    banks = banks_of(table, n_taps)
    if faded < fade:
        new, old = banks[bank], banks[1 - bank]
        old.add_((new - old) * (float(faded) / float(fade)))
        bank = 1 - bank
    banks[1 - bank].copy_(taps.detach())
    state[5].fill_(1 - bank)
    state[6].fill_(0)
    state[7].fill_(n_fade_frames)


def fir_reset(table: Tensor, history: Tensor, state: Tensor) -> None:
    """Forget all audio, and end a cross-fade."""
    words = checked_words("fir_reset", table, history, state)
    history.zero_()
    state[2].fill_(words[0] - 1)
    state[6:].zero_()
