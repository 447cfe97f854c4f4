"""What operators refuse, by the name of the argument; and that nothing else happens then."""

import contextlib
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import EXAMPLES, audio, fir, ops, resampler, ring, sections, smoothing, sos, svf_with, taps

FRAMES_ARGUMENTS = {
    "ring_write": (0, "frames"),
    "ring_push": (0, "frames"),
    "ring_read": (0, "out"),
    "ring_peek": (0, "out"),
    "ring_newest": (0, "out"),
    "stream_write": (0, "audio"),
    "stream_write_resampled": (0, "audio"),
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
RING_POSITIONS = {
    "ring_write": 1,
    "ring_push": 2,
    "ring_read": 1,
    "ring_peek": 1,
    "ring_newest": 1,
    "ring_skip": 1,
    "ring_clear": 0,
    "ring_size": 0,
    "stream_write": 3,
    "stream_read": 0,
    "stream_pop": 0,
    "stream_write_resampled": 6,
    "stream_pop_resampled": 0,
}
RESAMPLER_POSITIONS = {"resampler_start": 2, "resample": 1, "stream_write_resampled": 3, "stream_pop_resampled": 2}

FIR_POSITIONS = {"fir": 1, "fir_set_taps": 2, "fir_reset": 0}


def read_with(
    audio: tuple[Tensor, Tensor] | None = None, params: tuple[Tensor, Tensor] | None = None, **changed: Any
) -> tuple[Any, ...]:
    """Return arguments of stream_read, but for what is changed."""
    numbers = {
        "ranges": torch.rand(3, 3), "n_frames": 5, "up": 3, "down": 4, "part": 2, "mean_params": False,
    } | changed  # fmt: skip
    return (*(audio or ring(2, 7)), *(params or ring(4, 8)), *numbers.values())


def smoother_state() -> Tensor:
    return torch.zeros(2, 4, dtype=torch.float64)


def biquad_state(n_sections: int = 2) -> Tensor:
    return torch.zeros(2, n_sections, 2, dtype=torch.float64)


def with_coefficient(column: int, value: float) -> Tensor:
    sos = sections()
    sos[1, column] = value
    return sos


def state_with(**changed: int) -> Tensor:
    """Return the state of a resampler from 44.1 to 48 kHz that has not heard anything, but for what is changed."""
    plan = {"up": 160, "down": 147, "half_taps": 42, "taps": 88, "rows": 160}
    words = plan | {"position": 16000, "filled": 87, "row": 0}
    return torch.tensor(list((words | changed).values()))


def fir_state_with(**changed: int) -> Tensor:
    """Return the state of a filter of 150 taps that has not heard anything, but for what is changed."""
    words = {"taps": 150, "block": 64, "filled": 128, "frame": 0, "newest": 0, "bank": 0, "faded": 0, "fade": 0}
    return torch.tensor(list((words | changed).values()))


def call_with(name: str, position: int, value: Any) -> Any:
    arguments = list(EXAMPLES[name]())
    arguments[position] = value
    return getattr(ops, name)(*arguments)


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


@pytest.mark.parametrize("name", RING_POSITIONS)
@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, torch.zeros(2, 7), "samples must have a power of two of columns"),
        (0, torch.zeros(0, 8), "samples must have at least one channel"),
        (0, torch.zeros(2, 8, dtype=torch.float64), "samples must be float32, got float64"),
        (0, torch.zeros(16, 8).T, "samples must be contiguous|samples must have a power"),
        (1, torch.zeros(15, dtype=torch.int64), r"cursors must be contiguous with shape \(16\), got shape \(15\)"),
        (1, torch.zeros(16), "cursors must be int64, got float32"),
    ],
    ids=[
        "capacity",
        "no channel",
        "float64",
        "strided",
        "short cursors",
        "float cursors",
    ],
)
def test_a_ring_of_the_wrong_kind_is_refused_by_name(name: str, offset: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: (?:{message})"):
        call_with(name, RING_POSITIONS[name] + offset, value)


@pytest.mark.parametrize("name", [name for name in RING_POSITIONS if name != "ring_size"])
def test_counters_that_no_ring_can_have_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: cursors hold counters that no ring of 8 frames can have"):
        call_with(name, RING_POSITIONS[name] + 1, 100 * torch.arange(16).flip(0).remainder(7))


@pytest.mark.parametrize("name", ["ring_read", "ring_peek", "ring_newest", "ring_write", "ring_push"])
def test_a_ring_is_not_copied_into_itself(name: str) -> None:
    samples, cursors = ring(2, 4)
    count = (4,) if name == "ring_push" else ()
    with pytest.raises(RuntimeError, match=f"{name}: .* lies in the memory of samples"):
        getattr(ops, name)(samples[:, 1:4], *count, samples, cursors)


@pytest.mark.parametrize(("argument", "ring_argument"), [("audio", "samples"), ("params", "param_samples")])
def test_a_stream_is_not_fed_from_its_own_memory(argument: str, ring_argument: str) -> None:
    rings = {"audio": ring(2, 2), "params": ring(4, 2)}
    arguments = {"audio": audio(2), "params": audio(4)} | {argument: rings[argument][0][:, :5]}
    with pytest.raises(RuntimeError, match=f"stream_write: {argument} lies in the memory of {ring_argument}"):
        ops.stream_write(arguments["audio"], arguments["params"], 0, *rings["audio"], *rings["params"])


@pytest.mark.parametrize("name", ["stream_write", "stream_write_resampled"])
def test_of_a_block_that_does_not_fit_nothing_is_queued(name: str) -> None:
    for full in (ring(2, 7), ring(4)), (ring(2), ring(4, 7)):
        before = [cursors.clone() for _, cursors in full]
        filter_ = resampler(2) if name == "stream_write_resampled" else ()
        with pytest.raises(RuntimeError, match="its ring has room for 1"):
            getattr(ops, name)(audio(2), audio(4), 0, *filter_, *full[0], *full[1])
        # Each side may look at the other's counter; what counts is what was written and read.
        assert [cursors[[0, 8]].tolist() for _, cursors in full] == [cursors[[0, 8]].tolist() for cursors in before]


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, torch.zeros(4, 7), "param_samples must have a power of two of columns"),
        (0, torch.zeros(4, 8, dtype=torch.float64), "param_samples must be float32, got float64"),
        (1, torch.zeros(15, dtype=torch.int64), r"param_cursors must be contiguous with shape \(16\)"),
        (1, 100 * torch.arange(16).flip(0).remainder(7), "param_cursors hold counters that no ring of 8 frames"),
    ],
)
@pytest.mark.parametrize(("name", "first"), [("stream_write", 5), ("stream_write_resampled", 8), ("stream_read", 2)])
def test_the_ring_of_params_is_refused_by_its_own_name(
    name: str, first: int, position: int, value: Tensor, message: str
) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: {message}"):
        call_with(name, first + position, value)


