"""Models on an audio thread that never waits for them: the C++ engine that plugins have, for numpy.

    engine = Engine()
    engine.set_model(FileModel(load_neutone_model(path)[0]))
    engine.prepare(HostFormat(sample_rate_hz=48_000, max_block_frames=512))
    out = engine.process(audio, params)     # float32, (channels, frames), any number of frames up to 512

`Engine.process` takes and returns blocks of the host's channels; params are 0..1, ``(parameters, 1)`` or ``(parameters,
frames)``; with None knobs stay where they are, at first where the model has them. The model runs on a thread of a
`WorkerPool`; what it has not finished when it is due is silence, or the dry signal, and counted in `Engine.stats`.
`Engine.latency_samples` is exact and constant. In latency mode ``"blocking"`` the engine waits instead, so that output
does not depend on how fast the machine is.

A model that raises is silent until `Engine.reset`, and `Engine.last_error` says why. One engine has one audio thread:
what must not happen at the same time is refused. An engine that goes waits for the block that is running.

`SimulatedDevice` stands in for a sound card: a C++ thread with real deadlines, and real-time priority where the system
allows it, which plays audio through an engine, round and round, without ever waiting for Python. ``durations_ns`` and
``lateness_ns`` say of each callback, from ``first`` on, how long it took and how late the thread woke for it;
``n_overruns`` how often that was after the next one was due already; ``refusal`` why there is no real-time priority.

What makes no sense raises `InvalidArgumentError`, audio that is not float32 `InvalidTypeError`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.jit import ScriptModule

from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import ModelOutputError, OperatorLibraryError
from neutone_sdk.rendering import set_up_host
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of

try:
    from neutone_sdk._native import Engine, HostFormat, ModelFormat, SimulatedDevice, Stats, WorkerPool
except ImportError as error:
    msg = (
        f"the native module of neutone_sdk is not built for this Python: {error}\n"
        "Install the package (pip install neutone_sdk), or build it from a checkout (make build)."
    )
    raise OperatorLibraryError(msg) from error

__all__ = [
    "Engine",
    "FileModel",
    "FunctionModel",
    "HostFormat",
    "ModelFormat",
    "SimulatedDevice",
    "Stats",
    "WorkerPool",
]

Audio = NDArray[np.float32]

N_WARM_UP: Final = 4  # blocks: torch watches the first run of a graph, compiles in the second, and may do so again


@dataclass(frozen=True)
class FunctionModel:
    """A function that the engine plays.

    Attributes:
        function: Takes audio ``(in_channels, block_frames)`` and params ``(parameters, block_frames)`` of 0..1, both
            float32 and its own to keep, and returns audio ``(out_channels, block_frames)``, float32.
        format: The rate, block size and channels that it works on, whatever the host has.
        on_reset: Called where it has to forget all audio.
    """

    function: Callable[[Audio, Audio], Audio]
    format: ModelFormat
    on_reset: Callable[[], object] | None = None

    def configure(self, _: HostFormat, /) -> ModelFormat:
        """Return the format, and forget all audio."""
        self.reset()
        return self.format

    def process(self, audio: Audio, params: Audio, /) -> Audio:
        """Call the function."""
        return self.function(audio, params)

    def reset(self) -> None:
        """Forget all audio."""
        if self.on_reset is not None:
            self.on_reset()


class FileModel:
    """The wrapped model of a ``.nm`` file, on its own: fitting it to the host is the engine's work.

    Args:
        script: As `load_neutone_model` returns it. It belongs to the engine from now on.
        n_threads: Of torch in one operator, on the thread of the engine that runs the model.
    """

    def __init__(self, script: ScriptModule, n_threads: int = 1) -> None:
        self.script: Any = script
        self.base: Any = script.w2w_base
        self.n_threads = n_threads

    def configure(self, host: HostFormat, /) -> ModelFormat:
        """Choose the model's rate and block as `SampleQueueWrapper` does, warm it up, and forget all audio.

        Raises:
            InvalidArgumentError: It cannot run at the host's rate.
            ModelOutputError: It fails.
        """
        script = self.script
        takes_any_block = hasattr(script, "set_daw_sample_rate_and_max_buffer_size")  # files of 1.x do not
        with torch.inference_mode():
            is_fixed = host.has_constant_blocks or not takes_any_block
            set_up_host(script, host.sample_rate_hz, host.max_block_frames, is_fixed=is_fixed)
            n_params = min(len(self.base.get_default_param_types()), MAX_N_PARAMS)
            defaults = script.get_default_param_values().reshape(-1)
            model_format = ModelFormat(
                sample_rate_hz=script.model_sr,
                block_frames=script.model_bs,
                in_channels=1 if script.is_input_mono() else 2,
                out_channels=1 if script.is_output_mono() else 2,
                delay_frames=getattr(script, "model_delay", self.base.calc_model_delay_samples()),
                default_params=defaults[:n_params].tolist(),
                are_categorical=[kind == "categorical" for kind in self.base.get_default_param_types()[:n_params]],
            )
            silence = torch.zeros(model_format.in_channels, model_format.block_frames)
            for _ in range(N_WARM_UP):
                self._run(silence, defaults.reshape(-1, 1).repeat(1, silence.size(1)))
        self.reset()
        return model_format

    def process(self, audio: Audio, params: Audio, /) -> Audio:
        """Run the model on one block. While it runs, Python goes on."""
        torch.set_num_threads(self.n_threads)  # each thread has its own number
        with torch.inference_mode():
            knobs = torch.zeros(MAX_N_PARAMS, params.shape[1])
            knobs[: len(params)] = torch.from_numpy(params)
            return self._run(torch.from_numpy(audio), knobs).numpy()

    def reset(self) -> None:
        """Forget all audio."""
        with torch.inference_mode():
            self.base.reset()

    def _run(self, audio: Tensor, knobs: Tensor) -> Tensor:
        try:
            return self.base(audio, knobs)
        except SCRIPT_ERRORS as error:
            raise ModelOutputError(message_of(error)) from error
