"""The resampler in stock torch against the native operators: the same filter, the same stream, the same refusals."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk.portable import resampler as portable

from .conftest import Noise
from .portable_functions import complaint

native = torch.ops.neutone
QUALITIES = ("low_latency", "standard", "high")
# Both tables: as tiles; of all phases; interpolated.
PAIRS = [
    (44100, 48000), (48000, 44100), (48000, 16000), (16000, 48000), (8000, 192000), (192000, 8000), (96000, 44100),
    (44100, 22050), (11025, 192000), (44100, 47990), (44100, 47999), (47999, 44100), (768000, 3000), (12000, 11999),
]  # fmt: skip
# What float32 sums of the native kernel are off by, on noise of full scale; of portable ones it is the last bit only.
NATIVE_SUMS = 5e-7
LAST_BIT = 1.2e-7  # of a float32 below 2

Resampler = tuple[Tensor, Tensor, Tensor]


@torch.jit.script
def missing(n_frames: int, state: Tensor) -> int:
    words: list[int] = state.tolist()
    return portable.missing(n_frames, words)


@torch.jit.script
def ready_after(n_frames: int, state: Tensor) -> int:
    words: list[int] = state.tolist()
    return portable.ready_after(n_frames, words)


@torch.jit.script
def resample_exactly(audio: Tensor, n_frames: int, table: Tensor, history: Tensor, state: Tensor) -> Tensor:
    """As streams do it, which keep the words themselves."""
    words: list[int] = state.tolist()
    out = portable.resampled(audio, n_frames, table, history, words)
    state.copy_(torch.tensor(words))
    return out


class Functions:
    """All operators of the module, scripted."""

    new_resampler = torch.jit.script(portable.new_resampler)
    resampler_start = torch.jit.script(portable.resampler_start)
    resample = torch.jit.script(portable.resample)


SCRIPTED = {
    name: function for name, function in vars(Functions).items() if isinstance(function, torch.jit.ScriptFunction)
}


def both(from_hz: int, to_hz: int, quality: str, n_channels: int = 2) -> tuple[Resampler, Resampler]:
    arguments = (from_hz, to_hz, quality, n_channels)
    return Functions.new_resampler(*arguments), native.new_resampler(*arguments)


def assert_near(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("name", ["new_resampler", "resampler_start", "resample"])
def test_signatures_are_the_operators(name: str) -> None:
    expected = getattr(native, name).default._schema
    actual: Any = SCRIPTED[name].schema
    assert [(a.name, a.type.str()) for a in actual.arguments] == [(a.name, a.type.str()) for a in expected.arguments]
    returned = [returns.type.str() for returns in expected.returns]
    assert actual.returns[0].type.str() == {0: "NoneType", 1: "Tensor", 3: f"({', '.join(returned)})"}[len(returned)]


def kinds_in(block: Any) -> set[str]:
    kinds = set()
    for node in block.nodes():
        kinds.add(node.kind())
        for inner in node.blocks():
            kinds |= kinds_in(inner)
    return kinds


@pytest.mark.parametrize("name", SCRIPTED)
def test_there_is_no_operator_but_torchs(name: str) -> None:
    namespaces = {kind.split("::")[0] for kind in kinds_in(SCRIPTED[name].inlined_graph)}
    assert namespaces == {"aten", "prim"}


def native_rows(table: Tensor, state: Tensor) -> Tensor:
    """Return a row's own coefficients, without the zeros around them."""
    up, down, half_taps, _, rows = state[:5].tolist()
    first = torch.zeros(rows, dtype=torch.int64)
    if rows >= up:  # all phases, in the order of the output, from the window of the first of each four on
        order = torch.arange(rows)
        first = order * down // up - (order - order % 4) * down // up
    return table.double().gather(1, first[:, None] + torch.arange(2 * half_taps))


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_filters_are_the_same(from_hz: int, to_hz: int, quality: str) -> None:
    (table, history, state), (native_table, _, native_state) = both(from_hz, to_hz, quality)
    up, down, half_taps, tile, n_phases, _, _ = state.tolist()
    assert [up, down, half_taps] == native_state[:3].tolist()
    assert history.shape == (2, 2 * half_taps)
    rows = native_rows(native_table, native_state)
    assert n_phases == (0 if len(rows) >= up else len(rows) - 3)
    if n_phases > 0:
        assert_near(table, rows, 1e-8)
        return
    phases = torch.arange(up) * down % up
    assert_near(portable._coefficients(phases, table, state.tolist()), rows[:up], 1e-8)
    assert tile % up == 0
    assert table.numel() <= 2**19 or tile == 0


