"""Portable biquads, state-variable filter and smoothing against the native ones, whose states they share."""

import copy
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import example, given, settings
from torch import Tensor

from neutone_sdk.portable.biquad import biquad
from neutone_sdk.portable.smoothing import smooth_params
from neutone_sdk.portable.svf import svf
from neutone_sdk.scripting import message_of

from .operator_examples import EXAMPLES, audio, ops, sections, smoothing, svf_with
from .portable_functions import complaint

RATE_HZ = 48_000.0
# Both filter in float64. What they differ by is far below what the result is rounded to, which may go either way: a
# step of float32 is 2^-23 of the number.
FLOAT32_STEP = 2.0**-23
PORTABLE: dict[str, Callable[..., Tensor]] = {"biquad": biquad, "svf": svf, "smooth_params": smooth_params}
SEEDS = st.integers(0, 2**32 - 1)
# Blocks of a stream; whether the native operator takes over for one.
BLOCKS = st.lists(
    st.tuples(st.one_of(st.integers(0, 4), st.integers(5, 700), st.just(4500)), st.booleans()), min_size=1, max_size=8
)
Blocks = list[tuple[int, bool]]
Controls = tuple[Tensor, Tensor, Tensor]


@cache
def scripted(name: str) -> Any:
    return torch.jit.script(PORTABLE[name])


def noise(n_channels: int, n_frames: int, seed: int) -> Tensor:
    return 2.0 * torch.rand(n_channels, n_frames, generator=torch.Generator().manual_seed(seed)) - 1.0


def assert_same(actual: Tensor, expected: Tensor) -> None:
    loudest = max(1.0, float(expected.nan_to_num(0.0, 0.0, 0.0).abs().max())) if expected.numel() else 1.0
    torch.testing.assert_close(actual, expected, rtol=0, atol=2.0 * FLOAT32_STEP * loudest, equal_nan=True)


def cut(blocks: Blocks, run: Callable[[Any, int, int], Tensor], name: str) -> Tensor:
    """Return what a stream becomes in blocks, in which both operators may take turns."""
    parts, first = [], 0
    for n_frames, is_native in blocks:
        parts.append(run(getattr(ops, name) if is_native else scripted(name), first, first + n_frames))
        first += n_frames
    return torch.cat(parts, dim=1)


KINDS = ["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf", "allpass"]
SECTION = st.tuples(st.sampled_from(KINDS), st.floats(0.0, 1.0), st.floats(-1.0, 2.0), st.floats(-24.0, 24.0))


def equalizer(sections_of: list[tuple[str, float, float, float]]) -> Tensor:
    """Return sections with cutoffs from 10 Hz to 0.49 of the rate and Q from 0.1 to 100, in logarithms."""
    return torch.cat([
        ops.design_biquad(kind, 10.0 * (0.049 * RATE_HZ) ** place, 10.0**q_log, gain_db, RATE_HZ)
        for kind, place, q_log, gain_db in sections_of
    ])  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(sections_of=st.lists(SECTION, min_size=1, max_size=6), n_channels=st.integers(1, 5), blocks=BLOCKS, seed=SEEDS)
def test_equalizers_are_the_native_ones_however_the_stream_is_cut(
    sections_of: list[tuple[str, float, float, float]], n_channels: int, blocks: Blocks, seed: int
) -> None:
    assert_biquads_are_native(equalizer(sections_of), n_channels, blocks, seed)


@settings(deadline=None, max_examples=60)
@given(
    family=st.sampled_from(["butterworth", "chebyshev1", "chebyshev2"]),
    kind=st.sampled_from(["lowpass", "highpass", "bandpass", "bandstop"]),
    order=st.integers(1, 16),
    cutoff_hz=st.sampled_from([10.0, 100.0, 1000.0, 15_000.0, 0.49 * RATE_HZ]),
    blocks=BLOCKS,
    seed=SEEDS,
)
def test_designs_of_any_order_are_the_native_ones(
    family: str, kind: str, order: int, cutoff_hz: float, blocks: Blocks, seed: int
) -> None:
    edges = [cutoff_hz, min(1.5 * cutoff_hz, 0.495 * RATE_HZ)] if kind.startswith("band") else [cutoff_hz]
    assert_biquads_are_native(ops.design_iir(family, kind, order, edges, 1.0, RATE_HZ), 2, blocks, seed)