def test_memory_that_starts_at_an_odd_address_is_refused_by_name() -> None:
    samples, cursors = ring(2)
    memory = bytearray(200)
    odd_frames = torch.frombuffer(memory, dtype=torch.float32, offset=1, count=10).view(2, 5)
    odd_cursors = torch.frombuffer(memory, dtype=torch.int64, offset=1, count=16)
    with pytest.raises(RuntimeError, match="ring_write: frames must start at a multiple of 4 bytes"):
        ops.ring_write(odd_frames, samples, cursors)
    with pytest.raises(RuntimeError, match="ring_write: cursors must start at a multiple of 8 bytes"):
        ops.ring_write(audio(), samples, odd_cursors)


@pytest.mark.parametrize("name", RESAMPLER_POSITIONS)
@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, torch.zeros(160, 88, dtype=torch.int64), "table must be float32, got int64"),
        (0, torch.zeros(160), r"table must have 2 dimensions"),
        (0, torch.zeros(88, 160).T, "table must be contiguous"),
        (0, torch.zeros(160, 96), "state does not belong to a table of 160 by 96"),
        (1, torch.zeros(2, 600, dtype=torch.float64), "history must be float32, got float64"),
        (1, torch.zeros(2, 91), "history must have at least 92 frames, got 91"),
        (1, torch.zeros(0, 600), "history must have at least one channel"),
        (2, torch.zeros(7, dtype=torch.int64), r"state must have shape \(8\), got \(7\)"),
        (2, torch.zeros(8, dtype=torch.int64), "state does not belong to a table of 160 by 88"),
        (2, state_with(position=0), "state holds numbers that no resampler can have"),
        (2, state_with(position=83 * 160 - 1, row=113), "state holds numbers that no resampler can have"),
        (2, state_with(position=2**62), "state holds numbers that no resampler can have"),
        (2, state_with(filled=609), "state holds numbers that no resampler can have"),
        (2, state_with(filled=-1), "state holds numbers that no resampler can have"),
        (2, state_with(row=1), "state holds numbers that no resampler can have"),
        (2, state_with(row=160), "state holds numbers that no resampler can have"),
        (2, state_with(row=-160), "state holds numbers that no resampler can have"),
        (2, state_with(up=-160), "state does not belong"),
        (2, state_with(half_taps=45), "state does not belong"),
        (2, state_with(half_taps=-(2**63) + 42), "state does not belong"),
        (2, state_with(down=160), "state does not belong"),
    ],
)
def test_a_resampler_of_the_wrong_kind_is_refused_by_name(name: str, offset: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: (?:{message})"):
        call_with(name, RESAMPLER_POSITIONS[name] + offset, value)


@pytest.mark.parametrize("name", FIR_POSITIONS)
@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, torch.zeros(1008, dtype=torch.float64), "table must be float32, got float64"),
        (0, torch.zeros(2, 504), "table must have 1 dimensions"),
        (0, torch.zeros(1000), r"table must have shape \(\d+\) for the 150 taps of state, got \(1000\)"),
        (0, torch.zeros(2016)[::2], "table must be contiguous"),
        (1, torch.zeros(2, 600), r"history must have \d+ columns for the 150 taps of state, got 600"),
        (1, torch.zeros(0, 600), "history must have at least one channel"),
        (1, torch.zeros(2, 600, dtype=torch.float64), "history must be float32, got float64"),
        (1, torch.zeros(600, 2).T, "history must be contiguous"),
        (2, torch.zeros(7, dtype=torch.int64), r"state must have shape \(8\), got \(7\)"),
        (2, torch.zeros(8), "state must be int64, got float32"),
        (2, fir_state_with(taps=151, block=0), r"table must have shape \(320\) for the 151 taps of state"),
        (2, fir_state_with(taps=0, block=0), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(taps=2**62), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=-64), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=96), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=32), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(block=256), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(filled=127), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(filled=641), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(frame=64), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(frame=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(newest=2), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(newest=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(bank=2), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(bank=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(faded=1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(faded=-1), "state holds numbers that no FIR filter can have"),
        (2, fir_state_with(fade=2**62), "state holds numbers that no FIR filter can have"),
    ],
)
def test_a_fir_filter_of_the_wrong_kind_is_refused_by_name(name: str, offset: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: (?:{message})"):
        call_with(name, FIR_POSITIONS[name] + offset, value)


def test_a_fir_filter_shares_no_memory_with_what_it_takes() -> None:
    table, history, state = fir(2)
    with pytest.raises(RuntimeError, match="fir: audio lies in the memory of history"):
        ops.fir(history[:, :50], table, history, state)
    inside = history.view(torch.int64)[0, :8].copy_(state)
    with pytest.raises(RuntimeError, match="fir: state lies in the memory of history"):
        ops.fir(audio(), table, history, inside)
    with pytest.raises(RuntimeError, match="fir_set_taps: taps lies in the memory of table"):
        ops.fir_set_taps(table.view(torch.float64)[:150].zero_(), 0, table, history, state)


@pytest.mark.parametrize("seed", range(40))
def test_mad_numbers_in_a_fir_filter_reach_nothing_outside_it(seed: int) -> None:
    # Beside zeros that must stay zeros.
    generator = torch.Generator().manual_seed(seed)
    tensors = fir(2, 1000)
    framed = [torch.zeros(tensor.numel() + 128, dtype=tensor.dtype) for tensor in tensors]
    table, history, state = (
        frame[64:-64].view(tensor.shape).copy_(tensor) for frame, tensor in zip(framed, tensors, strict=True)
    )
    table.view(torch.int32).random_(generator=generator)
    history.view(torch.int32).random_(generator=generator)
    word = seed % 8
    state[word] = torch.randint(-3, 2000, (), generator=generator)
    with contextlib.suppress(RuntimeError):  # refused, or noise
        ops.fir(audio(2, 3000), table, history, state)
        ops.fir_set_taps(taps(1000), 200, table, history, state)
        ops.fir(audio(2, 100), table, history, state)
    for frame in framed:
        assert (frame[:64] == 0).all()
        assert (frame[-64:] == 0).all()


def test_a_table_without_whole_groups_is_refused() -> None:
    # Rows are read by fours: the last group of five would reach past the end.
    state = torch.tensor([1, 2, 4, 16, 5, 20, 40, 4])
    with pytest.raises(RuntimeError, match="resample: state does not belong to a table of 5 by 16"):
        ops.resample(audio(), torch.zeros(5, 16), torch.zeros(2, 64), state)


@pytest.mark.parametrize("up", [5, 768_000])
def test_equal_rates_that_are_not_reduced_are_refused(up: int) -> None:
    state = torch.tensor([up, up, 1, 1, up, 4095 * up, 4096, 0])
    with pytest.raises(RuntimeError, match="resample: state does not belong to a table"):
        ops.resample(audio(), torch.ones(up, 1), torch.zeros(2, 4096), state)


def test_a_stream_is_not_resampled_at_equal_rates() -> None:
    table, history, state = ops.new_resampler(48000, 48000, "standard", 2)
    with pytest.raises(RuntimeError, match="stream_write_resampled: table is one for equal rates"):
        ops.stream_write_resampled(audio(1), audio(4), 0, table, history, state, *ring(2), *ring(4))


def test_a_resampler_is_not_fed_from_its_own_history() -> None:
    table, history, state = resampler(2)
    with pytest.raises(RuntimeError, match="resample: audio lies in the memory of history"):
        ops.resample(history[:, :50], table, history, state)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cutoff_hz": torch.ones(5)}, r"cutoff_hz must have 3 dimensions, got shape \(5\)"),
        ({"cutoff_hz": torch.ones(3, 5, 1)}, r"cutoff_hz must have shape \(1 or 2, 1 or 5, 1\), got \(3, 5, 1\)"),
        ({"cutoff_hz": torch.ones(2, 4, 1)}, r"cutoff_hz must have shape \(1 or 2, 1 or 5, 1\), got \(2, 4, 1\)"),
        ({"cutoff_hz": torch.ones(2, 5, 3)}, r"cutoff_hz must have shape \(1 or 2, 1 or 5, 1\), got \(2, 5, 3\)"),
        ({"cutoff_hz": torch.ones(0, 5, 1)}, r"cutoff_hz must have shape"),
        ({"resonance": torch.ones(2, 5, 1).double()}, "resonance must be float32, got float64"),
        ({"resonance": torch.ones(2, 5)}, "resonance must have 3 dimensions"),
        ({"mix": torch.ones(2, 5, 1)}, r"mix must have shape \(1 or 2, 1 or 5, 3\), got \(2, 5, 1\)"),
        ({"mix": torch.ones(2, 0, 3)}, r"mix must have shape"),
        ({"sample_rate_hz": 0.0}, r"sample_rate_hz must be in 1\.\.768000, got 0"),
        ({"sample_rate_hz": float("nan")}, r"sample_rate_hz must be in 1\.\.768000, got nan"),
        ({"state": torch.zeros(2, 7)}, "state must be float64, got float32"),
        ({"state": torch.zeros(7).double()}, "state must have 2 dimensions"),
        ({"state": torch.zeros(3, 7).double()}, r"state must have shape \(2, 7\), got \(3, 7\)"),
        ({"state": torch.zeros(2, 6).double()}, r"state must have shape \(2, 7\), got \(2, 6\)"),
        ({"state": torch.zeros(7, 2).double().T}, "state must be contiguous"),
    ],
)
def test_a_state_variable_filter_of_the_wrong_kind_is_refused_by_name(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"svf: {message}"):
        ops.svf(*svf_with(**changed))


