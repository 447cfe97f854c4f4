"""What a callback of the host needs: audio and knobs into rings, and out of them again."""

import torch
from torch import Tensor

from neutone_sdk.portable.parameters import cleaned, mean
from neutone_sdk.portable.resampler import (
    resample,
    resample_exactly,
    resampler_missing,
    resampler_ready_after,
)
from neutone_sdk.portable.ring import (
    check_ring_frames,
    check_room,
    check_waiting,
    counters,
    read_at,
    set_counters,
    write_at,
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


def check_block(op: str, audio: Tensor, params: Tensor, samples: Tensor, param_samples: Tensor) -> None:
    """Raise unless a block is what its rings are made for."""
    check_frames(op, "audio", audio)
    check_ring_frames(op, "params", params, param_samples)
    check_fit(op, audio.size(0), samples.size(0))
    if params.size(1) != 1 and params.size(1) != audio.size(1):
        raise RuntimeError(f"{op}: params must have 1 column or the {audio.size(1)} of audio, got {params.size(1)}")


def write_params(
    op: str, params: Tensor, n_frames: int, n_before: int, param_samples: Tensor, param_cursors: Tensor
) -> None:
    """Queue parameters, cleaned: ``n_before`` times the first of each, then those of ``n_frames``."""
    written, read = counters(op, param_samples, param_cursors)
    check_room(op, "params", n_before + n_frames, param_samples.size(1), written - read)
    if n_frames == 0:
        return
    curves = cleaned(params, read_at(written - 1, 1, param_samples)[:, 0])
    if curves.size(1) == 1:
        curves = curves.expand(-1, n_frames)
    if n_before > 0:
        write_at(written, curves[:, :1].expand(-1, n_before), param_samples)
    write_at(written + n_before, curves, param_samples)
    set_counters(written + n_before + n_frames, read, param_cursors)


def stream_write(
    audio: Tensor,
    params: Tensor,
    n_before: int,
    samples: Tensor,
    cursors: Tensor,
    param_samples: Tensor,
    param_cursors: Tensor,
) -> None:
    """Queue a block, and the first of its parameters ``n_before`` times more."""
    written, read = counters("stream_write", samples, cursors)
    check_block("stream_write", audio, params, samples, param_samples)
    check_count("stream_write", "n_before", n_before)
    check_room("stream_write", "audio", audio.size(1), samples.size(1), written - read)
    write_params("stream_write", params, audio.size(1), n_before, param_samples, param_cursors)
    write_at(written, fitted(audio, samples.size(0)), samples)
    set_counters(written + audio.size(1), read, cursors)


def stream_write_resampled(
    audio: Tensor,
    params: Tensor,
    n_before: int,
    table: Tensor,
    history: Tensor,
    state: Tensor,
    samples: Tensor,
    cursors: Tensor,
    param_samples: Tensor,
    param_cursors: Tensor,
) -> None:
    """Queue a block at the model's rate; its parameters wait at the host's."""
    written, read = counters("stream_write_resampled", samples, cursors)
    check_block("stream_write_resampled", audio, params, samples, param_samples)
    check_count("stream_write_resampled", "n_before", n_before)
    n_frames = resampler_ready_after(audio.size(1), state)
    check_room("stream_write_resampled", "audio", n_frames, samples.size(1), written - read)
    write_params("stream_write_resampled", params, audio.size(1), n_before, param_samples, param_cursors)
    write_at(written, resample(fitted(audio, samples.size(0)), table, history, state), samples)
    set_counters(written + n_frames, read, cursors)


def carried(values: Tensor, ranges: Tensor, n_frames: int, up: int, down: int, part: int) -> Tensor:
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
    is_stepped = torch.zeros(values.size(0), 1, dtype=torch.bool)
    is_stepped[: ranges.size(0)] = ranges[:, 2:3] != 0.0
    return torch.where(is_stepped, torch.where(share < 0.5, low, high), lines)


def check_times(op: str, up: int, down: int, part: int) -> None:
    """Raise unless these say where frames lie among the parameters' values."""
    if min(up, down) < 1 or max(up, down) > 768_000:
        raise RuntimeError(f"{op}: up and down must be in 1..768000, got {up} and {down}")
    if part < 0 or part >= up + down:
        raise RuntimeError(f"{op}: part must be in 0..{up + down - 1}, got {part}")


def stream_read(
    samples: Tensor,
    cursors: Tensor,
    param_samples: Tensor,
    param_cursors: Tensor,
    ranges: Tensor,
    n_frames: int,
    up: int,
    down: int,
    part: int,
    mean_params: bool,
) -> tuple[Tensor, Tensor]:
    """Take the oldest ``n_frames``: audio, and parameters, one column a frame or their means.

    The first frame lies ``part / up`` values behind the oldest, each other ``down / up`` behind the one before. The
    values before the frame behind the last are dropped.
    """
    written, read = counters("stream_read", samples, cursors)
    params_written, params_read = counters("stream_read", param_samples, param_cursors)
    check_times("stream_read", up, down, part)
    if n_frames < 1:
        raise RuntimeError("stream_read: n_frames must be at least 1")
    check_waiting("stream_read", "n_frames", n_frames, written - read)
    first, passed = part // up, (part + n_frames * down) // up
    n_averaged = max(1, passed - first)
    n_around = (part + (n_frames - 1) * down + up - 1) // up + 1
    n_values = first + n_averaged if mean_params else max(passed, n_around)
    check_waiting("stream_read", "n_frames", n_values, params_written - params_read)
    values = read_at(params_read, n_values, param_samples)
    if mean_params:
        params = mean(values[:, first : first + n_averaged])
    else:
        params = carried(values, ranges, n_frames, up, down, part)
    audio = read_at(read, n_frames, samples)
    set_counters(written, read + n_frames, cursors)
    set_counters(params_written, params_read + passed, param_cursors)
    return audio, params


def stream_pop(samples: Tensor, cursors: Tensor, n_frames: int, n_channels: int) -> Tensor:
    """Take the oldest ``n_frames`` with the channels that the host wants."""
    written, read = counters("stream_pop", samples, cursors)
    check_count("stream_pop", "n_frames", n_frames)
    check_fit("stream_pop", samples.size(0), n_channels)
    check_waiting("stream_pop", "n_frames", n_frames, written - read)
    audio = fitted(read_at(read, n_frames, samples), n_channels).contiguous()
    set_counters(written, read + n_frames, cursors)
    return audio


def stream_pop_resampled(
    samples: Tensor, cursors: Tensor, table: Tensor, history: Tensor, state: Tensor, n_frames: int, n_channels: int
) -> Tensor:
    """Take what the next ``n_frames`` at the host's rate need, and return these."""
    written, read = counters("stream_pop_resampled", samples, cursors)
    check_count("stream_pop_resampled", "n_frames", n_frames)
    check_fit("stream_pop_resampled", samples.size(0), n_channels)
    n_taken = resampler_missing(n_frames, state)
    check_waiting("stream_pop_resampled", "n_frames", n_taken, written - read)
    audio = resample_exactly(read_at(read, n_taken, samples), n_frames, table, history, state)
    set_counters(written, read + n_taken, cursors)
    return fitted(audio, n_channels).contiguous()


def stream_exchange(
    audio: Tensor,
    params: Tensor,
    least_frames: int,
    most_frames: int,
    samples: Tensor,
    cursors: Tensor,
    param_samples: Tensor,
    param_cursors: Tensor,
    out_samples: Tensor,
    out_cursors: Tensor,
) -> Tensor:
    """Queue a block and take as many frames; nothing of a block that is not in order."""
    if not is_block(audio, params, param_samples.size(0), max(least_frames, 1), most_frames):
        return samples.new_empty([0, 0])
    n_frames = audio.size(1)
    written, read = counters("stream_exchange", samples, cursors)
    check_room("stream_exchange", "audio", n_frames, samples.size(1), written - read)
    y = stream_pop(out_samples, out_cursors, n_frames, audio.size(0))
    stream_write(audio, params, 0, samples, cursors, param_samples, param_cursors)
    return y


def stream_exchange_resampled(
    audio: Tensor,
    params: Tensor,
    least_frames: int,
    most_frames: int,
    table: Tensor,
    history: Tensor,
    state: Tensor,
    samples: Tensor,
    cursors: Tensor,
    param_samples: Tensor,
    param_cursors: Tensor,
    out_table: Tensor,
    out_history: Tensor,
    out_state: Tensor,
    out_samples: Tensor,
    out_cursors: Tensor,
) -> Tensor:
    """Do the same with a resampler at the host's end of both rings."""
    if not is_block(audio, params, param_samples.size(0), max(least_frames, 1), most_frames):
        return samples.new_empty([0, 0])
    n_frames = audio.size(1)
    y = stream_pop_resampled(out_samples, out_cursors, out_table, out_history, out_state, n_frames, audio.size(0))
    stream_write_resampled(audio, params, 0, table, history, state, samples, cursors, param_samples, param_cursors)
    return y
