"""Buffering arithmetic between a host's blocks and a model's: which block to run, and how late it makes the output.

A host brings ``host_block`` samples a callback and wants as many back; the model runs on ``model_block`` samples. After
``k`` callbacks ``k * host_block`` samples have come in, and the model has run on all but
``k * host_block % model_block`` of them. What is missing must have been put out as silence before: the delay has to be
at least that remainder, for every ``k``. The remainders of the multiples of ``host_block`` are exactly the multiples of
``gcd(host_block, model_block)`` below ``model_block``, so the least constant delay is ``model_block - gcd``: 0 where
the host's block is a multiple of the model's. If the host may send any number of samples each time, every remainder
can occur and the least delay is ``model_block - 1``.

All functions are scriptable. Counts are in samples, rates in Hz.
"""

import math


def fixed_block_delay_samples(host_block: int, model_block: int) -> int:
    """Return the least delay if every callback brings exactly ``host_block`` samples."""
    return model_block - math.gcd(host_block, model_block)


def variable_block_delay_samples(model_block: int) -> int:
    """Return the least delay if callbacks bring any number of samples, another one each time."""
    return model_block - 1


def ring_capacity_frames(host_block: int, model_block: int) -> int:
    """Return room for everything that waits for the model, or behind it: a power of two.

    At most ``model_block - 1`` frames wait when the next ``host_block`` frames come.
    """
    return power_of_two_above(host_block + model_block)


def power_of_two_above(count: int) -> int:
    """Return the smallest power of two that is at least ``count``: what rings have room for."""
    power = 1
    while power < count:
        power *= 2
    return power


def select_best_model_sr(daw_sr: int, native_sample_rates: list[int]) -> int:
    """Return the rate to run the model at: the host's own if it is native or any is (empty list), else the nearest."""
    if len(native_sample_rates) == 0 or daw_sr in native_sample_rates:
        return daw_sr
    best = native_sample_rates[0]
    for rate in native_sample_rates:
        if abs(rate - daw_sr) < abs(best - daw_sr):
            best = rate
    return best


def select_best_model_buffer_size(io_bs: int, native_buffer_sizes: list[int]) -> int:
    """Return the block to run the model on, for a host block of ``io_bs`` samples at the model's rate.

    The smallest native size that is a multiple of the host's block, else the next larger one, else the nearest, which
    is then the largest. An empty list means that the model takes any size: the host's own.
    """
    if len(native_buffer_sizes) == 0:
        return io_bs
    sizes = sorted(native_buffer_sizes)
    for size in sizes:
        if size % io_bs == 0:
            return size
    for size in sizes:
        if size > io_bs:
            return size
    return sizes[-1]
