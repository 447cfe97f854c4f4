"""Each operator: its schema, its fake kernel, what it computes; and the library that holds them."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

import neutone_sdk
from neutone_sdk._library import ops_library_path
from neutone_sdk.streaming.queue import new_ring

from .operator_examples import EXAMPLES, audio, ops


def test_every_operator_has_an_example() -> None:
    registered = {name for name in torch._C._dispatch_get_all_op_names() if name.startswith("neutone::")}
    assert registered == {f"neutone::{name}" for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_opcheck(name: str) -> None:
    # The harness cannot compare the strings that `version` returns, so it is not traced.
    checks: tuple[str, ...] = ("test_schema", "test_autograd_registration", "test_faketensor")
    if name != "version":
        checks += ("test_aot_dispatch_dynamic",)
    results = torch.library.opcheck(getattr(ops, name).default, EXAMPLES[name](), test_utils=checks)
    assert set(results.values()) == {"SUCCESS"}


def test_version() -> None:
    assert ops.version() == neutone_sdk.__version__


def test_the_library_needs_no_cpp_symbol_of_torch() -> None:
    command = ["nm", "-D", "--undefined-only", "-C", str(ops_library_path())]
    symbols = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603
    assert any("aoti_torch" in symbol for symbol in symbols)  # the list is what it should be: C functions of torch
    assert [symbol for symbol in symbols if any(space in symbol for space in ("at::", "c10::", "torch::"))] == []


def test_the_library_needs_no_python() -> None:
    command = ["nm", "-D", "--undefined-only", str(ops_library_path())]
    symbols = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    assert " Py" not in symbols
    assert " _Py" not in symbols


@torch.jit.script
def produce(n_frames: int, chunk: int, samples: Tensor, cursors: Tensor) -> int:
    done, tries = 0, 0
    while done < n_frames and tries < 200_000_000:  # should the other side die, this one must end
        tries += 1
        if int(torch.ops.neutone.ring_size(samples, cursors)) + chunk <= samples.size(1):
            numbers = torch.arange(done, done + chunk, dtype=torch.float32)
            torch.ops.neutone.ring_write(torch.stack([numbers, -numbers]), samples, cursors)
            done += chunk
    return done


@torch.jit.script
def consume(n_frames: int, chunk: int, samples: Tensor, cursors: Tensor) -> int:
    """Returns the number of wrong samples."""
    done, wrong, tries = 0, 0, 0
    out = torch.empty(2, chunk)
    while done < n_frames and tries < 200_000_000:
        tries += 1
        if int(torch.ops.neutone.ring_size(samples, cursors)) >= chunk:
            torch.ops.neutone.ring_read(out, samples, cursors)
            numbers = torch.arange(done, done + chunk, dtype=torch.float32)
            wrong += int((out != torch.stack([numbers, -numbers])).sum())
            done += chunk
    return wrong if done == n_frames else -1


@torch.jit.script
def wait_for_frames(samples: Tensor, cursors: Tensor) -> int:
    """Returns how many came; 0 if none did in a long while."""
    tries = 0
    n = int(torch.ops.neutone.ring_size(samples, cursors))
    while n == 0 and tries < 20_000_000:
        tries += 1
        n = int(torch.ops.neutone.ring_size(samples, cursors))
    return n


def test_who_only_asks_for_the_size_sees_what_another_thread_writes() -> None:
    samples, cursors = new_ring(2, 8)
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(wait_for_frames, samples, cursors)
        time.sleep(0.05)
        ops.ring_write(audio(), samples, cursors)
        assert seen.result(timeout=120) == 5


class Sizes(nn.Module):
    """Asks a ring of its own for its size."""

    def __init__(self) -> None:
        super().__init__()
        self.samples, self.cursors = new_ring(2, 8)

    def forward(self, frames: Tensor) -> int:
        torch.ops.neutone.ring_write(frames, self.samples, self.cursors)
        return int(torch.ops.neutone.ring_size(self.samples, self.cursors))

    @torch.jit.export
    def size(self) -> int:
        return int(torch.ops.neutone.ring_size(self.samples, self.cursors))


def test_a_frozen_module_does_not_take_the_size_for_a_constant() -> None:
    script = torch.jit.script(Sizes().eval())
    frozen = torch.jit.freeze(script, preserved_attrs=["size"])
    frozen(audio())
    assert frozen.size() == 5


def test_two_threads_share_a_ring() -> None:
    samples, cursors = new_ring(2, 64)
    n_frames = 5 * 7 * 3_000
    with ThreadPoolExecutor(2) as pool:
        written = pool.submit(produce, n_frames, 7, samples, cursors)
        wrong = pool.submit(consume, n_frames, 5, samples, cursors)
        assert (written.result(timeout=600), wrong.result(timeout=600)) == (n_frames, 0)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_fit_channels(n_channels: int) -> None:
    x = audio(2)
    mono, stereo = 0.5 * (x[:1] + x[1:]), x
    torch.testing.assert_close(ops.fit_channels(x, n_channels, 0, 5), (mono, stereo)[n_channels - 1], rtol=0, atol=0)
    torch.testing.assert_close(ops.fit_channels(x[:1], 2, 1, 3), x[:1, 1:4].expand(2, -1), rtol=0, atol=0)


@pytest.mark.parametrize("n_frames", [1, 7, 8, 9, 2048])
def test_the_mean_of_params_is_that_in_double(n_frames: int) -> None:
    params = torch.rand(4, n_frames, generator=torch.Generator().manual_seed(0))
    expected = params.double().mean(dim=1, keepdim=True).float()
    mean = ops.aggregate_params(params, "mean")
    # The order of a sum in double changes it by far less than half a float32 step, rarely across a rounding edge.
    torch.testing.assert_close(mean, expected, rtol=2**-23, atol=0)
    torch.testing.assert_close(ops.aggregate_params(params.T.contiguous().T, "mean"), mean, rtol=0, atol=0)


@pytest.mark.parametrize("n_frames", [1, 2, 9, 300])
def test_one_value_stands_for_a_curve(n_frames: int) -> None:
    params = torch.randn(4, n_frames, generator=torch.Generator().manual_seed(0))
    for strided in (params, params.T.contiguous().T):
        assert ops.aggregate_params(strided, "last").tolist() == params[:, -1:].tolist()
        assert ops.aggregate_params(strided, "min").tolist() == params.min(dim=1, keepdim=True).values.tolist()
        assert ops.aggregate_params(strided, "max").tolist() == params.max(dim=1, keepdim=True).values.tolist()


def test_params_are_clamped_and_gaps_hold_the_value_before() -> None:
    nan, infinity = float("nan"), float("inf")
    params = torch.tensor([[nan, 0.5, nan, 2.0], [-1.0, infinity, -infinity, nan], [nan, nan, nan, nan]])
    last = torch.tensor([0.25, 0.5, 0.75])
    cleaned = ops.clean_params(params, 4, last)
    expected = [[0.25, 0.5, 0.5, 1.0], [0.0, 1.0, 0.0, 0.0], [0.75, 0.75, 0.75, 0.75]]
    assert cleaned.tolist() == expected
    assert last.tolist() == [1.0, 0.0, 0.75]
    assert ops.clean_params(torch.full((3, 1), nan), 2, last).tolist() == [[1.0, 1.0], [0.0, 0.0], [0.75, 0.75]]
    last = torch.tensor([0.25, 0.5, 0.75])
    means = ops.denormalize_mean_params(params, torch.tensor([[0.0, 1.0, 0.0]]).expand(3, 3).contiguous(), last)
    assert means.tolist() == [[0.5625], [0.25], [0.75]]
    assert last.tolist() == [1.0, 0.0, 0.75]


def test_denormalize_params_maps_and_rounds() -> None:
    params = torch.tensor([[0.0, 0.5, 1.0], [0.0, 0.26, 1.0], [0.1, 0.2, 0.3], [0.0, 0.0, 0.0]])
    ranges = torch.tensor([[-1.0, 3.0, 0.0], [0.0, 4.0, 1.0], [0.0, 1.0, 0.0]])
    continuous, categorical, plain = ops.denormalize_params(params, ranges)
    assert continuous.tolist() == [-1.0, 1.0, 3.0]
    assert categorical.tolist() == [0.0, 1.0, 4.0]
    torch.testing.assert_close(plain, params[2], rtol=0, atol=0)


def test_denormalize_mean_params_is_both_in_one() -> None:
    params, ranges = audio(4, 7), torch.tensor([[-1.0, 3.0, 0.0], [0.0, 4.0, 1.0], [0.0, 1.0, 0.0]])
    expected = torch.stack(ops.denormalize_params(ops.aggregate_params(params, "mean"), ranges))
    actual = ops.denormalize_mean_params(params, ranges, torch.zeros(4))
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)
