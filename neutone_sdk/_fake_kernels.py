"""What each operator returns, without computing it: for ``torch.export``, ``torch.compile`` and tracing."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _fake(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return torch.library.register_fake(f"neutone::{name}")


def _check_one_device(op: str, **tensors: Tensor) -> None:
    """Operators run on the CPU only; a mixture would hide that until it runs."""
    devices = {name: tensor.device for name, tensor in tensors.items()}
    first = next(iter(devices.values()))
    for name, device in devices.items():
        if device != first:
            msg = f"{op}: {name} must be on the same device as the other arguments ({first}), got {device}"
            raise RuntimeError(msg)


@_fake("version")
def _version() -> str:
    return ""


@_fake("ring_write")
def _ring_write(frames: Tensor, samples: Tensor, cursors: Tensor) -> None:
    _check_one_device("ring_write", frames=frames, samples=samples, cursors=cursors)


@_fake("ring_push")
def _ring_push(frames: Tensor, max_frames: int, samples: Tensor, cursors: Tensor) -> None:  # noqa: ARG001
    _check_one_device("ring_push", frames=frames, samples=samples, cursors=cursors)


@_fake("ring_read")
def _ring_read(out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    _check_one_device("ring_read", out=out, samples=samples, cursors=cursors)


@_fake("ring_peek")
def _ring_peek(out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    _check_one_device("ring_peek", out=out, samples=samples, cursors=cursors)


@_fake("ring_newest")
def _ring_newest(out: Tensor, samples: Tensor, cursors: Tensor) -> None:
    _check_one_device("ring_newest", out=out, samples=samples, cursors=cursors)


@_fake("ring_skip")
def _ring_skip(n_frames: int, samples: Tensor, cursors: Tensor) -> None:  # noqa: ARG001
    _check_one_device("ring_skip", samples=samples, cursors=cursors)


@_fake("ring_clear")
def _ring_clear(samples: Tensor, cursors: Tensor) -> None:
    _check_one_device("ring_clear", samples=samples, cursors=cursors)


@_fake("ring_size")
def _ring_size(samples: Tensor, cursors: Tensor) -> Tensor:
    _check_one_device("ring_size", samples=samples, cursors=cursors)
    return cursors.new_empty(())


@_fake("fit_channels")
def _fit_channels(audio: Tensor, n_channels: int, first: int, n_frames: int) -> Tensor:  # noqa: ARG001
    return audio.new_empty(n_channels, n_frames)


@_fake("aggregate_params")
def _aggregate_params(params: Tensor, how: str) -> Tensor:  # noqa: ARG001
    return params.new_empty(params.shape[0], 1)


@_fake("clean_params")
def _clean_params(params: Tensor, n_frames: int, last: Tensor) -> Tensor:
    _check_one_device("clean_params", params=params, last=last)
    return params.new_empty(params.shape[0], n_frames)


@_fake("denormalize_mean_params")
def _denormalize_mean_params(params: Tensor, ranges: Tensor, last: Tensor) -> Tensor:
    _check_one_device("denormalize_mean_params", params=params, ranges=ranges, last=last)
    return params.new_empty(ranges.shape[0], 1)


@_fake("denormalize_params")
def _denormalize_params(params: Tensor, ranges: Tensor) -> list[Tensor]:
    _check_one_device("denormalize_params", params=params, ranges=ranges)
    return [params.new_empty(params.shape[1]) for _ in range(ranges.shape[0])]


@_fake("smooth_params")
def _smooth_params(values: Tensor, smoothing: Tensor, n_frames: int, state: Tensor) -> Tensor:
    _check_one_device("smooth_params", values=values, smoothing=smoothing, state=state)
    return values.new_empty(values.shape[0], n_frames)


@_fake("new_resampler")
def _new_resampler(from_hz: int, to_hz: int, quality: str, n_channels: int) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ARG001
    context = torch.library.get_ctx()
    dtype = torch.float64 if quality == "high" else torch.float32
    rows, taps, frames = (context.new_dynamic_size() for _ in range(3))
    table = torch.empty(rows, taps, dtype=dtype, device="cpu")
    history = torch.empty(n_channels, frames, dtype=dtype, device="cpu")
    return table, history, torch.empty(8, dtype=torch.int64, device="cpu")


@_fake("resampler_start")
def _resampler_start(first: int, n_silent: int, table: Tensor, history: Tensor, state: Tensor) -> None:  # noqa: ARG001
    _check_one_device("resampler_start", table=table, history=history, state=state)


@_fake("resample")
def _resample(audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    _check_one_device("resample", audio=audio, table=table, history=history, state=state)
    return audio.new_empty(audio.shape[0], torch.library.get_ctx().new_dynamic_size())


@_fake("new_stream")
def _new_stream(
    host_hz: int, least_frames: int, most_frames: int, model_hz: int, model_block: int, n_in_channels: int,  # noqa: ARG001
    n_out_channels: int, param_ranges: Tensor, default_params: Tensor, mean_params: bool,  # noqa: ARG001
) -> Tensor:  # fmt: skip
    _check_one_device("new_stream", param_ranges=param_ranges, default_params=default_params)
    return default_params.new_empty(torch.library.get_ctx().new_dynamic_size())


@_fake("stream_start")
def _stream_start(kind: str, total_delay: int, model_delay: int, stream: Tensor) -> None:
    pass


@_fake("stream_stop")
def _stream_stop(stream: Tensor) -> None:
    pass


@_fake("stream_exchange")
def _stream_exchange(audio: Tensor, params: Tensor, delayed: bool, stream: Tensor) -> Tensor:  # noqa: ARG001
    """Of a delayed stream, where no block of the model gets full: what it really is, only its memory says."""
    if audio.device != stream.device or params.device != stream.device:
        return stream.new_empty(0, 0)  # not in order; what is wrong is found out by those who have to say it
    return audio.new_empty(audio.shape)


@_fake("stream_take")
def _stream_take(stream: Tensor) -> tuple[Tensor, Tensor]:
    n_channels, n_frames, n_params, n_values = (torch.library.get_ctx().new_dynamic_size() for _ in range(4))
    return stream.new_empty(n_channels, n_frames), stream.new_empty(n_params, n_values)


@_fake("stream_put")
def _stream_put(audio: Tensor, stream: Tensor) -> Tensor:
    _check_one_device("stream_put", audio=audio, stream=stream)
    n_channels, n_frames = (torch.library.get_ctx().new_dynamic_size() for _ in range(2))
    return audio.new_empty(n_channels, n_frames)


@_fake("biquad")
def _biquad(audio: Tensor, sos: Tensor, state: Tensor) -> Tensor:
    _check_one_device("biquad", audio=audio, sos=sos, state=state)
    return audio.new_empty(audio.shape)


@_fake("svf")
def _svf(
    audio: Tensor, cutoff_hz: Tensor, resonance: Tensor, mix: Tensor, sample_rate_hz: float, state: Tensor,  # noqa: ARG001
) -> Tensor:  # fmt: skip
    _check_one_device("svf", audio=audio, cutoff_hz=cutoff_hz, resonance=resonance, mix=mix, state=state)
    return audio.new_empty(audio.shape)


@_fake("design_biquad")
def _design_biquad(kind: str, cutoff_hz: float, q: float, gain_db: float, sample_rate_hz: float) -> Tensor:  # noqa: ARG001
    return torch.empty(1, 6, dtype=torch.float64, device="cpu")


@_fake("design_iir")
def _design_iir(
    family: str, kind: str, order: int, cutoffs_hz: list[float], ripple_db: float, sample_rate_hz: float  # noqa: ARG001
) -> Tensor:  # fmt: skip
    n_poles = 2 * order if kind in {"bandpass", "bandstop"} else order
    return torch.empty((n_poles + 1) // 2, 6, dtype=torch.float64, device="cpu")


@_fake("sos_response")
def _sos_response(sos: Tensor, frequencies_hz: Tensor, sample_rate_hz: float) -> Tensor:  # noqa: ARG001
    _check_one_device("sos_response", sos=sos, frequencies_hz=frequencies_hz)
    return frequencies_hz.new_empty(frequencies_hz.shape[0], 2)


@_fake("fir_design")
def _fir_design(kind: str, cutoffs_hz: list[float], sample_rate_hz: float, n_taps: int) -> Tensor:  # noqa: ARG001
    return torch.empty(n_taps, dtype=torch.float64, device="cpu")


@_fake("new_fir")
def _new_fir(taps: Tensor, n_channels: int) -> tuple[Tensor, Tensor, Tensor]:
    context = torch.library.get_ctx()
    table, history = (context.new_dynamic_size() for _ in range(2))
    return (
        taps.new_empty(table, dtype=torch.float32), taps.new_empty(n_channels, history, dtype=torch.float32),
        taps.new_empty(8, dtype=torch.int64),
    )  # fmt: skip


@_fake("fir")
def _fir(audio: Tensor, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    _check_one_device("fir", audio=audio, table=table, history=history, state=state)
    return audio.new_empty(audio.shape)


@_fake("fir_set_taps")
def _fir_set_taps(taps: Tensor, n_fade_frames: int, table: Tensor, history: Tensor, state: Tensor) -> None:  # noqa: ARG001
    _check_one_device("fir_set_taps", taps=taps, table=table, history=history, state=state)


@_fake("fir_reset")
def _fir_reset(table: Tensor, history: Tensor, state: Tensor) -> None:
    _check_one_device("fir_reset", table=table, history=history, state=state)