def test_a_state_variable_filter_does_not_filter_its_own_state() -> None:
    state = torch.zeros(2, 7, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="svf: audio lies in the memory of state"):
        ops.svf(*svf_with(audio=state.view(torch.float32)[:, :5], state=state))
    with pytest.raises(RuntimeError, match="svf: mix lies in the memory of state"):
        ops.svf(*svf_with(mix=state.view(torch.float32)[:, None, 3:6], state=state))


N_OTHER_SIDE = {
    "ring_write": slice(8, 10),
    "stream_write": slice(8, 10),
    "stream_write_resampled": slice(8, 10),
}  # the consumer's counters; elsewhere the producer's


@pytest.mark.parametrize("name", RING_POSITIONS)
@pytest.mark.parametrize("seed", range(20))
def test_mad_counters_reach_nothing_outside_the_ring(name: str, seed: int) -> None:
    memory = torch.full((64 + 6 * 8 + 64,), 7.0)
    arguments = list(EXAMPLES[name]())
    samples, cursors = arguments[RING_POSITIONS[name] : RING_POSITIONS[name] + 2]
    n_channels = samples.shape[0]
    arguments[RING_POSITIONS[name]] = memory[64 : 64 + n_channels * 8].view(n_channels, 8).copy_(samples)
    # A side cannot tell what the other one's counters should be; its own are checked.
    limit = 9 if seed % 2 else 2**62
    generator = torch.Generator().manual_seed(seed)
    cursors[N_OTHER_SIDE.get(name, slice(0, 2))] = torch.randint(-limit, limit, (2,), generator=generator)
    with contextlib.suppress(RuntimeError):  # refused, or garbage from inside the ring; never beyond it
        getattr(ops, name)(*arguments)
    assert (memory[:64] == 7.0).all()
    assert (memory[64 + n_channels * 8 :] == 7.0).all()


