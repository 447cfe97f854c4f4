"""What operators refuse of any audio, and of tensors that are elsewhere, by the name of the argument."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from .operator_examples import EXAMPLES, call_with, ops

FRAMES_ARGUMENTS = {
    "ring_write": (0, "frames"),
    "ring_push": (0, "frames"),
    "ring_read": (0, "out"),
    "ring_peek": (0, "out"),
    "ring_newest": (0, "out"),
    "stream_put": (0, "audio"),
    "new_stream": (8, "default_params"),
    "resample": (0, "audio"),
    "fir": (0, "audio"),
    "fit_channels": (0, "audio"),
    "biquad": (0, "audio"),
    "aggregate_params": (0, "params"),
    "clean_params": (0, "params"),
    "smooth_params": (0, "values"),
    "denormalize_params": (0, "params"),
    "denormalize_mean_params": (0, "params"),
    "svf": (0, "audio"),
}


# Returns nothing instead; test_bad_audio.py and test_portable_streams.py have what it refuses.
WITH_AN_ANSWER = {"stream_exchange"}
# Those that take frames behind other arguments.
BEHIND_OTHERS = {"new_stream"}


def test_no_operator_on_audio_or_curves_is_left_out() -> None:
    """By the name of their first argument."""
    first = {name: getattr(ops, name).default._schema.arguments[:1] for name in EXAMPLES}
    of_frames = {
        name
        for name, found in first.items()
        if found and found[0].name in {"audio", "frames", "out", "params", "values"}
    }
    assert of_frames - WITH_AN_ANSWER == FRAMES_ARGUMENTS.keys() - BEHIND_OTHERS


@pytest.mark.parametrize("name", FRAMES_ARGUMENTS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.rand(5), r"must have 2 dimensions, got shape \(5\)"),
        (torch.rand(1, 2, 5), r"must have 2 dimensions, got shape \(1, 2, 5\)"),
        (torch.rand(2, 5, dtype=torch.float64), "must be float32, got float64"),
        (torch.zeros(2, 5, dtype=torch.int16), "must be float32, got int16"),
        (torch.zeros(0, 5), r"must have at least one channel, got shape \(0, 5\)"),
        (torch.rand(2, 5).to_sparse(), "must be a dense tensor|SparseCPU"),
    ],
    ids=["1-D", "3-D", "float64", "int16", "no channel", "sparse"],
)
def test_audio_of_the_wrong_kind_is_refused_by_name(name: str, value: Tensor, message: str) -> None:
    position, argument = FRAMES_ARGUMENTS[name]
    with pytest.raises(RuntimeError, match=f"{name}: {argument} (?:{message})"):
        call_with(name, position, value)


WITHOUT_TENSORS = {"version", "new_resampler", "design_biquad", "design_iir", "fir_design", "new_fir"}
WITHOUT_TENSORS |= {"stream_resampling_steps"}
# Their only tensor is what they write to.
WITHOUT_RESULT = {"stream_start", "stream_stop", "stream_take"}


@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if name not in WITHOUT_TENSORS | WITHOUT_RESULT | WITH_AN_ANSWER]
)
def test_a_tensor_on_another_device_is_refused_by_name(name: str) -> None:
    arguments = EXAMPLES[name]()
    tensors = [position for position, value in enumerate(arguments) if isinstance(value, Tensor)]
    if len(tensors) == 1:
        # All of it on another device is what tracing does; there is nothing to mix.
        on_meta = [value.to("meta") if isinstance(value, Tensor) else value for value in arguments]
        assert getattr(ops, name)(*on_meta).device.type == "meta"
        return
    with pytest.raises(RuntimeError, match=f"{name}: .* must be on the same device"):
        call_with(name, tensors[-1], arguments[tensors[-1]].to("meta"))


# "meta" tensors never reach the operators' own check; a device that Python makes up does.
ELSEWHERE = """
import torch, neutone_sdk
torch.utils.backend_registration._setup_privateuseone_for_python_backend("elsewhere")
audio = torch._C._acc.create_empty_tensor((2, 5), torch.float32)
try:
    torch.ops.neutone.fit_channels(audio, 1, 0, 5)
except RuntimeError as error:
    print(error)
"""


def test_a_tensor_that_is_not_on_the_cpu_is_refused_by_name() -> None:
    command = [sys.executable, "-W", "ignore", "-c", ELSEWHERE]
    result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    assert "fit_channels: audio must be on the CPU; move it with .cpu()" in result.stdout
