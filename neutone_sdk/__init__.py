"""Take a PyTorch audio model into a DAW: wrap it, export one file, play it at any buffer size."""

from neutone_sdk import _places

_places.answer()  # before torch is imported, which takes seconds

from neutone_sdk import _library  # noqa: E402

_library.load_ops_library()  # first: what follows compiles calls of the operators

from neutone_sdk import (  # noqa: E402
    _fake_kernels,  # noqa: F401
    audio,
    cached_mel_spec,
    constants,
    conv,
    core,
    errors,
    filters,
    gcn_1d,
    overlap_add,
    parameter,
    realtime_stft,
    recurrent,
    tcn_1d,
    utils,
)
from neutone_sdk._library import ops_library_path  # noqa: E402
from neutone_sdk._version import __version__  # noqa: E402
from neutone_sdk.core import NeutoneModel  # noqa: E402
from neutone_sdk.errors import NeutoneError  # noqa: E402
from neutone_sdk.model_card import ModelCard  # noqa: E402
from neutone_sdk.parameter import (  # noqa: E402
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    DiscreteTokensNeutoneParameter,
    KnobNeutoneParameter,
    NeutoneParameter,
    NeutoneParameterType,
    TextNeutoneParameter,
)
from neutone_sdk.streaming.queue import CircularInplaceTensorQueue  # noqa: E402
from neutone_sdk.streaming.resampler import Resampler, resample  # noqa: E402
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper  # noqa: E402
from neutone_sdk.waveform import WaveformToWaveformBase  # noqa: E402

__all__ = [
    "CategoricalNeutoneParameter",
    "CircularInplaceTensorQueue",
    "ContinuousNeutoneParameter",
    "DiscreteTokensNeutoneParameter",
    "KnobNeutoneParameter",
    "ModelCard",
    "NeutoneError",
    "NeutoneModel",
    "NeutoneParameter",
    "NeutoneParameterType",
    "Resampler",
    "SampleQueueWrapper",
    "TextNeutoneParameter",
    "WaveformToWaveformBase",
    "__version__",
    "audio",
    "cached_mel_spec",
    "constants",
    "conv",
    "core",
    "errors",
    "filters",
    "gcn_1d",
    "ops_library_path",
    "overlap_add",
    "parameter",
    "realtime_stft",
    "recurrent",
    "resample",
    "tcn_1d",
    "utils",
]