WITHOUT_TENSORS = {"version", "new_resampler", "design_biquad", "design_iir", "fir_design", "new_fir"}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in WITHOUT_TENSORS])
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


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ring_write", (audio(3), *ring(2)), "frames must have the ring's 2 channels, got 3"),
        ("ring_write", (audio(2, 9), *ring(2)), "frames brings 9, the ring has room for 8"),
        ("ring_write", (audio(2, 3), *ring(2, 6)), "frames brings 3, the ring has room for 2"),
        ("ring_push", (audio(), 9, *ring(2)), r"max_frames must be in 0\.\.8"),
        ("ring_push", (audio(), 5, *ring(2, 6)), r"max_frames must be in 6\.\.8"),
        ("ring_push", (audio(), -1, *ring(2)), "max_frames must be at least 0, got -1"),
        ("ring_read", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_peek", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_newest", (audio(), *ring(2, 4)), "out asks for 5 frames, the ring holds 4"),
        ("ring_read", (audio(3), *ring(2, 6)), "out must have the ring's 2 channels, got 3"),
        ("ring_read", (torch.zeros(2, 1).expand(2, 5), *ring(2, 6)), "out holds one element of memory twice"),
        ("ring_skip", (5, *ring(2, 4)), "n_frames asks for 5 frames, the ring holds 4"),
        ("ring_skip", (-1, *ring(2, 4)), "n_frames must be at least 0, got -1"),
        ("stream_write", (audio(3), audio(4), 0, *ring(2), *ring(4)), "audio has 3 channels, which cannot become 2"),
        ("new_resampler", (0, 48000, "standard", 2), r"from_hz must be in 1\.\.768000 Hz, got 0"),
        ("new_resampler", (48000, -1, "standard", 2), r"to_hz must be in 1\.\.768000 Hz, got -1"),
        ("new_resampler", (48000, 100, "standard", 2), "may differ by a factor of at most 256, got 48000 and 100"),
        ("new_resampler", (48000, 44100, "best", 2), "quality must be low_latency, standard or high, got best"),
        ("new_resampler", (48000, 44100, "standard", 0), "n_channels must be at least 1, got 0"),
        ("resampler_start", (-1, 0, *resampler(2)), r"first must be in 0\.\.1000000000000000, got -1"),
        ("resampler_start", (-481, 3, *resampler(2)), r"first must be in -480\.\.1000000000000000, got -481"),
        ("resampler_start", (2**62, 0, *resampler(2)), "first must be in"),
        ("resampler_start", (0, -1, *resampler(2)), "n_silent must be at least 0, got -1"),
        ("resampler_start", (0, 2**40, *resampler(2)), "n_silent must be at most 1000000000, got"),
        (
            "fir_design",
            ("comb", [100.0], 48000.0, 31),
            "kind must be lowpass, .* or bandstop, got comb",
        ),
        ("fir_design", ("lowpass", [24000.0], 48000.0, 31), "below half the sample rate, 24000 Hz, got 24000"),
        ("fir_design", ("lowpass", [0.0], 48000.0, 31), "cutoffs_hz must be above 0 and below .* got 0"),
        ("fir_design", ("lowpass", [-5.0], 48000.0, 31), "cutoffs_hz must be above 0 and below .* got -5"),
        ("fir_design", ("lowpass", [float("nan")], 48000.0, 31), "cutoffs_hz must be above 0 and below .* got nan"),
        ("fir_design", ("bandpass", [300.0, 200.0], 48000.0, 31), "cutoffs_hz must rise, .* got 300 and 200"),
        ("fir_design", ("bandstop", [300.0], 48000.0, 31), "cutoffs must be 2 for this kind, got 1"),
        ("fir_design", ("highpass", [], 48000.0, 31), "cutoffs must be 1 for this kind, got 0"),
        ("fir_design", ("lowpass", [100.0], 0.0, 31), "sample_rate_hz must be finite and above 0, got 0"),
        ("fir_design", ("lowpass", [100.0], float("inf"), 31), "sample_rate_hz must be finite and above 0, got inf"),
        ("fir_design", ("lowpass", [100.0], 48000.0, 32), r"n_taps must be odd and in 1\.\.1048575, .* got 32"),
        ("fir_design", ("lowpass", [100.0], 48000.0, -1), r"n_taps must be odd and in 1\.\.1048575, .* got -1"),
        ("new_fir", (taps(0), 2), r"a filter must have 1\.\.1048576 taps, got 0"),
        ("new_fir", (torch.zeros(2**20 + 1, dtype=torch.float64), 2), r"must have 1\.\.1048576 taps, got 1048577"),
        ("new_fir", (torch.tensor([1.0, float("nan")]).double(), 2), "taps must be finite in float32, got nan at 1"),
        ("new_fir", (torch.rand(31), 2), "taps must be float64, got float32"),
        ("new_fir", (taps(31), 0), "n_channels must be at least 1, got 0"),
        ("fir", (audio(3), *fir(2)), "audio must have the filter's 2 channels, got 3"),
        ("fir_set_taps", (taps(149), 5, *fir(2)), "taps must be the filter's 150, got 149"),
        ("fir_set_taps", (taps(), -5, *fir(2)), "n_fade_frames must be at least 0, got -5"),
        ("fir_set_taps", (taps(), 2**41, *fir(2)), "n_fade_frames must be at most 1000000000000, got"),
        ("resample", (audio(3), *resampler(2)), "audio must have the resampler's 2 channels, got 3"),
        (
            "stream_write_resampled",
            (audio(1, 9), audio(4, 9), 0, *resampler(2), *ring(2), *ring(4)),
            "audio brings 9 frames, its ring has room for 8",
        ),
        (
            "stream_write_resampled",
            (audio(1), audio(4), 0, *resampler(5), *ring(2), *ring(4)),
            "history must have the ring's 2 channels, got 5",
        ),
        (
            "stream_pop_resampled",
            (*ring(2, 4), *resampler(2), 5, 2),
            "n_frames asks for 5, the ring holds 4",
        ),
        ("stream_write", (audio(2, 9), audio(4, 9), 0, *ring(2), *ring(4)), "audio brings 9 frames"),
        ("stream_write", (audio(2, 5), audio(4, 5), 0, *ring(2), *ring(4, 4)), "params brings 5 frames"),
        ("stream_write", (audio(2, 5), audio(4, 5), 4, *ring(2), *ring(4)), "params brings 9 frames"),
        ("stream_write", (audio(2, 5), audio(4, 5), -1, *ring(2), *ring(4)), "n_before must be at least 0, got -1"),
        ("stream_write", (audio(), audio(4, 4), 0, *ring(2), *ring(4)), "params must have 1 column or the 5 of audio"),
        ("stream_write", (audio(), audio(3), 0, *ring(2), *ring(4)), "params must have the 4 rows of its ring, got 3"),
        ("stream_write", (audio(), torch.zeros(4), 0, *ring(2), *ring(4)), "params must have 2 dimensions"),
        ("stream_read", read_with(audio=ring(2, 4)), "n_frames asks for 5, the ring holds 4"),
        ("stream_read", read_with(params=ring(4, 4)), "n_frames takes 7 values of params, the ring holds 4"),
        ("stream_read", read_with(params=ring(4, 4), mean_params=True), "n_frames takes 7 values of params"),
        ("stream_read", read_with(ranges=torch.zeros(5, 3)), "ranges must have 3 columns and at most 4 rows, got 5 by"),
        ("stream_read", read_with(n_frames=0), "n_frames must be at least 1"),
        ("stream_read", read_with(n_frames=-4), "n_frames must be at least 0"),
        ("stream_read", read_with(up=0), r"up and down must be in 1\.\.768000, got 0 and 4"),
        ("stream_read", read_with(down=768_001), "up and down must be in"),
        ("stream_read", read_with(part=-1), r"part must be in 0\.\.6, got -1"),
        ("stream_read", read_with(part=7), r"part must be in 0\.\.6, got 7"),
        ("stream_pop", (*ring(2, 4), 5, 2), "n_frames asks for 5, the ring holds 4"),
        ("stream_pop", (*ring(2, 4), 4, 3), "cannot become 3"),
        ("stream_pop", (*ring(2, 4), 4, 0), "cannot become 0"),
        ("fit_channels", (audio(), 3, 0, 5), "cannot become 3"),
        ("fit_channels", (audio(), 2, 3, 3), "reach past the 5 frames"),
        ("fit_channels", (audio(), 2, -1, 3), "first must be at least 0"),
        (
            "ring_read",
            (torch.zeros(10).as_strided((2, 5), (1, 1)), *ring(2, 6)),
            "out holds one element of memory twice",
        ),
        ("biquad", (audio(), sections().float(), biquad_state()), "sos must be float64, got float32"),
        ("biquad", (audio(), sections()[:, :5].clone(), biquad_state()), r"sos must have 6 columns, got 5"),
        ("biquad", (audio(), sections().T.contiguous().T, biquad_state()), "sos must be contiguous"),
        ("biquad", (audio(), sections().repeat(33, 1), biquad_state(66)), "sos must have at most 64 rows, got 66"),
        ("biquad", (audio(), with_coefficient(3, 0.0), biquad_state()), "row 1 of sos has a0 = 0"),
        ("biquad", (audio(), with_coefficient(5, 2.0), biquad_state()), "row 1 of sos is unstable"),
        ("biquad", (audio(), with_coefficient(4, -3.0), biquad_state()), "row 1 of sos is unstable"),
        ("biquad", (audio(), with_coefficient(0, float("nan")), biquad_state()), "row 1 of sos is not finite"),
        ("biquad", (audio(), sections(), biquad_state(3)), r"state must have shape \(2, 2, 2\), got \(2, 3, 2\)"),
        ("biquad", (audio(3), sections(), biquad_state()), r"state must have shape \(3, 2, 2\)"),
        ("biquad", (audio(), sections(), biquad_state().float()), "state must be float64"),
        ("biquad", (audio(), sections(), torch.zeros(2, 4)), "state must have 3 dimensions"),
        ("aggregate_params", (torch.zeros(4, 0), "last"), "params must have at least one frame"),
        ("aggregate_params", (audio(4), "median"), "how must be mean, last, min or max, got median"),
        ("clean_params", (torch.zeros(4, 0), 0, torch.zeros(4)), "params must have at least one frame"),
        ("clean_params", (audio(4), 6, torch.zeros(4)), "params must have 1 column or the 6 of n_frames, got 5"),
        ("clean_params", (audio(4), 5, torch.zeros(3)), "last must have a value for each of the 4 rows of params, got"),
        ("clean_params", (audio(4), 5, torch.zeros(4, 1)), "last must have 1 dimensions"),
        (
            "denormalize_mean_params",
            (torch.zeros(4, 0), torch.zeros(3, 3), torch.zeros(4)),
            "params must have at least one frame",
        ),
        (
            "denormalize_mean_params",
            (audio(2), torch.zeros(3, 3), torch.zeros(2)),
            "params must have a row for each of the 3 ranges",
        ),
        ("denormalize_mean_params", (audio(4), torch.zeros(3, 3), torch.zeros(3)), "last must have a value for each"),
        ("smooth_params", (audio(2), smoothing(), 5, smoother_state()), "values must have 1 column, got 5"),
        ("smooth_params", (audio(3, 1), smoothing(), 5, smoother_state()), r"smoothing must have shape \(3, 2\)"),
        ("smooth_params", (audio(2, 1), smoothing(), 5, smoother_state()[:1]), r"state must have shape \(2, 4\)"),
        ("smooth_params", (audio(2, 1), smoothing(), 0, smoother_state()), "n_frames must be at least 1"),
        ("smooth_params", (audio(2, 1), smoothing() + 2, 5, smoother_state()), "must have 1 or 2 in its first column"),
        ("smooth_params", (audio(2, 1), -smoothing().flip(1), 5, smoother_state()), "must have 1 or 2 in its first"),
        ("smooth_params", (audio(2, 1), smoothing() * torch.tensor([1, -1]), 5, smoother_state()), "a time of 0 to"),
        ("denormalize_params", (audio(2), torch.zeros(3, 3)), "params must have a row for each of the 3 ranges"),
        ("denormalize_params", (audio(4), torch.zeros(3, 2)), "ranges must be contiguous with 3 columns"),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)


