"""Which operators a file calls, wherever they hide."""

import io

import torch
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper
from neutone_sdk.script_operators import custom_namespaces, operators_in
from neutone_sdk.scripting import without_deprecation
from neutone_sdk.utils import model_to_torchscript

from .wrappers import PassThrough, card


class Stateful:
    """A TorchScript class."""

    def __init__(self) -> None:
        self.total = torch.zeros(1)

    def add(self, x: Tensor) -> Tensor:
        self.total = self.total + torch.erfinv(x).sum()
        return self.total


def function(x: Tensor) -> Tensor:
    return inner_function(x)


def inner_function(x: Tensor) -> Tensor:
    return torch.lgamma(x)


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stateful = Stateful()

    def forward(self, x: Tensor) -> Tensor:
        return self.stateful.add(x)

    @torch.jit.export
    def unused(self, x: Tensor) -> Tensor:
        return torch.cosh(x)


class Hiding(nn.Module):
    """Every operator stands in another place."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()
        self.inners = nn.ModuleList([nn.Softplus()])

    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            for _ in range(3):
                x = torch.atan(x)
        local = Stateful()
        x = x + local.add(x)
        future = torch.jit.fork(inner_function, x)
        for each in self.inners:
            x = each(x)
        return self.inner(x) + function(x) + torch.jit.wait(future)

    @torch.jit.export
    def ring(self, x: Tensor) -> Tensor:
        return torch.ops.neutone.fit_channels(x, 1, 0, 4)


def reloaded(module: nn.Module) -> torch.jit.ScriptModule:
    file = io.BytesIO()
    with without_deprecation():
        torch.jit.save(torch.jit.script(module), file)
        file.seek(0)
        return torch.jit.load(file)


def test_operators_are_found_wherever_they_are() -> None:
    found = operators_in(reloaded(Hiding()))
    places = {
        "aten::atan": "a loop in a branch",
        "aten::erfinv": "a class",
        "aten::lgamma": "a function that a function calls",
        "aten::cosh": "a method of a submodule that nobody calls",
        "aten::softplus": "a module in a list",
        "neutone::fit_channels": "an exported method",
    }
    assert set(places) - found == set()


class Forking(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.jit.wait(torch.jit.fork(inner_function, x))


def test_forked_calls_are_followed() -> None:
    assert "aten::lgamma" in operators_in(reloaded(Forking()))


class Hooked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def hook(self: nn.Module, x: tuple[Tensor], y: Tensor) -> Tensor:
    return torch.digamma(y)


def test_hooks_are_followed() -> None:
    module = Hooked()
    module.register_forward_hook(hook)
    assert "aten::digamma" in operators_in(reloaded(module))


def test_stock_operators_only_make_no_namespace() -> None:
    assert custom_namespaces(operators_in(reloaded(nn.Linear(2, 2)))) == set()


def test_a_native_file_needs_ours_frozen_or_not() -> None:
    for freeze in (False, True):
        script = model_to_torchscript(SampleQueueWrapper(PassThrough(nn.Identity(), card=card())).eval(), freeze)
        operators = operators_in(script)
        assert custom_namespaces(operators) == {"neutone"}
        assert "neutone::fit_channels" in operators


def test_the_module_is_left_as_it_was() -> None:
    script = reloaded(Hiding())
    before = str(script.graph)
    operators_in(script)
    assert str(script.graph) == before
