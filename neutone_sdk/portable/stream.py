"""Streams between a host and a model, as csrc/ops/stream_op.cpp. Scriptable; stream_memory.py says what they keep."""

import torch
from torch import Tensor

from neutone_sdk.portable.parameters import cleaned, mean
from neutone_sdk.portable.resampler import missing, ready_after, resampled
from neutone_sdk.portable.ring import check_room, float32_at, read_at, write_at
from neutone_sdk.portable.stream_memory import (
    ceil_div,
    resampler_words,
    resampling_steps,
    ring_at,
    set_words,
    table_and_history,
    words_of,
)
from neutone_sdk.portable.tensors import are_frames, check_count, check_frames


def fitted(audio: Tensor, n_channels: int) -> Tensor:
    """Return audio with other channels: mono is repeated, of stereo it is the mean."""
    if audio.size(0) == n_channels:
        return audio
    if audio.size(0) == 1:
        return audio.expand(n_channels, -1)
    return 0.5 * (audio[0:1] + audio[1:2])


def check_fit(op: str, audio_channels: int, n_channels: int) -> None:
    """Raise unless audio can be `fitted`."""
    if audio_channels != n_channels and audio_channels + n_channels != 3:
        raise RuntimeError(
            f"{op}: audio has {audio_channels} channels, which cannot become {n_channels}; "
            "mono and stereo fit each other, anything else only itself"
        )


def fit_channels(audio: Tensor, n_channels: int, first: int, n_frames: int) -> Tensor:
    """Return ``n_frames`` of ``audio`` from frame ``first`` on, with other channels, fresh."""
    check_frames("fit_channels", "audio", audio)
    check_count("fit_channels", "first", first)
    check_count("fit_channels", "n_frames", n_frames)
    check_fit("fit_channels", audio.size(0), n_channels)
    if first + n_frames > audio.size(1):
        raise RuntimeError(
            f"fit_channels: first {first} and n_frames {n_frames} reach past the {audio.size(1)} frames of audio"
        )
    return fitted(audio[:, first : first + n_frames], n_channels).clone(memory_format=torch.contiguous_format)


def is_block(audio: Tensor, params: Tensor, n_params: int, least_frames: int, most_frames: int) -> bool:
    """Return whether a callback's block is in order: mono or stereo, with a value or a curve for each parameter."""
    if not are_frames(audio) or not are_frames(params):
        return False
    n_frames = audio.size(1)
    return (
        (audio.size(0) == 1 or audio.size(0) == 2)
        and n_frames >= least_frames
        and n_frames <= most_frames
        and params.size(0) == n_params
        and (params.size(1) == 1 or params.size(1) == n_frames)
    )


def stream_start(kind: str, total_delay: int, model_delay: int, stream: Tensor) -> None:
    """Start from silence, with a delay of ``total_delay`` samples of the host, ``model_delay`` samples of the model."""
    words = words_of("stream_start", stream)
    if min(total_delay, model_delay) < 0 or max(total_delay, model_delay) > 1_000_000_000:
        raise RuntimeError(f"stream_start: delays must be in 0..1000000000, got {total_delay} and {model_delay}")
    if kind not in ["delayed", "undelayed", "direct"]:  # TorchScript knows no sets
        raise RuntimeError(f"stream_start: kind must be delayed, undelayed or direct, got {kind}")
    up, down = words[8], words[9]
    first = resampling_steps(words) + model_delay * down + up - 1 - total_delay * up
    n_silent = max(0, ceil_div(-first, down))
    check_room("stream_start", "total_delay", n_silent, words[11], 0)
    for first_float, n_channels, own in [(words[18], words[4], words[20:26]), (words[19], words[5], words[26:32])]:
        table_and_history(first_float, n_channels, own, stream)[1].zero_()
    write_at(0, torch.zeros(words[5], n_silent), ring_at(words[16], words[5], words[11], stream))
    # The defaults stay as the values before the first.
    defaults = stream[words[13] : words[13] + words[6]].unsqueeze(1)
    write_at(0, defaults, ring_at(words[17], words[6], words[12], stream))
    words[32] = 1 if kind == "delayed" else 2 if kind == "undelayed" else 3
    words[33], words[36] = 0, 1
    words[37] = down if up != down else 0
    words[38], words[39], words[40], words[41], words[42], words[43] = 0, 0, n_silent, 0, 1, 1
    words[44], words[45] = down - 1, n_silent * down + first
    set_words(words, stream)


