"""What torch writes is let through, whatever is in it."""

import io
from enum import Enum
from typing import Any, Final, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk.scripting import without_deprecation
from neutone_sdk.torchscript.judge import judge_archive


class Colour(Enum):
    RED = "r"
    BLUE = "blü"


class Pair(NamedTuple):
    first: int
    second: Tensor


@torch.jit.interface
class Effect(nn.Module):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[empty-body]
        pass


class Louder(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2.0 * x


def helper(x: Tensor, mode: str = "a'b\"\n#", scale: float = float("inf"), pair: tuple[int, int] = (1, 2)) -> Tensor:
    if mode == "none":
        msg = f"bad {scale}"
        raise ValueError(msg)
    return x * pair[0]


class Everything(nn.Module):
    """One of each that a pickle or code can hold."""

    effect: Effect
    factor: Final[int]

    def __init__(self) -> None:
        super().__init__()
        self.factor = 5
        self.effect = Louder()  # type: ignore[assignment]
        self.colour = Colour.BLUE
        self.pair = Pair(1, torch.zeros(2))
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])
        self.named = nn.ModuleDict({"a-b": nn.Linear(2, 2)})
        self.recurrent = nn.LSTM(2, 2)
        self.past = torch.jit.Attribute(None, Tensor | None)
        self.lists = torch.jit.Attribute({1: [torch.zeros(1)]}, dict[int, list[Tensor]])
        self.numbers = torch.jit.Attribute([1.0, float("inf")], list[float])
        self.mixed = (1, "a", 2.0, True, None, 1 + 2j, torch.device("cpu"))
        self.large = 2**60
        self.view: Tensor
        self.register_buffer("view", torch.arange(100.0).reshape(10, 10)[2:5, ::2])
        self.register_buffer("wide", torch.zeros(1).expand(1000))
        for dtype in (torch.float16, torch.bfloat16, torch.complex64, torch.int8, torch.bool, torch.float64):
            self.register_buffer(str(dtype).partition(".")[2] + "_values", torch.ones(3, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        y = helper(x, "q")
        for layer in self.layers:
            y = layer(y)
        for layer in self.named.values():
            y = layer(y)
        if self.colour == Colour.BLUE:
            y = y * self.factor
        with torch.no_grad():
            z = [index for index in range(3)]  # noqa: C416  # TorchScript writes it as a loop
        y = self.effect(y) + float(len(z)) + self.pair[1]
        y = torch.jit.wait(torch.jit.fork(helper, y))
        print("played", f"{y.shape}")  # noqa: T201
        return y.masked_fill(y > 0, -float("inf"))


def saved(script: Any) -> bytes:
    file = io.BytesIO()
    with without_deprecation():
        torch.jit.save(script, file)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("made", ["scripted", "frozen", "optimized", "traced", "quantized", "in a newer format"])
def test_what_torch_writes_is_let_through(made: str) -> None:
    with without_deprecation():
        model: Any = torch.jit.script(Everything().eval())
        if made in ("frozen", "optimized"):
            model = torch.jit.freeze(model)
        if made == "optimized":
            model = torch.jit.optimize_for_inference(model)
        if made == "traced":
            model = torch.jit.trace(nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2)), torch.zeros(3, 1, 2))
        if made == "quantized":
            layers = nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2))
            model = torch.jit.script(torch.ao.quantization.quantize_dynamic(layers, dtype=torch.qint8))
        if made == "in a newer format":  # its version lies elsewhere
            model = torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.GELU()))
        content = saved(model)
        assert (b"/.data/version" in content) == (made == "in a newer format")
        assert isinstance(judge_archive(content), set)
        reloaded: Any = torch.jit.load(io.BytesIO(content))

        torch.testing.assert_close(reloaded(torch.ones(3, 1, 2)), model(torch.ones(3, 1, 2)))