def assert_biquads_are_native(sos: Tensor, n_channels: int, blocks: Blocks, seed: int) -> None:
    samples = noise(n_channels, sum(n for n, _ in blocks), seed)
    expected = ops.biquad(samples, sos, torch.zeros(n_channels, sos.size(0), 2, dtype=torch.float64))
    state = torch.zeros(n_channels, sos.size(0), 2, dtype=torch.float64)
    assert_same(cut(blocks, lambda run, a, b: run(samples[:, a:b], sos, state), "biquad"), expected)


def test_64_sections_are_the_native_ones() -> None:
    sos = equalizer([("peak", i / 63.0, 0.5, 6.0 * (-1.0) ** i) for i in range(64)])
    assert_biquads_are_native(sos, 2, [(512, False)] * 4, 0)


def test_no_sections_change_nothing() -> None:
    samples = noise(2, 300, 1)
    sos, state = torch.zeros(0, 6, dtype=torch.float64), torch.zeros(2, 0, 2, dtype=torch.float64)
    assert torch.equal(scripted("biquad")(samples, sos, state), samples)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_biquads_take_what_is_not_finite_for_silence(bad: float) -> None:
    samples, sos = noise(2, 900, 2), sections()
    samples[0, [0, 99, 100, 899]] = bad
    states = torch.zeros(2, 2, 2, 2, dtype=torch.float64)
    for block in samples.split(450, dim=1):
        assert_same(scripted("biquad")(block, sos, states[0]), ops.biquad(block, sos, states[1]))
    torch.testing.assert_close(states[0], states[1])