BIQUAD = {"kind": "peak", "cutoff_hz": 1000.0, "q": 1.0, "gain_db": 0.0, "sample_rate_hz": 48000.0}
IIR = {
    "family": "chebyshev1", "kind": "lowpass", "order": 4, "cutoffs_hz": [1000.0], "ripple_db": 1.0,
    "sample_rate_hz": 48000.0,
}  # fmt: skip


@pytest.mark.parametrize("bad_hz", [0.0, -1.0, 24000.0, 1e9, float("nan"), float("inf")])
def test_cutoffs_that_make_no_sense_are_refused_in_hz(bad_hz: float) -> None:
    message = r"must be above 0 and below 24000 Hz, half of sample_rate_hz, got (?:0|-1|24000|1e\+09|nan|inf)$"
    with pytest.raises(RuntimeError, match=rf"(?m)design_biquad: cutoff_hz {message}"):
        ops.design_biquad(**BIQUAD | {"cutoff_hz": bad_hz})
    for kind, cutoffs_hz in ("lowpass", [bad_hz]), ("bandpass", [bad_hz, 1000.0]), ("bandstop", [1000.0, bad_hz]):
        with pytest.raises(RuntimeError, match=rf"(?m)design_iir: cutoffs_hz {message}"):
            ops.design_iir(**IIR | {"kind": kind, "cutoffs_hz": cutoffs_hz})


