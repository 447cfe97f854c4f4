"""The portable operators against the native ones, on the same tensors."""

import copy
import re
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_sdk.portable.linker import code_of
from neutone_sdk.portable.operators import PORTABLE_OPERATORS
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of

from .operator_examples import EXAMPLES, audio, ops, ring

# Sums in another order, of a few float32 products.
ROUNDING = 1e-6
# They keep their state in a form of their own, and have tests of their own.
OF_OWN_STATE = {
    "new_resampler", "resampler_start", "resample", "new_stream", "stream_start", "stream_stop", "stream_exchange",
    "stream_take", "stream_put",
    "new_fir", "fir", "fir_set_taps", "fir_reset",
}  # fmt: skip
SHARED = sorted(PORTABLE_OPERATORS.keys() - OF_OWN_STATE)


@cache
def scripted(name: str) -> Any:
    return torch.jit.script(PORTABLE_OPERATORS[name])


def without_views(value: Any) -> Any:
    """Leave out what each side of a native ring saw last of the other: it looks only when it has to."""
    if isinstance(value, (tuple, list)):
        return [without_views(each) for each in value if not isinstance(each, str)]
    is_cursors = isinstance(value, Tensor) and value.dtype == torch.int64 and value.shape == (16,)
    return value[::8] if is_cursors else value


def assert_same(actual: Any, expected: Any) -> None:
    actual, expected = without_views(actual), without_views(expected)
    torch.testing.assert_close(actual, expected, rtol=0, atol=ROUNDING, equal_nan=True)


def test_all_operators_have_a_portable_form_but_the_version_of_the_library() -> None:
    assert PORTABLE_OPERATORS.keys() == EXAMPLES.keys() - {"version"}


@pytest.mark.parametrize("name", PORTABLE_OPERATORS)
def test_the_signature_is_that_of_the_native_operator(name: str) -> None:
    def signature(schema: Any) -> tuple[list[tuple[str, str]], list[str]]:
        arguments = [(argument.name, str(argument.type)) for argument in schema.arguments]
        returned = [str(value.type) for value in schema.returns]
        return arguments, returned

    native_arguments, native_returns = signature(getattr(ops, name).default._schema)
    arguments, returns = signature(scripted(name).schema)
    assert arguments == native_arguments
    assert re.sub(r"^Tuple\[(.*)\]$", r"\1", ", ".join(returns)) == (", ".join(native_returns) or "NoneType")


@pytest.mark.parametrize("name", SHARED)
def test_it_does_what_the_native_operator_does(name: str) -> None:
    torch.manual_seed(0)
    arguments = EXAMPLES[name]()
    others = copy.deepcopy(arguments)
    expected = getattr(ops, name)(*arguments)
    actual = scripted(name)(*others)
    assert_same(actual, None if expected == () else expected)
    assert_same(others, arguments)  # what it writes to


def noisy(values: Tensor, seed: int) -> Tensor:
    """Return parameters as only a broken host sends them."""
    generator = torch.Generator().manual_seed(seed)
    where = torch.rand(values.shape, generator=generator)
    return values.mul(3.0).sub(1.0).masked_fill(where < 0.3, torch.nan)


@settings(deadline=None, max_examples=60)
@given(n_frames=st.integers(1, 40), n_columns=st.sampled_from([1, None]), seed=st.integers(0, 2**32 - 1))
def test_knobs_are_cleaned_as_by_the_native_operators(n_frames: int, n_columns: int | None, seed: int) -> None:
    params = noisy(torch.rand(4, n_columns or n_frames), seed)
    last = torch.rand(4)
    other_last = last.clone()
    expected = ops.clean_params(params, n_frames, last)
    assert_same(scripted("clean_params")(params, n_frames, other_last), expected)
    assert_same(other_last, last)
    ranges = torch.tensor([[0.0, 5.0, 1.0], [-2.0, 3.0, 0.0], [4.0, 4.5, 0.0]])
    expected = ops.denormalize_mean_params(params, ranges, last)
    assert_same(scripted("denormalize_mean_params")(params, ranges, other_last), expected)
    assert_same(other_last, last)