def controls(n_channels: int, n_frames: int, sizes: tuple[bool, ...], seed: int) -> Controls:
    """Return controls that jump over their whole ranges; ``sizes`` tells which have channels, then which frames."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(n_channels if sizes[i] else 1, n_frames if sizes[i + 3] else 1, (1, 1, 3)[i]) for i in range(3)]
    cutoff_hz, resonance, mix = (torch.rand(shape, generator=generator) for shape in shapes)
    return 10.0 * (0.049 * RATE_HZ) ** cutoff_hz, 0.1 * 1000.0**resonance, 2.0 * mix - 1.0


def assert_svf_is_native(samples: Tensor, all_controls: Controls, blocks: Blocks) -> None:
    def run(operator: Any, first: int, end: int) -> Tensor:
        parts = [control[:, first:end] if control.size(1) > 1 else control for control in all_controls]
        return operator(samples[:, first:end], *parts, RATE_HZ, state)

    native_state = torch.zeros(samples.size(0), 7, dtype=torch.float64)
    state = native_state.clone()
    expected = ops.svf(samples, *all_controls, RATE_HZ, native_state)
    assert_same(cut(blocks, run, "svf"), expected)
    torch.testing.assert_close(state, native_state, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    n_channels=st.integers(1, 4),
    sizes=st.tuples(*[st.booleans()] * 6),
    blocks=BLOCKS,
    seed=SEEDS,
    bad=st.lists(st.sampled_from([torch.nan, torch.inf, -torch.inf]), max_size=3),
)
def test_the_state_variable_filter_is_the_native_one_however_the_stream_is_cut(
    n_channels: int, sizes: tuple[bool, ...], blocks: Blocks, seed: int, bad: list[float]
) -> None:
    n_frames = sum(n for n, _ in blocks)
    samples, all_controls = noise(n_channels, n_frames, seed), controls(n_channels, n_frames, sizes, seed)
    for tensor in (samples, *all_controls):
        for i, value in enumerate(bad):
            if tensor.numel():
                tensor.view(-1)[(seed + 1) * (i + 1) * 7919 % tensor.numel()] = value
    assert_svf_is_native(samples, all_controls, blocks)


@pytest.mark.parametrize("cutoff_hz", [-5.0, 0.0, 1e-4, 0.5, 23_999.0, 1e9, torch.inf])
@pytest.mark.parametrize("resonance", [0.0, 1e-4, 1e6, 1e9])
def test_controls_at_and_beyond_their_bounds_are_the_native_ones(cutoff_hz: float, resonance: float) -> None:
    still = torch.full((1, 1, 1), cutoff_hz), torch.full((1, 1, 1), resonance), torch.tensor([[[0.5, -1.0, 2e6]]])
    assert_svf_is_native(noise(2, 2000, 3), still, [(500, False)] * 4)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf, 1e308, -1e308])
def test_a_state_that_is_no_filters_breaks_nothing(bad: float) -> None:
    samples, all_controls = noise(2, 200, 4), controls(2, 200, (True,) * 6, 5)
    state = torch.full((2, 7), bad, dtype=torch.float64)
    filtered = scripted("svf")(samples, *all_controls, RATE_HZ, state)
    assert_same(filtered, ops.svf(samples, *all_controls, RATE_HZ, torch.zeros(2, 7, dtype=torch.float64)))
    assert state.isfinite().all()


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([1.0, 2.0]), st.one_of(st.just(0.0), st.floats(-3.0, 12.0).map(lambda x: 10.0**x))),
        min_size=1,
        max_size=4,
    ),
    steps=st.lists(st.tuples(st.integers(1, 700), st.booleans(), st.booleans()), min_size=1, max_size=12),
    seed=SEEDS,
)
@example(rows=[(1.0, 1e12), (2.0, 1e12)], steps=[(64, False, False), (700, True, False)], seed=0)
def test_curves_of_parameters_are_the_native_ones(
    rows: list[tuple[float, float]], steps: list[tuple[int, bool, bool]], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    table, state = torch.tensor(rows, dtype=torch.float64), torch.zeros(len(rows), 4, dtype=torch.float64)
    native_state, values = state.clone(), torch.rand(len(rows), 1, generator=generator)
    for n_frames, moves, is_native in steps:
        if moves:
            values = torch.rand(len(rows), 1, generator=generator)
        expected = ops.smooth_params(values, table, n_frames, native_state)
        assert_same(
            (ops.smooth_params if is_native else scripted("smooth_params"))(values, table, n_frames, state), expected
        )
        torch.testing.assert_close(state, native_state, rtol=1e-9, atol=1e-9)


def test_a_smoother_that_was_fed_what_is_no_number_starts_afresh() -> None:
    states = torch.zeros(2, 2, 4, dtype=torch.float64)
    for value in (0.5, torch.nan, 0.25, torch.inf, 1.0, 0.0):
        arguments = torch.full((2, 1), value), smoothing(), 5
        curves = scripted("smooth_params")(*arguments, states[0])
        expected = ops.smooth_params(*arguments, states[1])
        assert_same(curves.nan_to_num(9.0, 9.0, 9.0), expected.nan_to_num(9.0, 9.0, 9.0))


def test_what_has_faded_away_is_zero() -> None:
    silence, unit, low = torch.zeros(2, 5), torch.ones(1, 1, 1), torch.tensor([[[0.0, 1.0, 0.0]]])
    for left, comes_out in ((1e-39, False), (1e-295, False), (1e-30, True)):
        state = torch.full((2, 2, 2), left, dtype=torch.float64)
        assert bool(scripted("biquad")(silence, sections(), state).any()) == comes_out
        assert bool(state.any()) == (left > 1e-290)
        state = torch.full((2, 7), left, dtype=torch.float64)
        assert bool(scripted("svf")(silence, unit, unit, low, RATE_HZ, state).any()) == comes_out
        assert bool(state[:, :2].any()) == (left > 1e-290)


@pytest.mark.parametrize("name", PORTABLE)
def test_inputs_are_left_alone_and_the_result_is_the_callers(name: str) -> None:
    arguments = EXAMPLES[name]()
    kept = copy.deepcopy(arguments[:-1])
    first = scripted(name)(*arguments)
    kept_first = first.clone()
    scripted(name)(*arguments)
    assert torch.equal(first, kept_first)
    assert all(torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in zip(arguments, kept, strict=False))


@pytest.mark.parametrize("name", ["biquad", "svf"])
def test_strides_do_not_matter(name: str) -> None:
    arguments = list(EXAMPLES[name]())
    others = copy.deepcopy(arguments)
    for i, argument in enumerate(others[:-1]):
        if isinstance(argument, Tensor) and argument.dtype == torch.float32:
            others[i] = argument.transpose(0, 1).contiguous().transpose(0, 1)
    assert_same(scripted(name)(*others), scripted(name)(*arguments))


@pytest.mark.parametrize("name", PORTABLE)
def test_a_stream_keeps_no_graph_of_gradients(name: str) -> None:
    arguments = EXAMPLES[name]()
    for argument in arguments[:-1]:
        if isinstance(argument, Tensor):
            argument.requires_grad_()
    assert not scripted(name)(*arguments).requires_grad
    assert not arguments[-1].requires_grad


@pytest.mark.parametrize("name", PORTABLE)
def test_the_graph_has_stock_operators_only(name: str) -> None:
    kinds = re.findall(r"\b(\w+)::\w+", str(scripted(name).inlined_graph))
    assert "aten" in kinds
    assert set(kinds) <= {"aten", "prim"}


def sos_with(column: int, value: float) -> Tensor:
    sos = sections()
    sos[1, column] = value
    return sos


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("biquad", (audio()[0], sections(), zeros(2, 2, 2))),
        ("biquad", (audio().double(), sections(), zeros(2, 2, 2))),
        ("biquad", (torch.zeros(0, 5), sections(), zeros(0, 2, 2))),
        ("biquad", (audio(), sections().float(), zeros(2, 2, 2))),
        ("biquad", (audio(), sections()[:, :5].clone(), zeros(2, 2, 2))),
        ("biquad", (audio(), sections().T.contiguous().T, zeros(2, 2, 2))),
        ("biquad", (audio(), sections().repeat(33, 1), zeros(2, 66, 2))),
        ("biquad", (audio(), sos_with(3, 0.0), zeros(2, 2, 2))),
        ("biquad", (audio(), sos_with(5, 2.0), zeros(2, 2, 2))),
        ("biquad", (audio(), sos_with(4, -3.0), zeros(2, 2, 2))),
        ("biquad", (audio(), sos_with(0, torch.nan), zeros(2, 2, 2))),
        ("biquad", (audio(), sos_with(5, torch.inf), zeros(2, 2, 2))),
        ("biquad", (audio(), sections(), zeros(2, 3, 2))),
        ("biquad", (audio(3), sections(), zeros(2, 2, 2))),
        ("biquad", (audio(), sections(), zeros(2, 2, 2).float())),
        ("biquad", (audio(), sections(), zeros(2, 4))),
        ("biquad", (audio(), sections(), zeros(2, 2, 2).transpose(0, 2))),
        ("svf", svf_with(audio=audio().double())),
        ("svf", svf_with(cutoff_hz=torch.ones(5))),
        ("svf", svf_with(cutoff_hz=torch.ones(3, 5, 1))),
        ("svf", svf_with(cutoff_hz=torch.ones(2, 4, 1))),
        ("svf", svf_with(cutoff_hz=torch.ones(2, 5, 3))),
        ("svf", svf_with(resonance=torch.ones(2, 5, 1).double())),
        ("svf", svf_with(mix=torch.ones(2, 5, 1))),
        ("svf", svf_with(mix=torch.ones(2, 0, 3))),
        ("svf", svf_with(sample_rate_hz=0.0)),
        ("svf", svf_with(sample_rate_hz=1e6)),
        ("svf", svf_with(sample_rate_hz=torch.nan)),
        ("svf", svf_with(state=zeros(2, 7).float())),
        ("svf", svf_with(state=zeros(7))),
        ("svf", svf_with(state=zeros(3, 7))),
        ("svf", svf_with(state=zeros(2, 6))),
        ("svf", svf_with(state=zeros(7, 2).T)),
        ("smooth_params", (audio(2), smoothing(), 5, zeros(2, 4))),
        ("smooth_params", (audio(3, 1), smoothing(), 5, zeros(2, 4))),
        ("smooth_params", (audio(2, 1), smoothing(), 5, zeros(1, 4))),
        ("smooth_params", (audio(2, 1), smoothing(), 0, zeros(2, 4))),
        ("smooth_params", (audio(2, 1), smoothing(), -1, zeros(2, 4))),
        ("smooth_params", (audio(2, 1), smoothing().float(), 5, zeros(2, 4))),
        ("smooth_params", (audio(2, 1), smoothing() + 2.0, 5, zeros(2, 4))),
        ("smooth_params", (audio(2, 1), smoothing() * torch.tensor([1.0, -1.0]), 5, zeros(2, 4))),
        ("smooth_params", (audio(2, 1), smoothing() * torch.nan, 5, zeros(2, 4))),
    ],
)  # fmt: skip
def test_what_the_native_operator_refuses_is_refused_by_the_same_name(name: str, arguments: tuple[Any, ...]) -> None:
    others = copy.deepcopy(arguments)
    with pytest.raises(RuntimeError) as native:
        getattr(ops, name)(*arguments)
    with pytest.raises(torch.jit.Error) as portable:
        scripted(name)(*others)
    assert complaint(message_of(portable.value)) == complaint(str(native.value))
    torch.testing.assert_close(others, arguments, rtol=0, atol=0, equal_nan=True)
