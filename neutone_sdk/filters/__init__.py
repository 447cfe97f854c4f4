"""Filters for what goes into a model and comes out of it: streaming, scriptable, and exact however audio is cut.

All take audio ``(channels, n)``, float32, on the CPU, any number of channels and samples, and return the same shape,
fresh. A stream with another number of channels starts afresh. Where gradients are asked for - they are enabled, and the
audio or a control requires them - the input is filtered as a signal of its own, from silence, by a slow reference that
torch can differentiate; the stream stays where it is. (The reference leaves NaN where it is.)

State lies in plain attributes, not in buffers: ``module.float()`` must not touch what is float64.
"""

from neutone_sdk.filters.biquads import Biquads
from neutone_sdk.filters.filter_type import FilterType
from neutone_sdk.filters.fir_filter import FIRFilter
from neutone_sdk.filters.iir_filter import IIRFilter
from neutone_sdk.filters.iir_svf import IIRSVF

__all__ = ["IIRSVF", "Biquads", "FIRFilter", "FilterType", "IIRFilter"]
