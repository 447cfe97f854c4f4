"""Plays whole clips through an exported model, block by block as a host does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import InvalidArgumentError, ModelOutputError
from neutone_sdk.metadata import is_numerical, parameter_range
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper
from neutone_sdk.validation import check_audio, check_params


@dataclass(frozen=True)
class Latency:
    """By how much a model is late at one setting of the host. Samples are the host's."""

    sample_rate_hz: int
    buffer_size: int
    model_block: int
    buffering_samples: int
    resampling_samples: int
    model_samples: int

    @property
    def total_samples(self) -> int:
        """What the host has to compensate."""
        return self.buffering_samples + self.resampling_samples + self.model_samples

    @property
    def total_ms(self) -> float:
        """The same in milliseconds."""
        return 1e3 * self.total_samples / self.sample_rate_hz


def set_up_host(
    model: ScriptModule | SampleQueueWrapper, sample_rate_hz: int, buffer_size: int, *, is_fixed: bool = True
) -> Latency:
    """Prepare an exported model for a host's rate and block size and return how late it will be.

    Unless ``is_fixed``, blocks may have any size up to that one.

    Raises:
        InvalidArgumentError: The model cannot run at that rate, or the size is not positive.
    """
    try:
        if is_fixed:
            model.set_daw_sample_rate_and_buffer_size(sample_rate_hz, buffer_size)
        else:
            model.set_daw_sample_rate_and_max_buffer_size(sample_rate_hz, buffer_size)
    except SCRIPT_ERRORS as error:
        raise InvalidArgumentError(message_of(error)) from error
    # Files of 1.x do not tell it apart.
    resampling = getattr(model, "calc_resampling_delay_samples", lambda: 0)()
    return Latency(
        sample_rate_hz=sample_rate_hz,
        buffer_size=buffer_size,
        model_block=int(model.model_bs),
        buffering_samples=model.calc_buffering_delay_samples() - resampling,
        resampling_samples=resampling,
        model_samples=model.calc_model_delay_samples(),
    )


def latencies(model: ScriptModule, sample_rates_hz: Iterable[int], buffer_sizes: Iterable[int]) -> list[Latency]:
    """Return the latency at every pair of rate and size, by rate, then size. Leaves the model at the last one."""
    sizes = list(buffer_sizes)
    return [set_up_host(model, rate_hz, size) for rate_hz in sample_rates_hz for size in sizes]


def render(
    model: ScriptModule | SampleQueueWrapper,
    audio: Tensor,
    params: Tensor | None = None,
    *,
    sample_rate_hz: int,
    buffer_size: int = 512,
    on_progress: Callable[[int], bool | None] | None = None,
) -> Tensor:
    """Play a clip through an exported model as a host does, from silence, and take the latency out.

    Args:
        model: What `load_neutone_model` returns, or a wrapper in its queue.
        audio: ``(1 or 2, n)``, float32.
        params: None for the defaults, or float32, 0..1: knobs ``(4, 1)``, or curves ``(4, n)``, one value a sample.
        sample_rate_hz: Of the audio; the host's.
        buffer_size: Samples that the host brings in every callback.
        on_progress: Called after each callback with the number of samples of output that are done. If it returns True,
            they are all that is returned.

    Returns:
        Audio of the same shape: sample ``i`` belongs to sample ``i`` of the input.

    Raises:
        InvalidArgumentError: Rate, size, audio or params are not what the model can play.
        InvalidTypeError: Audio or params are not float32.
        ModelOutputError: The model failed.
    """
    check_audio(audio)
    if params is not None:
        check_params(params, MAX_N_PARAMS, audio.size(1))
    latency = set_up_host(model, sample_rate_hz, buffer_size)
    n_samples, delay = audio.size(1), latency.total_samples
    played = torch.zeros(audio.size(0), delay + n_samples + buffer_size)
    with torch.no_grad():
        for start in range(0, n_samples + delay, buffer_size):
            curves = None if params is None else _curves(params, start, buffer_size)
            played[:, start : start + buffer_size] = _play_block(model, audio, start, buffer_size, curves)
            n_done = max(0, min(start + buffer_size - delay, n_samples))
            if on_progress is not None and on_progress(n_done):
                n_samples = n_done
                break
    model.reset()
    return played[:, delay : delay + n_samples]


def _curves(params: Tensor, start: int, size: int) -> Tensor:
    """One value a sample, the last one for ever: files of 1.x know no single values."""
    return params[:, torch.arange(start, start + size).clamp(max=params.size(1) - 1)]


def _play_block(
    model: ScriptModule | SampleQueueWrapper, audio: Tensor, start: int, size: int, params: Tensor | None
) -> Tensor:
    """Behind the end of the audio comes silence."""
    part = audio[:, start : start + size]
    block = torch.nn.functional.pad(part, [0, size - part.size(1)])
    try:
        return model(block, params)
    except SCRIPT_ERRORS as error:
        raise ModelOutputError(message_of(error)) from error


def knobs(metadata: dict[str, Any], values: dict[str, str]) -> Tensor:
    """Return the parameters that a host would send, ``(4, 1)`` of 0..1: the defaults, but for ``values``.

    Args:
        metadata: Of the model.
        values: From a parameter's name to a number in its own range, or to one of its labels.

    Raises:
        InvalidArgumentError: There is no such parameter, the value is not in its range, or the model has texts or
            tokens for parameters.
    """
    parameters = list(metadata.get("neutone_parameters", {}).values())
    for parameter in parameters:
        if not is_numerical(parameter):
            msg = f"parameter {parameter['name']!r} is of type {parameter['type']}; only knobs and menus can be played"
            raise InvalidArgumentError(msg)
    unknown = sorted(set(values) - {parameter["name"] for parameter in parameters})
    if unknown:
        names = ", ".join(repr(parameter["name"]) for parameter in parameters) or "none"
        msg = f"the model has no parameter {unknown[0]!r}; it has {names}"
        raise InvalidArgumentError(msg)
    knob_values = torch.zeros(MAX_N_PARAMS, 1)
    for row, parameter in enumerate(parameters):
        name = parameter["name"]
        value = _typed_in(parameter, values[name]) if name in values else float(parameter["default_value"])
        knob_values[row] = _position(parameter, value)
    return knob_values


def _typed_in(parameter: dict[str, Any], text: str) -> float:
    """What a user means: a label of a menu, which wins, or a number."""
    labels = parameter.get("labels") or []
    for label in (text, text.strip()):
        if label in labels:
            return float(labels.index(label))
    try:
        return float(text)
    except ValueError as error:
        lowest, highest = parameter_range(parameter)
        allowed = f"one of {', '.join(labels)}" if labels else f"a number in [{lowest:g}, {highest:g}]"
        msg = f"parameter {parameter['name']!r} takes {allowed}, got {text!r}"
        raise InvalidArgumentError(msg) from error


def _position(parameter: dict[str, Any], value: float) -> float:
    lowest, highest = parameter_range(parameter)
    is_menu = parameter.get("n_values") is not None
    if not lowest <= value <= highest or (is_menu and value != int(value)):
        kind = "whole numbers from " if is_menu else ""
        msg = f"parameter {parameter['name']!r} takes {kind}{lowest:g} to {highest:g}, got {value:g}"
        raise InvalidArgumentError(msg)
    return (value - lowest) / (highest - lowest)