def stream_stop(stream: Tensor) -> None:
    """From now on the stream has to be started. What is no stream stays what it is."""
    if stream.dim() == 1 and stream.size(0) >= 64 and stream.dtype == torch.float64:
        stream[32] = 0.0


def frames_of(n_samples: int, words: list[int]) -> int:
    """Return how many frames of the model the next samples of the host become."""
    return n_samples if words[8] == words[9] else ready_after(n_samples, resampler_words(words, False))


def push(audio: Tensor, params: Tensor, words: list[int], stream: Tensor) -> None:
    """Queue a block of the host, for which there is room, and clean its parameters."""
    values = ring_at(words[17], words[6], words[12], stream)
    curves = params.clamp(0.0, 1.0)
    if bool(params.isnan().any()):
        curves = cleaned(params, float32_at(words[42] - 1, 1, values).select(1, 0))
    if curves.size(1) == 1:
        curves = curves.expand(-1, audio.size(1))
    if words[36] != 0 and words[8] != words[9]:  # the resampler begins in silence that has none
        write_at(words[42], curves[:, :1].expand(-1, words[20]), values)
        words[42] += words[20]
    words[36] = 0
    write_at(words[42], curves, values)
    words[42] += audio.size(1)
    frames = fitted(audio, words[4])
    if words[8] != words[9]:
        table, history = table_and_history(words[18], words[4], words[20:26], stream)
        own = resampler_words(words, False)
        frames = resampled(frames, ready_after(frames.size(1), own), table, history, own)
        words[44] = own[6]
    write_at(words[38], frames, ring_at(words[15], words[4], words[10], stream))
    words[38] += frames.size(1)


def n_ready(more: int, words: list[int]) -> int:
    """Return how many samples the host can get after so many more frames of the model."""
    waiting = words[40] - words[41] + more
    return waiting if words[8] == words[9] else ready_after(waiting, resampler_words(words, True))


def check_ready(op: str, n_samples: int, more: int, words: list[int]) -> int:
    """Return how many samples the host gets: all that are ready of an undelayed stream, else as many as it sent."""
    ready = n_ready(more, words)
    if words[32] == 2:
        return ready
    if n_samples > ready:
        raise RuntimeError(
            f"{op}: the host asks for {n_samples} frames, the stream holds {ready}; start it with a longer delay"
        )
    return n_samples


def pop(n_samples: int, n_channels: int, words: list[int], stream: Tensor) -> Tensor:
    """Take samples that are ready, fresh, with the host's channels."""
    waiting = ring_at(words[16], words[5], words[11], stream)
    if words[8] == words[9]:
        audio = float32_at(words[41], n_samples, waiting)
        words[41] += n_samples
        return fitted(audio, n_channels).contiguous()
    own = resampler_words(words, True)
    n_taken = missing(n_samples, own)
    table, history = table_and_history(words[19], words[5], words[26:32], stream)
    audio = resampled(read_at(words[41], n_taken, waiting), n_samples, table, history, own)
    words[41] += n_taken
    words[45] = own[6]
    return fitted(audio, n_channels).contiguous()