@given(
    pair=st.sampled_from(PAIRS),
    quality=st.sampled_from(QUALITIES),
    channels=st.integers(1, 3),
    blocks=st.lists(st.integers(0, 900), min_size=1, max_size=8),
    first=st.integers(-3000, 3000),
    n_silent=st.integers(0, 500),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_a_stream_is_that_of_the_operators(
    noise: Noise, pair: tuple[int, int], quality: str, channels: int, blocks: list[int], first: int, n_silent: int,
    seed: int,
) -> None:  # fmt: skip
    mine, theirs = both(*pair, quality, channels)
    first = max(first, -n_silent * int(mine[2][0]))
    Functions.resampler_start(first, n_silent, *mine)
    native.resampler_start(first, n_silent, *theirs)
    tolerance = LAST_BIT if quality == "high" else NATIVE_SUMS
    for block in noise(channels, sum(blocks), seed).split(blocks, dim=1):
        before = block.clone()
        actual = Functions.resample(block, *mine)
        assert_near(actual, native.resample(block, *theirs), tolerance)
        assert actual.is_contiguous()
        assert torch.equal(block, before)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (48000, 44100), (96000, 48000), (44100, 47999)])
def test_seconds_of_noise_are_those_of_the_operators(from_hz: int, to_hz: int, noise: Noise) -> None:
    mine, theirs = both(from_hz, to_hz, "standard")
    for block in noise(2, 5 * 44100, seed=1).split(1111, dim=1):
        assert_near(Functions.resample(block, *mine), native.resample(block, *theirs), NATIVE_SUMS)


@given(
    pair=st.sampled_from(PAIRS),
    quality=st.sampled_from(QUALITIES),
    blocks=st.lists(st.integers(0, 700), min_size=1, max_size=10),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_how_the_stream_is_cut_changes_the_last_bit_at_most(
    noise: Noise, pair: tuple[int, int], quality: str, blocks: list[int], seed: int
) -> None:
    audio = noise(2, sum(blocks), seed)
    whole = Functions.resample(audio, *Functions.new_resampler(*pair, quality, 2))
    stream = Functions.new_resampler(*pair, quality, 2)
    cut = torch.cat([Functions.resample(block, *stream) for block in audio.split(blocks, dim=1)], dim=1)
    assert whole.size(1) == audio.size(1) * pair[1] // pair[0]
    assert_near(cut, whole, LAST_BIT)


@given(
    pair=st.sampled_from([*PAIRS, (48000, 48000)]),
    counts=st.lists(st.integers(0, 300), min_size=1, max_size=10),
    first=st.integers(-1000, 1000),
    n_silent=st.integers(0, 300),
)
@settings(deadline=None, max_examples=60)
def test_so_many_frames_out_take_just_what_they_need(
    noise: Noise, pair: tuple[int, int], counts: list[int], first: int, n_silent: int
) -> None:
    stream = Functions.new_resampler(*pair, "low_latency", 1)
    whole = Functions.new_resampler(*pair, "low_latency", 1)
    first = max(first, -n_silent * int(stream[2][0]))
    for tensors in (stream, whole):
        Functions.resampler_start(first, n_silent, *tensors)
    parts_in, parts_out = [], []
    for seed, count in enumerate(counts):
        n_in = missing(count, stream[2])
        ready_before = ready_after(n_in - 1, stream[2]) if n_in > 0 else 0
        assert ready_before < max(1, count) <= max(1, ready_after(n_in, stream[2]))
        parts_in.append(noise(1, n_in, seed))
        parts_out.append(resample_exactly(parts_in[-1], count, *stream))
        assert parts_out[-1].shape == (1, count)
    audio, actual = torch.cat(parts_in, dim=1), torch.cat(parts_out, dim=1)
    n_ready = ready_after(audio.size(1), whole[2])
    expected = Functions.resample(audio, *whole)
    assert expected.size(1) == n_ready
    assert_near(actual, expected[:, : actual.size(1)], LAST_BIT)
    # What was ready and not asked for comes first of all that follows.
    more = noise(1, 50, seed=99)
    following = torch.cat([expected[:, actual.size(1) :], Functions.resample(more, *whole)], dim=1)
    assert_near(Functions.resample(more, *stream), following, LAST_BIT)


@pytest.mark.parametrize("quality", QUALITIES)
def test_equal_rates_are_a_wire(quality: str, noise: Noise) -> None:
    audio = noise(2, 500, seed=8)
    audio[0, 3], audio[1, 4], audio[0, 5] = torch.inf, torch.nan, 1e-40
    mine, theirs = both(48000, 48000, quality)
    for first, n_silent in [(0, 0), (7, 0), (-3, 5)]:
        Functions.resampler_start(first, n_silent, *mine)
        native.resampler_start(first, n_silent, *theirs)
        for block in audio.split([1, 4, 300, 195], dim=1):
            passed = Functions.resample(block, *mine)
            assert_near(passed, native.resample(block, *theirs), 0.0)
            assert passed.numel() == 0 or passed.data_ptr() != block.data_ptr()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (96000, 48000), (44100, 47999), (11025, 192000)])
