"""Which function does what a native operator does."""

from collections.abc import Callable
from typing import Any, Final

from neutone_sdk.portable.biquad import biquad
from neutone_sdk.portable.biquad_design import design_biquad
from neutone_sdk.portable.fir import fir, fir_reset, fir_set_taps
from neutone_sdk.portable.fir_design import fir_design
from neutone_sdk.portable.fir_tensors import new_fir
from neutone_sdk.portable.iir_design import design_iir
from neutone_sdk.portable.parameters import (
    aggregate_params,
    clean_params,
    denormalize_mean_params,
    denormalize_params,
)
from neutone_sdk.portable.resampler import new_resampler, resample, resampler_start
from neutone_sdk.portable.ring import (
    ring_clear,
    ring_newest,
    ring_peek,
    ring_push,
    ring_read,
    ring_size,
    ring_skip,
    ring_write,
)
from neutone_sdk.portable.smoothing import smooth_params
from neutone_sdk.portable.sos_response import sos_response
from neutone_sdk.portable.stream import (
    fit_channels,
    stream_exchange,
    stream_put,
    stream_start,
    stream_stop,
    stream_take,
)
from neutone_sdk.portable.stream_memory import new_stream, stream_resampling_steps
from neutone_sdk.portable.svf import svf

_FUNCTIONS: Final = (
    ring_write, ring_push, ring_read, ring_peek, ring_newest, ring_skip, ring_clear, ring_size,
    new_resampler, resampler_start, resample,
    fit_channels,
    new_stream, stream_resampling_steps, stream_start, stream_stop, stream_exchange, stream_take, stream_put,
    aggregate_params, clean_params, denormalize_params, denormalize_mean_params, smooth_params,
    biquad, svf, new_fir, fir, fir_set_taps, fir_reset,
    design_biquad, design_iir, fir_design, sos_response,
)  # fmt: skip
PORTABLE_OPERATORS: Final[dict[str, Callable[..., Any]]] = {function.__name__: function for function in _FUNCTIONS}