@pytest.mark.parametrize("bad_hz", [0.0, -48000.0, float("nan"), float("inf")])
def test_rates_that_make_no_sense_are_refused(bad_hz: float) -> None:
    message = "sample_rate_hz must be above 0 and finite, got"
    with pytest.raises(RuntimeError, match=f"design_biquad: {message}"):
        ops.design_biquad(**BIQUAD | {"sample_rate_hz": bad_hz})
    with pytest.raises(RuntimeError, match=f"design_iir: {message}"):
        ops.design_iir(**IIR | {"sample_rate_hz": bad_hz})
    with pytest.raises(RuntimeError, match=f"sos_response: {message}"):
        ops.sos_response(sos(), torch.zeros(1, dtype=torch.float64), bad_hz)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"kind": "best"},
            "kind must be one of lowpass, highpass, bandpass, notch, peak, lowshelf, highshelf, allpass",
        ),
        ({"kind": ""}, "kind must be one of .*, got $"),
        ({"q": 0.0}, "q must be above 0 and finite, got 0"),
        ({"q": -2.0}, "q must be above 0 and finite, got -2"),
        ({"q": float("nan")}, "q must be above 0 and finite, got nan"),
        ({"q": float("inf")}, "q must be above 0 and finite, got inf"),
        ({"q": 1e300}, "has poles that float64 cannot tell from the unit circle"),
        ({"q": 1e-300}, "has poles that float64 cannot tell from the unit circle"),
        ({"cutoff_hz": 1e-300}, "has poles that float64 cannot tell from the unit circle"),
        ({"gain_db": 201.0}, r"gain_db must be in -200\.\.200, got 201"),
        ({"gain_db": float("nan")}, r"gain_db must be in -200\.\.200, got nan"),
    ],
)
def test_biquads_that_make_no_sense_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"(?m)design_biquad: .*{message}"):
        ops.design_biquad(**BIQUAD | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"family": "bessel"}, "family must be one of butterworth, linkwitz_riley, chebyshev1, chebyshev2, got bessel"),
        ({"kind": "notch"}, "kind must be one of lowpass, highpass, bandpass, bandstop, got notch"),
        ({"order": 0}, r"order must be in 1\.\.16, got 0"),
        ({"order": 17}, r"order must be in 1\.\.16, got 17"),
        ({"order": 2**32 + 4}, r"order must be in 1\.\.16, got 4294967300"),
        ({"family": "linkwitz_riley", "order": 3}, r"order must be even and in 2\.\.16, got 3"),
        (
            {"family": "linkwitz_riley", "kind": "bandpass", "cutoffs_hz": [1.0, 2.0]},
            "band must be lowpass or highpass",
        ),
        ({"cutoffs_hz": []}, "cutoffs_hz must hold one frequency for lowpass and highpass, got 0"),
        ({"cutoffs_hz": [1.0, 2.0]}, "cutoffs_hz must hold one frequency for lowpass and highpass, got 2"),
        ({"kind": "bandpass"}, "cutoffs_hz must hold two frequencies for bandpass and bandstop, got 1"),
        (
            {"kind": "bandstop", "cutoffs_hz": [2000.0, 1000.0]},
            "cutoffs_hz must hold the lower frequency first, got 2000 and 1000",
        ),
        ({"kind": "bandpass", "cutoffs_hz": [1000.0, 1000.0]}, "cutoffs_hz must hold the lower frequency first"),
        ({"ripple_db": 0.0}, "ripple_db must be above 0 and at most 300 dB, got 0"),
        ({"family": "chebyshev2", "ripple_db": -1.0}, "ripple_db must be above 0 and at most 300 dB, got -1"),
        ({"ripple_db": float("nan")}, "ripple_db must be above 0 and at most 300 dB, got nan"),
        ({"cutoffs_hz": [1e-9]}, "has poles that float64 cannot tell from the unit circle"),
    ],
)
def test_filters_that_make_no_sense_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"(?m)design_iir: .*{message}"):
        ops.design_iir(**IIR | changed)


