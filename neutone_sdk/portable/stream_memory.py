"""What a stream between a host and a model keeps, in one tensor, as csrc/dsp/host_stream_memory.h. Scriptable.

A float64 vector: 64 whole numbers, the words, and behind them the rings and the resamplers' tables and histories. Where
each begins, and how large it is, stands in the words. Whatever they say, torch looks at nothing outside the vector.
They are read and written as a list, all at once:

- 0: the format
- 1..2: least and most samples of a block of the host
- 3: samples of a block of the model
- 4..6: channels that the model hears, that it returns, parameters
- 7: whether the model takes means of these
- 8..9: up and down
- 10..12: frames that fit into the rings to the model, to the host, and of parameters
- 13..19: where begin: the defaults of the parameters and whether each is categorical; the three rings; the tables of
  the resamplers to the model and to the host, and behind each its history
- 20..25 and 26..31: of these resamplers: half_taps, tile, phases, inverse (see resampler.py), rows and columns of the
  table
- 32: what it was started for: 0 nothing, 1 delayed, 2 undelayed, 3 direct
- 33..35: whether blocks wait for the model, and the host for output; of so many samples, and channels
- 36: whether nothing has come in since the start
- 37: by how many steps the model's next frame lies behind the oldest value of the parameters
- 38..43: written to and read from each ring, in frames
- 44..45: lead of the resamplers
"""

import torch
from torch import Tensor

from neutone_sdk.portable.parameters import check_ranges
from neutone_sdk.portable.resampler import new_resampler
from neutone_sdk.portable.resampler_design import half_taps_of, reduced_rates
from neutone_sdk.portable.tensors import check_frames, check_memory


def words_of(op: str, stream: Tensor) -> list[int]:
    """Return the words of a stream. Raises if the tensor is none."""
    check_memory(op, "stream", stream, 1, torch.float64)
    if stream.size(0) < 64:
        raise RuntimeError(f"{op}: stream holds numbers that no stream can have; make it afresh, with new_stream")
    words: list[int] = stream.narrow(0, 0, 64).to(torch.int64).tolist()
    if words[0] != 1_853_191_985 or min(words[3], words[8], words[9]) < 1:  # of the others torch would complain
        raise RuntimeError(f"{op}: stream holds numbers that no stream can have; make it afresh, with new_stream")
    return words


def set_words(words: list[int], stream: Tensor) -> None:
    """Put down what has changed."""
    stream.narrow(0, 32, 14).copy_(torch.tensor(words[32:46]))


def ring_at(first: int, n_channels: int, capacity: int, stream: Tensor) -> Tensor:
    """Return the samples of a ring, in place."""
    return stream.narrow(0, first, n_channels * capacity).view(n_channels, capacity)


def table_and_history(first: int, n_channels: int, words: list[int], stream: Tensor) -> tuple[Tensor, Tensor]:
    """Return those of a resampler, in place. `words` are its own."""
    n_table = words[4] * words[5]
    n_history = 2 * words[0] * n_channels
    numbers = stream.narrow(0, first, n_table + n_history)
    return numbers[:n_table].view(words[4], words[5]), numbers[n_table:].view(n_channels, 2 * words[0])


def resampler_words(words: list[int], to_host: bool) -> list[int]:
    """Return the state of a resampler as resampler.py knows it."""
    if to_host:
        return [words[9], words[8], words[26], words[27], words[28], words[29], words[45]]
    return [words[8], words[9], words[20], words[21], words[22], words[23], words[44]]


def resampling_steps(words: list[int]) -> int:
    """Return the least delay of both resamplers, in steps of ``1 / up`` samples of the host."""
    return (words[20] - 1) * words[8] + (words[26] - 1) * words[9]


