"""What plays models without Python: runs ``neutone-host`` and ``host_probe`` as they were built, and makes files."""

import io
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from .conftest import Result

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / os.environ.get("NEUTONE_HOST_BUILD", "build/host")  # another one: see sanitized_host.py
OPERATORS = FOLDER / "libneutone_ops.so"


def start(program: str, *arguments: object, stdin: str = "", **environment: str) -> Result:
    """Run it in an environment of its own: the torch of this process, and its variables, must not help."""
    executable = FOLDER / program
    if not executable.exists():
        pytest.fail(f"{executable} is not built; run: make host")
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    command = [str(executable), *map(str, arguments)]
    done = subprocess.run(command, env=clean | environment, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603
    return Result(done.returncode, done.stdout, done.stderr)


def neutone_host(*arguments: object, **environment: str) -> Result:
    """The command; a process that a signal has ended is never what a test wants."""
    result = start("neutone-host", *arguments, **environment)
    assert result.returncode >= 0, result
    return result


def probe(*arguments: object, stdin: str = "", **environment: str) -> list[str]:
    """The lines that ``tests/host/host_probe.cpp`` prints."""
    result = start("host_probe", *arguments, stdin=stdin, **environment)
    assert result.returncode == 0, result
    return result.stdout.splitlines()


def written(contents: Iterable[bytes], folder: Path) -> list[Path]:
    """Write a file of each."""
    files = []
    for index, content in enumerate(contents):
        files.append(folder / f"{index}.nm")
        files[-1].write_bytes(content)
    return files


class RawModel(nn.Module):
    """The least that a host takes for a wrapped model: without the checks of ours. Loud blocks are played as told."""

    n_blocks: Tensor

    def __init__(self, trick: str) -> None:
        super().__init__()
        self.trick = trick
        self.register_buffer("n_blocks", torch.zeros(1))

    def forward(self, x: Tensor, params: Tensor) -> Tensor | None:
        """Return the audio, or something else."""
        y = x + params[3:]  # no knob of the host's: always at its default, 0
        self.n_blocks.add_(1.0)
        if self.trick == "slow":  # in every block, many times as long as one lasts
            for _ in range(5_000):
                y = -y
        if self.trick == "tires" and bool(self.n_blocks > 5):
            raise ValueError("too long")
        if self.trick == "prints":
            print("a block of", x.size(1))  # noqa: T201
        if bool(x.max() < 0.4):
            return y
        if self.trick == "raises":
            raise ValueError("too loud")
        if self.trick == "none":
            return None
        if self.trick == "scribbles":
            x.fill_(9.0)
            params.fill_(9.0)
        return self.retyped(self.reshaped(self.telling(x, y)))

    def telling(self, x: Tensor, y: Tensor) -> Tensor:
        if self.trick in ("counts", "counts anew"):
            y = 0.0 * y + self.n_blocks
        if self.trick == "asks":
            y = 0.0 * y + (1.0 if y.is_inference() else 0.0)
        if self.trick == "multiplies":  # so much that torch would share it out
            y = y * torch.mm(x.repeat(256, 8), x.repeat(256, 8)).mean()
        return y

    def reshaped(self, y: Tensor) -> Tensor:
        if self.trick == "short":
            return y[:, 1:]
        if self.trick == "mono":
            return y[:1]
        if self.trick == "one dimension":
            return y[0]
        if self.trick == "index":
            return y[7]
        if self.trick == "transposed":
            return y.t().contiguous().t()
        return y

    def retyped(self, y: Tensor) -> Tensor:
        if self.trick == "float64":
            return y.to(torch.float64)
        if self.trick == "float16":
            return y.to(torch.float16)
        if self.trick == "meta":
            return torch.empty(y.shape, device=torch.device("meta"))
        if self.trick == "sparse":
            return y.to_sparse()
        if self.trick == "nan":
            return y * torch.nan
        return y

    @torch.jit.export
    def reset(self) -> bool:
        if self.trick == "counts anew":
            self.n_blocks.zero_()
        return True

    @torch.jit.export
    def set_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        if self.trick == "refuses":
            raise ValueError("not at " + str(sample_rate) + " Hz")
        return True

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return -1 if self.trick == "negative delay" else 0

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return False

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [0] if self.trick == "no rate" else []

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return [64]


class SmallModel(RawModel):
    """Knows no tricks: torch gets it ready in 4 ms."""

    def __init__(self) -> None:
        super().__init__("")

    def forward(self, x: Tensor, params: Tensor) -> Tensor:
        """Return the audio."""
        return x.clone()


class RawScript(nn.Module):
    """What such a model lies in."""

    def __init__(self, w2w_base: nn.Module) -> None:
        super().__init__()
        self.w2w_base = w2w_base

    def forward(self, x: Tensor) -> Tensor:
        return x

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        return torch.zeros(4, 1)


class Clip(nn.Module):
    """What a model that renders whole clips lies in."""

    def __init__(self) -> None:
        super().__init__()
        self.nrb = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return x


class Integer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w2w_base = 5

    def forward(self, x: Tensor) -> Tensor:
        return x * self.w2w_base


def saved(module: nn.Module, metadata: dict[str, Any] | str = "{}") -> bytes:
    """Return a TorchScript file with metadata."""
    file = io.BytesIO()
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    torch.jit.save(torch.jit.script(module), file, _extra_files={"metadata.json": text})
    return file.getvalue()