# Whether the native or the portable operator takes the step, which operator, and how many frames.
Step = tuple[bool, str, int]
STEPS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["ring_write", "ring_push", "ring_read", "ring_peek", "ring_newest", "ring_skip"]),
        st.integers(0, 9),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=100)
@given(steps=STEPS)
def test_a_ring_may_pass_between_both_kinds_of_operators(steps: list[Step]) -> None:
    samples, cursors = ring(2)
    other_samples, other_cursors = samples.clone(), cursors.clone()
    at = 0
    for is_native, name, n_frames in steps:
        frames = torch.arange(at, at + n_frames).float().repeat(2, 1)
        at += n_frames
        results: list[Tensor | None] = []
        for take_step, tensors in (
            (getattr(ops, name), (samples, cursors)),
            (getattr(ops, name) if is_native else scripted(name), (other_samples, other_cursors)),
        ):
            frames_here = frames.clone()
            arguments: dict[str, tuple[Any, ...]] = {"ring_push": (frames_here, 8), "ring_skip": (n_frames,)}
            try:
                take_step(*arguments.get(name, (frames_here,)), *tensors)
                results.append(frames_here)
            except SCRIPT_ERRORS as error:
                assert f"{name}: " in message_of(error)  # noqa: PT017
                results.append(None)
        assert_same(results[1], results[0])
        assert_same(other_samples, samples)
        assert int(scripted("ring_size")(other_samples, other_cursors)) == int(ops.ring_size(samples, cursors))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ring_write", (torch.rand(5), *ring(2)), "frames must be float32 with the ring's 2 channels"),
        ("ring_write", (audio().double(), *ring(2)), "frames must be float32 with"),
        ("ring_write", (audio(1), *ring(2)), "frames must be float32 with the ring's 2 channels, got"),
        ("ring_write", (audio(), *ring(2, 6)), "frames brings 5 frames, its ring has room for 2"),
        ("ring_write", (audio(), torch.zeros(2, 7), ring(2)[1]), "counters that no ring of shape"),
        ("ring_write", (audio(), ring(2)[0], torch.arange(16)), "counters that no ring of shape"),
        ("ring_peek", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_skip", (-1, *ring(2, 4)), "n_frames must be at least 0, got -1"),
        ("ring_push", (audio(), 9, *ring(2, 4)), r"max_frames must be in 4\.\.8"),
        ("fit_channels", (audio(3), 2, 0, 5), "audio has 3 channels, which cannot become 2"),
        ("fit_channels", (audio(), 2, 3, 5), "first 3 and n_frames 5 reach past the 5 frames"),
        ("aggregate_params", (audio(4), "median"), "how must be mean, last, min or max, got median"),
        ("aggregate_params", (audio(4, 0), "mean"), "at least one frame"),
        ("clean_params", (audio(4), 7, torch.rand(4)), "1 column or the 7"),
        ("clean_params", (audio(4), 5, torch.rand(3)), "a value for each of the 4 rows"),
        ("denormalize_params", (audio(4), torch.rand(5, 3)), "a row for each of the 5 ranges"),
        ("denormalize_params", (audio(4), torch.rand(3, 2)), "3 columns"),
    ],
)  # fmt: skip
def test_it_refuses_what_the_native_operator_refuses(name: str, arguments: tuple[Any, ...], message: str) -> None:
    others = copy.deepcopy(arguments)
    with pytest.raises(RuntimeError, match=f"{name}: "):
        getattr(ops, name)(*copy.deepcopy(arguments))
    with pytest.raises(torch.jit.Error, match=f"{name}: .*{message}"):
        scripted(name)(*others)
    assert_same(others, arguments)


def test_their_code_refers_to_nothing_else_of_this_package_and_to_no_function_of_torchs_python() -> None:
    for name, code in code_of(frozenset(PORTABLE_OPERATORS)).items():
        others = re.findall(r"__torch__\.(?!neutone_sdk\.portable\.)[\w.]+", code.decode())
        assert others == [], name
        assert b"CONSTANTS" not in code, name