def ceil_div(count: int, size: int) -> int:
    """Return ``count / size``, rounded up."""
    return -(-count // size)


def power_of_two_above(count: int) -> int:
    """Return the smallest power of two that is at least ``count``."""
    power = 1
    while power < count:
        power *= 2
    return power


def capacities(words: list[int]) -> list[int]:
    """Return how many frames have to fit into the rings to the model, to the host, and of parameters."""
    most, block, up, down = words[2], words[3], words[8], words[9]
    coming = ceil_div((most + 1) * up, down) + 1
    ahead = ceil_div(resampling_steps(words), down) + 1
    look_ahead = words[20] if up != down else 0
    return [
        power_of_two_above(block + coming),
        power_of_two_above(block + coming + ahead),
        power_of_two_above(look_ahead + most + ceil_div((block + 1) * down, up) + 2),
    ]


def new_stream(
    host_hz: int,
    least_frames: int,
    most_frames: int,
    model_hz: int,
    model_block: int,
    n_in_channels: int,
    n_out_channels: int,
    param_ranges: Tensor,
    default_params: Tensor,
    mean_params: bool,
) -> Tensor:
    """Return a stream that has to be started.

    Args:
        host_hz: Rate of the host.
        least_frames: Of its blocks.
        most_frames: Of its blocks.
        model_hz: Rate of the model.
        model_block: Samples of every block of the model.
        n_in_channels: Channels that the model hears, 1 or 2.
        n_out_channels: Channels that it returns, 1 or 2.
        param_ranges: ``(at most n_params, 3)``; the last column says which parameters are categorical.
        default_params: ``(n_params, 1)``.
        mean_params: The model takes means of the parameters, rather than curves.
    """
    if least_frames < 1 or most_frames < least_frames or model_block < 1:
        raise RuntimeError(
            f"new_stream: blocks must have at least 1 frame, got {least_frames}..{most_frames} and {model_block}"
        )
    if min(n_in_channels, n_out_channels) < 1 or max(n_in_channels, n_out_channels) > 2:
        raise RuntimeError(f"new_stream: channels must be 1 or 2, got {n_in_channels} and {n_out_channels}")
    check_frames("new_stream", "default_params", default_params)
    if default_params.size(1) != 1:
        raise RuntimeError(f"new_stream: default_params must have 1 column, got {default_params.size(1)}")
    check_ranges("new_stream", default_params, param_ranges)
    to_model, in_history, in_state = new_resampler(host_hz, model_hz, "standard", n_in_channels)
    to_host, out_history, out_state = new_resampler(model_hz, host_hz, "standard", n_out_channels)
    n_params = default_params.size(0)
    ratio, in_filter = _ratio_and_filter(in_state, to_model)
    out_filter = _ratio_and_filter(out_state, to_host)[1]
    words = [1_853_191_985, least_frames, most_frames, model_block, n_in_channels, n_out_channels, n_params]
    words += [int(mean_params)] + ratio + [0] * 10 + in_filter + out_filter + [0] * 32
    for i, capacity in enumerate(capacities(words)):
        words[10 + i] = capacity
    sizes = [
        n_params, n_params, n_in_channels * words[10], n_out_channels * words[11], n_params * words[12],
        to_model.numel() + in_history.numel(), to_host.numel() + out_history.numel(),
    ]  # fmt: skip
    end = 64
    for i, size in enumerate(sizes):
        words[13 + i] = end
        end += size
    stream = torch.zeros(end, dtype=torch.float64)
    stream[:64] = torch.tensor(words)
    stream[words[13] : words[13] + n_params] = default_params[:, 0]
    stream[words[14] : words[14] + param_ranges.size(0)] = param_ranges[:, 2]
    table_and_history(words[18], n_in_channels, words[20:26], stream)[0].copy_(to_model)
    table_and_history(words[19], n_out_channels, words[26:32], stream)[0].copy_(to_host)
    return stream


def _ratio_and_filter(state: Tensor, table: Tensor) -> tuple[list[int], list[int]]:
    """Return up and down, and what else the words say of a resampler."""
    words: list[int] = state.tolist()
    return words[:2], words[2:6] + list(table.shape)


def stream_resampling_steps(host_hz: int, model_hz: int) -> int:
    """Return the least delay of the resamplers between two rates, in steps of ``1 / up`` samples of the host."""
    up, down = reduced_rates(host_hz, model_hz)
    to_model, to_host = half_taps_of(up, down, "standard"), half_taps_of(down, up, "standard")
    return (to_model - 1) * up + (to_host - 1) * down
