"""Buffering arithmetic between a host's blocks and a model's: which block to run, and how late it makes the output.

A host brings ``h`` samples a callback at its own rate and wants as many back; the model runs on blocks of ``b`` at
``up / down`` times that rate. All arithmetic is in whole steps of ``1 / up`` of a host's sample, in which a sample of
the host is ``up`` steps long and one of the model ``down``.

After ``k`` callbacks ``k * h * up`` steps have come in, and the model has run on all but the remainder modulo
``b * down``. What is missing must have been put out as silence before: the delay has to be at least that remainder, for
every ``k``. The remainders of the multiples of ``h * up`` are exactly the multiples of ``gcd(h * up, b * down)`` below
``b * down``, so the least constant delay is ``b * down - gcd(h * up, b * down)``: 0 where the host's block is a whole
number of the model's. If the host may send any number of samples each time, ``h`` is 1 in that formula: every remainder
of whole samples can occur.

``docs/latency.md`` derives what the two resamplers add. All functions are scriptable. Counts are in samples, rates in
Hz.
"""

import math


def reduced_ratio(daw_sr: int, model_sr: int) -> tuple[int, int]:
    """Return ``up`` and ``down`` of two rates in Hz."""
    divisor = math.gcd(daw_sr, model_sr)
    return model_sr // divisor, daw_sr // divisor


def ceil_div(count: int, size: int) -> int:
    """Return ``count / size``, rounded up."""
    return -(-count // size)


def buffering_steps(host_block: int, model_block: int, up: int = 1, down: int = 1) -> int:
    """Return the least delay, in steps, of blocks of ``host_block`` samples, or of 1 for blocks of any size."""
    return model_block * down - math.gcd(host_block * up, model_block * down)


def resampling_steps(up: int, down: int, half_taps_in: int, half_taps_out: int) -> int:
    """Return the least delay, in steps, of two resamplers.

    The one to the model looks ``half_taps_in`` of the host's samples ahead, the one back ``half_taps_out`` of the
    model's. Each is one sample of its input better off: what arrives has its time at its end, so to say.
    """
    return (half_taps_in - 1) * up + (half_taps_out - 1) * down


def first_output_step(total_delay: int, up: int, down: int, resampling: int, model_delay: int) -> int:
    """Return where the resampler to the host starts so that all delays together are ``total_delay`` host samples.

    Args:
        total_delay: In samples of the host.
        up: See the module.
        down: See the module.
        resampling: What `resampling_steps` returns.
        model_delay: Of the model, in its own samples.

    Returns:
        The last sample of the model's that the first output takes, in steps of ``1 / down`` of such a sample. If it is
        negative, silence takes the place of the samples that it lacks.
    """
    return resampling + model_delay * down + up - 1 - total_delay * up


def n_ready(lead: int, step: int) -> int:
    """Return how many outputs are due before 0, of which the first is due at ``lead``, the next ``step`` later."""
    return 0 if lead >= 0 else ceil_div(-lead, step)


def ring_capacity_frames(host_block: int, model_block: int, up: int = 1, down: int = 1) -> int:
    """Return room for everything that waits for the model, or behind it for the host: a power of two.

    At most ``model_block - 1`` frames wait when those of the next callback come.
    """
    return power_of_two_above(model_block + ceil_div((host_block + 1) * up, down) + 1)


def knob_capacity(host_block: int, model_block: int, up: int, down: int, look_ahead: int) -> int:
    """Return room for the values of a knob, at the host's rate, that belong to all that waits: a power of two."""
    return power_of_two_above(look_ahead + host_block + ceil_div((model_block + 1) * down, up) + 2)


def power_of_two_above(count: int) -> int:
    """Return the smallest power of two that is at least ``count``: what rings have room for."""
    power = 1
    while power < count:
        power *= 2
    return power


def nearest_rates(daw_sr: int, native_sample_rates: list[int]) -> list[int]:
    """Return the rates to choose from: the host's own if it is native or any is (empty list), else all the nearest."""
    if len(native_sample_rates) == 0 or daw_sr in native_sample_rates:
        return [daw_sr]
    nearest: list[int] = []
    for rate in native_sample_rates:
        if len(nearest) == 0 or abs(rate - daw_sr) < abs(nearest[0] - daw_sr):
            nearest = [rate]
        elif abs(rate - daw_sr) == abs(nearest[0] - daw_sr) and rate not in nearest:
            nearest.append(rate)
    return nearest


def select_best_model_sr(daw_sr: int, native_sample_rates: list[int]) -> int:
    """Return the rate to run the model at: the host's own if native, else the nearest, the first of several."""
    return nearest_rates(daw_sr, native_sample_rates)[0]


def best_model_block(host_block: int, up: int, down: int, native_buffer_sizes: list[int]) -> int:
    """Return the block to run the model on, for blocks of ``host_block * up / down`` samples at the model's rate.

    The smallest native size that is a multiple of that, else the next larger one, else the nearest, which is then the
    largest. An empty list means that the model takes any size: the host's own, rounded up.
    """
    if len(native_buffer_sizes) == 0:
        return ceil_div(host_block * up, down)
    sizes = sorted(native_buffer_sizes)
    for size in sizes:
        if size * down % (host_block * up) == 0:
            return size
    for size in sizes:
        if size * down > host_block * up:
            return size
    return sizes[-1]


def select_best_model_buffer_size(io_bs: int, native_buffer_sizes: list[int]) -> int:
    """Return the block to run the model on, for host blocks of ``io_bs`` samples at the model's rate."""
    return best_model_block(io_bs, 1, 1, native_buffer_sizes)
