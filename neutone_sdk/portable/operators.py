"""Which function does what a native operator does."""

from collections.abc import Callable
from typing import Any, Final

from neutone_sdk.portable import parameters, ring, stream

PORTABLE_OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        ring.ring_write,
        ring.ring_push,
        ring.ring_read,
        ring.ring_peek,
        ring.ring_newest,
        ring.ring_skip,
        ring.ring_clear,
        ring.ring_size,
        stream.fit_channels,
        stream.stream_write,
        stream.stream_write_resampled,
        stream.stream_read,
        stream.stream_pop,
        stream.stream_pop_resampled,
        parameters.aggregate_params,
        parameters.clean_params,
        parameters.denormalize_params,
        parameters.denormalize_mean_params,
    )
}