def with_a0(a0: float) -> Tensor:
    changed = sos()
    changed[1, 3] = a0
    return changed


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, torch.zeros(6, dtype=torch.float64), r"sos must have 2 dimensions, got shape \(6\)"),
        (0, torch.zeros(1, 5, dtype=torch.float64), "sos must have 6 columns, b0 b1 b2 a0 a1 a2, got 5"),
        (0, torch.zeros(1, 6), "sos must be float64, got float32"),
        (0, torch.zeros(6, 6, dtype=torch.float64).T[:, ::2].T, "sos must be contiguous"),
        (0, with_a0(0.0), "sos must have an a0 that is finite and not 0, got 0 in row 1"),
        (0, with_a0(float("nan")), "sos must have an a0 that is finite and not 0, got nan in row 1"),
        (1, torch.zeros(3), "frequencies_hz must be float64, got float32"),
        (1, torch.zeros(3, 1, dtype=torch.float64), r"frequencies_hz must have 1 dimensions, got shape \(3, 1\)"),
        (1, torch.zeros(6, dtype=torch.float64)[::2], "frequencies_hz must be contiguous"),
        (1, torch.tensor([0.0, -1.0]).double(), r"frequencies_hz must be in 0\.\.24000 Hz, half of .*, got -1"),
        (1, torch.tensor([24001.0]).double(), r"frequencies_hz must be in 0\.\.24000 Hz, half of .*, got 24001"),
        (1, torch.tensor([torch.nan]).double(), r"frequencies_hz must be in 0\.\.24000 Hz, half of .*, got nan"),
    ],
)
def test_responses_that_make_no_sense_are_refused(position: int, value: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"sos_response: {message}"):
        call_with("sos_response", position, value)
