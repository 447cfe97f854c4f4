"""Write the TorchScript files that benchmarks/native plays: python -m benchmarks.scripts [FOLDER]."""

import subprocess
import sys
import warnings
from pathlib import Path

import scipy.signal
import torch
from torch import Tensor, nn

from benchmarks.reference_sdk import REFERENCE, reference_python, run_worker
from benchmarks.sdk_scripts import FilterLoop, PassThrough
from neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, Resampler
from neutone_sdk.export import save_neutone_model
from neutone_sdk.filters import Biquads, FilterType, FIRFilter
from neutone_sdk.streaming.queue import new_ring

FOLDER = Path("build/bench/scripts")
SOS = scipy.signal.butter(8, 1000.0, fs=48_000, output="sos")


class RingLoop(nn.Module):
    """Write and read through the operators."""

    def __init__(self) -> None:
        super().__init__()
        samples, cursors = new_ring(2, 2048)
        self.register_buffer("samples", samples)
        self.register_buffer("cursors", cursors)

    def forward(self, n_calls: int) -> Tensor:
        """Pass blocks, and return the last."""
        audio, out = torch.rand(2, 512), torch.zeros(2, 512)
        for _ in range(n_calls):
            torch.ops.neutone.ring_write(audio, self.samples, self.cursors)
            torch.ops.neutone.ring_read(out, self.samples, self.cursors)
        return out


class CopyLoop(nn.Module):
    """Copy the same audio twice, with torch."""

    def forward(self, n_calls: int) -> Tensor:
        """Pass blocks, and return the last."""
        audio, between, out = torch.rand(2, 512), torch.zeros(2, 512), torch.zeros(2, 512)
        for _ in range(n_calls):
            between.copy_(audio)
            out.copy_(between)
        return out


class Svf(nn.Module):
    """The operator with one value of each control."""

    one: Tensor
    mix: Tensor
    state: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("one", torch.ones(1, 1, 1))
        self.register_buffer("mix", torch.rand(1, 1, 3))
        self.register_buffer("state", torch.zeros(2, 7, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Filter a block."""
        return torch.ops.neutone.svf(x, 1000.0 * self.one, self.one, self.mix, 48_000.0, self.state)


class Convolution(nn.Module):
    """What torch has for a FIR filter: it forgets the block before."""

    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("taps", torch.rand(1, 1, 257))

    def forward(self, x: Tensor) -> Tensor:
        """Filter a block."""
        return nn.functional.conv1d(nn.functional.pad(x[:, None], [256, 0]), self.taps)


class EmptyCall(nn.Module):
    """What a host calls like a wrapper, and that does nothing but return a fresh block: the least that a call takes."""

    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Return a copy."""
        return x.clone()

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(self, daw_sr: int, daw_bs: int) -> int:
        """Have no use for either."""
        return daw_sr + daw_bs


class WithKnobs(PassThrough):
    """A pass-through with fewer knobs."""

    def __init__(self, n_knobs: int) -> None:
        self.n_knobs = n_knobs
        super().__init__(nn.Identity())

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        """Return so many knobs."""
        return [ContinuousNeutoneParameter(name, "", 0.5) for name in "abcd"[: self.n_knobs]]


def write_operators(folder: Path) -> None:
    """Write a loop for each operator."""
    folder.mkdir(parents=True, exist_ok=True)
    loops: dict[str, nn.Module] = {
        "ring": RingLoop(),
        "copies": CopyLoop(),
        "biquads": FilterLoop(Biquads(SOS)),
        "svf": FilterLoop(Svf()),
        "fir": FilterLoop(FIRFilter(FilterType.LOWPASS, [1000.0])),
        "conv1d": FilterLoop(Convolution()),
        "resampler": FilterLoop(Resampler(44_100, 48_000)),
    }
    for name, loop in loops.items():
        torch.jit.script(loop).save(str(folder / f"{name}.pt"))


def write_models(folder: Path) -> None:
    """Write pass-throughs as users export them, and what is no model at all."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.script(EmptyCall()).save(str(folder / "empty call.pt"))
    for n_knobs in range(5):
        export(n_knobs, folder / f"{n_knobs} knobs", "native")
    export(4, folder / "portable", "portable")


def export(n_knobs: int, folder: Path, flavour: str) -> None:
    """Write one model.nm, unchecked."""
    save_neutone_model(
        WithKnobs(n_knobs), folder, flavour=flavour, max_n_samples=0, speed_benchmark=False, test_offline_mode=False
    )


def main() -> None:
    """Write all files; without the reference's if its environment cannot be made."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    warnings.simplefilter("ignore")
    write_operators(folder / "operators")
    write_models(folder / "neutone")
    run_worker(Path(sys.executable), "sdk_scripts.py", str(folder / "neutone"))
    try:
        run_worker(reference_python(), "sdk_scripts.py", str(folder / REFERENCE))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{REFERENCE} is missing: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
