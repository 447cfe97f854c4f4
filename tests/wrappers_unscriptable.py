"""Wrappers and models that TorchScript cannot convert, each for one reason, marked with a comment."""

# mypy: disable-error-code="attr-defined, misc, untyped-decorator, no-untyped-call, no-untyped-def"
# What is wrong below is what TorchScript has to find; it takes comments with "type:" for types.

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from .wrappers import PassThrough, card


class UsesNumpy(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(np.tanh(x.numpy()))  # HERE


class UsesLambda(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        double = lambda y: 2 * y  # noqa: E731  # HERE
        return double(x)


class MakesAttribute(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.count = 1  # HERE
        return x


class ForgetsElse(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if x.sum() > 0:  # HERE
            y = x
        return y


class Helped(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return helper(x)  # CALLS


def helper(x: Tensor) -> Tensor:
    return x.no_such_method()  # HERE


class Tries(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        try:  # HERE
            return x
        except ValueError:
            return x


class Delegates(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


class KeepsNumpy(PassThrough):
    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, card=card())
        self.gains = {"a": np.float32(2.0)}

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * self.gains["a"]  # HERE


class LeavesParamsOut(PassThrough):
    def do_forward_pass(self, x: Tensor) -> Tensor:  # type: ignore[override]  # HERE
        return self.model(x)


class TakesNumbers(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, float]) -> Tensor:  # type: ignore[override]  # HERE
        return self.model(x)


class TakesAnyDict(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict) -> Tensor:  # type: ignore[type-arg]  # HERE
        return self.model(x)


class ReturnsTwo(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # HERE
        return x, x


class SaysItReturnsNothing(PassThrough):
    def reset_model(self) -> None:  # type: ignore[override]  # HERE
        pass


class ReturnsNothing(PassThrough):
    def reset_model(self):  # noqa: ANN201  # HERE
        pass


class SetsAndReturnsNothing(PassThrough):
    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> None:  # type: ignore[override]  # HERE
        pass


class SetsUnannotatedAndReturnsNothing(PassThrough):
    def set_model_sample_rate_and_buffer_size(self, sample_rate, n_samples):  # noqa: ANN001, ANN201  # HERE
        pass


class AnnotatesNumpy(PassThrough):
    table: np.ndarray  # HERE

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, card=card())
        self.table = np.zeros(3)


class CallsHelpersSuper(PassThrough):
    def quieter(self, x: Tensor) -> Tensor:
        return super().quieter(x)  # HERE

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.quieter(x)


class HasComment(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # HERE
        return x  # as it came; # type: stereo


class HasIgnoredReset(PassThrough):
    @torch.jit.ignore
    def reset_model(self) -> bool:  # HERE
        return True


class CallsIgnored(PassThrough):
    @torch.jit.ignore
    def debug(self, x: Tensor) -> None:
        pass

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.debug(x)  # HERE
        return x


class CallsDecorated(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return decorated(x)  # HERE


@torch.no_grad()
def decorated(x: Tensor) -> Tensor:
    return F.relu(x)


class TakesAnything(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return self.cut(x, "start")

    def cut(self, x: Tensor, where) -> Tensor:  # noqa: ANN001
        return x[:, :1] if where == "start" else x  # HERE


class TakesKeywords(nn.Module):
    def forward(self, x: Tensor, **options: float) -> Tensor:  # HERE
        return x


class AsksAnAttribute(nn.Module):
    past: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.past = None

    def forward(self, x: Tensor) -> Tensor:
        if self.past is not None:
            return x + self.past  # HERE
        return x


class FillsAnEmptyList(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        sizes = []
        sizes.append(x.size(0))  # HERE
        return x


class FormatsNumbers(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.size(0) > 2:
            msg = f"{x.size(0):3d} channels"  # HERE
            raise ValueError(msg)
        return x


class HasInnerFunction(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        def double(y: Tensor) -> Tensor:  # HERE
            return 2.0 * y

        return double(x)


class CountsLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Tanh()])

    def forward(self, x: Tensor) -> Tensor:
        for i in range(len(self.layers)):
            x = self.layers[i](x)  # HERE
        return x


class ListsLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Tanh()]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:  # HERE
            x = layer(x)
        return x


class ImportsLate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        import math  # noqa: PLC0415  # HERE

        return x * math.pi


class KeepsLambda(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = lambda y: 2.0 * y

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x)  # HERE


class HasConstant(nn.Module):
    N_TIMES = 2

    def forward(self, x: Tensor) -> Tensor:
        return self.N_TIMES * x  # HERE


class MixesNumbers(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        gain = 1 if x.size(0) > 1 else 0.5  # HERE
        return gain * x