def test_what_is_not_finite_spoils_what_it_spoils_in_the_operators(
    from_hz: int, to_hz: int, bad: float, noise: Noise
) -> None:
    audio = noise(2, 1500, seed=9)
    audio[0, 700] = bad
    mine, theirs = both(from_hz, to_hz, "standard")
    n_spoiled = 0
    for block in audio.split(100, dim=1):
        actual, expected = Functions.resample(block, *mine), native.resample(block, *theirs)
        assert torch.equal(actual.isfinite(), expected.isfinite())
        assert_near(actual.nan_to_num(0.0, 0.0, 0.0), expected.nan_to_num(0.0, 0.0, 0.0), NATIVE_SUMS)
        n_spoiled += int((~actual.isfinite()).sum())
    half_taps = int(mine[2][2])
    assert abs(n_spoiled - 2 * half_taps * to_hz / from_hz) <= 1 + to_hz / from_hz


def test_a_single_infinity_stays_one(noise: Noise) -> None:
    audio = noise(1, 800, seed=10)
    audio[0, 400] = torch.inf
    mine, theirs = both(44100, 48000, "standard", 1)
    assert_near(Functions.resample(audio, *mine), native.resample(audio, *theirs), NATIVE_SUMS)


def test_strided_audio_works(noise: Noise) -> None:
    audio = noise(2, 600, seed=11)
    stream, other = (Functions.new_resampler(44100, 48000, "standard", 2) for _ in range(2))
    assert torch.equal(Functions.resample(audio.T.contiguous().T, *stream), Functions.resample(audio, *other))


def test_a_start_forgets(noise: Noise) -> None:
    audio = noise(2, 600, seed=12)
    stream = Functions.new_resampler(44100, 48000, "standard", 2)
    fresh = Functions.resample(audio, *stream)
    assert not torch.equal(Functions.resample(audio, *stream), fresh)
    Functions.resampler_start(146, 0, *stream)
    assert torch.equal(Functions.resample(audio, *stream), fresh)


def test_a_stream_has_no_gradient(noise: Noise) -> None:
    audio = noise(2, 600, seed=13).requires_grad_()
    for pair in [(44100, 48000), (44100, 47999), (48000, 48000)]:
        stream = Functions.new_resampler(*pair, "standard", 2)
        assert not Functions.resample(audio, *stream).requires_grad
        assert not any(tensor.requires_grad for tensor in stream)