def stream_exchange(audio: Tensor, params: Tensor, delayed: bool, stream: Tensor) -> Tensor:
    """Take in a block of the host, and return what it gets; ``(0, n)`` if ``n`` blocks of the model come first.

    Of a direct stream, the block itself with the model's channels. ``(0, 0)``, and nothing changes, if the block is not
    in order, or comes in the midst of another callback, or to a stream that was not started like this.
    """
    words = words_of("stream_exchange", stream)
    is_direct = delayed and words[32] == 3
    is_wanted = is_direct or words[32] == (1 if delayed else 2)
    if not is_wanted or words[33] != 0 or not is_block(audio, params, words[6], words[1], words[2]):
        return audio.new_empty([0, 0])
    n_samples = audio.size(1)
    if is_direct:
        return fitted(audio, words[4]).clone(memory_format=torch.contiguous_format)
    n_in = frames_of(n_samples, words)
    n_waiting = words[38] - words[39]
    check_room("stream_exchange", "audio", n_in, words[10], n_waiting)
    check_room("stream_exchange", "params", words[36] * words[20] + n_samples, words[12], words[42] - words[43])
    n_blocks = (n_waiting + n_in) // words[3]
    if n_blocks == 0:
        y = pop(check_ready("stream_exchange", n_samples, 0, words), audio.size(0), words, stream)
    else:
        y = audio.new_empty([0, n_blocks])
        words[33], words[34], words[35] = 1, n_samples, audio.size(0)
    push(audio, params, words, stream)
    set_words(words, stream)
    return y


def carried(values: Tensor, are_stepped: Tensor, n_frames: int, up: int, down: int, part: int) -> Tensor:
    """Return a value for every frame: on the line between the two values around it, or, of menus, the nearer."""
    if up == down:
        return values[:, part // up : part // up + n_frames].clone(memory_format=torch.contiguous_format)
    steps = torch.arange(n_frames) * down + part
    before = steps.div(up, rounding_mode="floor")
    rest = steps - before * up
    after = before + (rest > 0).to(torch.int64)
    share = rest.to(torch.float32) * (1.0 / up)
    low, high = values.index_select(1, before), values.index_select(1, after)
    lines = low + share * (high - low)
    return torch.where(are_stepped != 0.0, torch.where(share < 0.5, low, high), lines)


def stream_take(stream: Tensor) -> tuple[Tensor, Tensor]:
    """Take the model's next block: audio, and parameters, a curve or a mean for each."""
    words = words_of("stream_take", stream)
    n_frames, up, down, part = words[3], words[8], words[9], words[37]
    first, passed = part // up, (part + n_frames * down) // up
    n_averaged = max(1, passed - first)
    n_around = (part + (n_frames - 1) * down + up - 1) // up + 1
    n_values = first + n_averaged if words[7] != 0 else max(passed, n_around)
    if words[33] == 0 or words[38] - words[39] < n_frames or words[42] - words[43] < n_values:
        raise RuntimeError("stream_take: no block of the model is full")
    values = float32_at(words[43], n_values, ring_at(words[17], words[6], words[12], stream))
    if words[7] != 0:
        params = mean(values[:, first : first + n_averaged])
    else:
        steps = stream[words[14] : words[14] + words[6]].unsqueeze(1)
        params = carried(values, steps, n_frames, up, down, part)
    audio = float32_at(words[39], n_frames, ring_at(words[15], words[4], words[10], stream))
    words[39] += n_frames
    words[43] += passed
    words[37] = (part + n_frames * down) % up
    set_words(words, stream)
    return audio, params


def stream_put(audio: Tensor, stream: Tensor) -> Tensor:
    """Take what the model made of a block; return what the host gets if that was the last, else ``(0, n)``."""
    words = words_of("stream_put", stream)
    check_frames("stream_put", "audio", audio)
    n_frames = audio.size(1)
    if audio.size(0) != words[5] or n_frames != words[3]:
        raise RuntimeError(f"stream_put: audio must have shape ({words[5]}, {words[3]}), got {audio.shape}")
    if words[33] == 0 or n_frames > words[11] - (words[40] - words[41]):
        raise RuntimeError("stream_put: no block of the model was taken")
    n_left = (words[38] - words[39]) // words[3]
    n_samples = 0 if n_left > 0 else check_ready("stream_put", words[34], n_frames, words)
    write_at(words[40], audio, ring_at(words[16], words[5], words[11], stream))
    words[40] += n_frames
    if n_left == 0:
        y = pop(n_samples, words[35], words, stream)
        words[33] = 0
    else:
        y = audio.new_empty([0, n_left])
    set_words(words, stream)
    return y