@pytest.mark.parametrize(
    "arguments",
    [
        (0, 48000, "standard", 2), (48000, -5, "standard", 2), (48000, 768001, "standard", 2),
        (768000, 100, "standard", 2), (48000, 44100, "best", 2), (48000, 48000, "best", 2), (48000, 44100, "high", 0),
    ],
)  # fmt: skip
def test_what_a_resampler_cannot_be_is_refused_in_the_operators_words(arguments: tuple[int, int, str, int]) -> None:
    with pytest.raises(RuntimeError) as expected:
        native.new_resampler(*arguments)
    with pytest.raises(torch.jit.Error) as actual:
        Functions.new_resampler(*arguments)
    assert message_of(actual) == message_of(expected)


@pytest.mark.parametrize(("first", "n_silent"), [(0, -1), (0, 1_000_000_001), (-321, 2), (1_000_000_000_000_001, 0)])
def test_a_start_that_makes_no_sense_is_refused_in_the_operators_words(first: int, n_silent: int, noise: Noise) -> None:
    mine, theirs = both(44100, 48000, "standard")
    Functions.resample(noise(2, 50, seed=0), *mine)
    before = [tensor.clone() for tensor in mine]
    with pytest.raises(RuntimeError) as expected:
        native.resampler_start(first, n_silent, *theirs)
    with pytest.raises(torch.jit.Error) as actual:
        Functions.resampler_start(first, n_silent, *mine)
    assert message_of(actual) == message_of(expected)
    assert all(torch.equal(*pair) for pair in zip(mine, before, strict=True))


@pytest.mark.parametrize(
    "audio",
    [
        torch.rand(5), torch.rand(1, 2, 5), torch.rand(2, 5, dtype=torch.float64), torch.zeros(2, 5).int(),
        torch.zeros(0, 5), torch.rand(1, 5), torch.rand(3, 5), torch.rand(2, 5).to_sparse(),
    ],
    ids=["1-D", "3-D", "float64", "int32", "no channel", "mono", "three channels", "sparse"],
)  # fmt: skip
def test_audio_of_the_wrong_kind_is_refused_by_its_name(audio: Tensor) -> None:
    mine, theirs = both(44100, 48000, "standard")
    before = [tensor.clone() for tensor in mine]
    with pytest.raises(torch.jit.Error) as actual:
        Functions.resample(audio, *mine)
    if not audio.is_sparse:  # those stop before the native operator
        with pytest.raises(RuntimeError) as expected:
            native.resample(audio, *theirs)
        assert complaint(message_of(actual)) == complaint(message_of(expected))
    assert all(torch.equal(*pair) for pair in zip(mine, before, strict=True))


def message_of(error: pytest.ExceptionInfo[Exception]) -> str:
    """Return what an error says, without where it happened."""
    found = re.findall(r"(?:new_resampler|resampler_start|resample): .*", str(error.value))
    return found[-1]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_tensors_of_another_resampler_are_refused(position: int) -> None:
    mine, theirs = both(44100, 48000, "standard")
    mixed = list(mine)
    mixed[position] = theirs[position]
    with pytest.raises(torch.jit.Error, match="table, history and state do not belong to each other"):
        Functions.resample(torch.zeros(2, 50), *mixed)


class Stream(nn.Module):
    t: Tensor
    h: Tensor
    s: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, tensor in zip("ths", portable.new_resampler(44100, 48000, "standard", 2), strict=True):
            self.register_buffer(name, tensor)

    def forward(self, x: Tensor) -> Tensor:
        return portable.resample(x, self.t, self.h, self.s)


def test_it_runs_where_this_package_was_never_imported(tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 1000, seed=3)
    torch.jit.script(Stream()).save(tmp_path / "stream.pt")
    torch.save(audio, tmp_path / "audio.pt")
    code = """
import sys, torch
torch.save(torch.jit.load("stream.pt")(torch.load("audio.pt")), "resampled.pt")
assert not any(name.startswith("neutone") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=tmp_path)  # noqa: S603
    expected = native.resample(audio, *native.new_resampler(44100, 48000, "standard", 2))
    assert_near(torch.load(tmp_path / "resampled.pt"), expected, NATIVE_SUMS)
