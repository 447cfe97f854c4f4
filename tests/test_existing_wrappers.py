"""Wrappers written for the 1.x SDK export unchanged, however they are declared and whatever is inside."""

# ruff: noqa: UP006, UP035 -- what 1.x wrappers import from typing is what they are a test of
# What a wrapper calls self.model is any module.
# mypy: disable-error-code="attr-defined, no-untyped-call, operator"

import copy
import io
import math
from pathlib import Path
from typing import Any, Dict, Final, List, NoReturn

import pytest
import torch
from torch import Tensor, nn

from .conftest import Noise
from .helpers_existing import ExistingWrapper, Halve, assert_plays, export


def fold(x: Tensor, drive: float) -> Tensor:
    """A function of the module, which uses globals of the module."""
    return torch.clip(drive * x, -math.pi / 6, math.pi / 6)


def folded(x: Tensor) -> Tensor:
    """What the wrappers below that call `fold` should play."""
    limit = 0.5235987755982988  # pi / 6
    return torch.minimum(torch.maximum(1.5 * x, torch.tensor(-limit)), torch.tensor(limit))


def test_no_grad_decorates_the_forward_pass(tmp_path: Path, noise: Noise) -> None:
    class Decorated(ExistingWrapper):
        @torch.no_grad()
        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return fold(x, 1.5)  # globals of this module, not of torch's decorator

    audio = noise(2, 512, seed=0)

    assert_plays(export(Decorated(Halve()), tmp_path).load(), audio, folded(audio), block=128)


def test_no_grad_surrounds_the_forward_pass(tmp_path: Path, noise: Noise) -> None:
    class Surrounded(ExistingWrapper):
        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            with torch.no_grad():
                y = fold(x, 1.5)
            return y.clone()

    audio = noise(2, 512, seed=0)

    assert_plays(export(Surrounded(Halve()), tmp_path).load(), audio, folded(audio), block=128)


def test_export_and_no_grad_go_together(tmp_path: Path, noise: Noise) -> None:
    class Both(ExistingWrapper):
        @torch.jit.export
        @torch.no_grad()
        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return fold(x, 1.5)

        @torch.no_grad()
        def aggregate_params(self, params: Tensor) -> Tensor:
            return params

        @torch.no_grad()
        def reset_model(self) -> bool:
            return True

    audio = noise(2, 512, seed=0)
    script = export(Both(Halve()), tmp_path).load()

    assert_plays(script, audio, folded(audio), block=128)
    assert script.w2w_base.reset() is True


def test_methods_call_each_other_and_a_parent_class(tmp_path: Path, noise: Noise) -> None:
    class Parent(ExistingWrapper):
        def apply_gain(self, x: Tensor, gain: float) -> Tensor:
            return gain * x

        def do_forward_pass(self, x: Tensor, _: Dict[str, Tensor]) -> Tensor:  # 1.x passed it by position
            if self.is_input_mono():
                return x
            return self.apply_gain(self.model.forward(x), float(len(self.get_native_buffer_sizes()) + 4))

    class Child(Parent):
        def get_native_buffer_sizes(self) -> List[int]:
            return [128, 256]

        def apply_gain(self, x: Tensor, gain: float) -> Tensor:
            return -gain * x

    audio = noise(2, 512, seed=0)

    assert_plays(export(Child(Halve()), tmp_path).load(), audio, -6.0 * (0.5 * audio), block=128)


def test_prepare_for_inference_is_called_before_export(tmp_path: Path, noise: Noise) -> None:
    class Prepares(ExistingWrapper):
        def __init__(self, model: nn.Module) -> None:
            super().__init__(model)
            self.gain = 1.0

        def prepare_for_inference(self) -> None:
            super().prepare_for_inference()
            self.gain = 8.0

        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return self.gain * self.model(x)

    audio = noise(2, 512, seed=0)

    assert_plays(export(Prepares(Halve()), tmp_path).load(), audio, 4.0 * audio, block=128)


class Weighted(nn.Module):
    """Differs between training and evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor([[0.5], [0.25]]))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.gain * x)


def test_model_is_in_eval_mode_before_anything_is_asked_of_it(noise: Noise) -> None:
    audio = noise(2, 64, seed=0)
    model = Weighted()
    assert model.training

    wrapper = ExistingWrapper(model)

    assert not any(module.training for module in model.modules())
    assert torch.equal(wrapper(audio), torch.tensor([[0.5], [0.25]]) * audio)


def plain(model: nn.Module) -> nn.Module:
    return model


def traced(model: nn.Module) -> Any:
    return torch.jit.trace(model.eval(), torch.zeros(2, 64))


def scripted(model: nn.Module) -> Any:
    return torch.jit.script(model)  # which leaves one that is scripted as it is


def loaded(model: nn.Module) -> Any:
    file = io.BytesIO()
    torch.jit.save(scripted(model), file)
    file.seek(0)
    return torch.jit.load(file)


def frozen(model: nn.Module) -> Any:
    return loaded(torch.jit.freeze(torch.jit.script(model.eval())))  # torch nests it only after it was in a file


@pytest.mark.parametrize("kind", [plain, traced, scripted, loaded, frozen])
def test_model_may_be_of_any_kind(kind: Any, tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 512, seed=0)

    assert_plays(
        export(ExistingWrapper(kind(Weighted())), tmp_path).load(),
        audio,
        torch.tensor([[0.5], [0.25]]) * audio,
        block=128,
    )


class NotCopied(nn.Module):
    """As models are that hold a file, a lock, or the result of a computation with gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.derived = 2.0 * self.gain  # no leaf: torch refuses to copy it

    def forward(self, x: Tensor) -> Tensor:
        return self.derived * x

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        msg = "cannot be copied"
        raise RuntimeError(msg)


def test_model_that_cannot_be_copied(tmp_path: Path, noise: Noise) -> None:
    model = NotCopied()
    with pytest.raises(RuntimeError, match="cannot be copied"):
        copy.deepcopy(model)
    audio = noise(2, 512, seed=0)

    assert_plays(export(ExistingWrapper(model), tmp_path).load(), audio, audio, block=128)


def test_model_with_weight_normalisation_that_is_removed_for_inference(tmp_path: Path, noise: Noise) -> None:
    class Normalised(ExistingWrapper):
        def prepare_for_inference(self) -> None:
            super().prepare_for_inference()
            if hasattr(self.model, "weight_g"):
                nn.utils.remove_weight_norm(self.model)

    torch.manual_seed(0)
    with pytest.warns(FutureWarning, match="weight_norm"):  # the old one, which TorchScript cannot convert
        convolution = nn.utils.weight_norm(nn.Conv1d(2, 2, 1))
    audio = noise(2, 512, seed=0)
    with torch.no_grad():
        expected = convolution(audio)

    rounding = 1e-6  # of sums of three float32 numbers, where longer blocks are summed in another order
    assert_plays(export(Normalised(convolution), tmp_path).load(), audio, expected, block=128, atol=rounding)


class Encodes(nn.Module):
    """Has methods besides forward, as timbre transfer models have, and an attribute that says how to use them."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_size = 4

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return x.reshape(x.size(0), 4, -1)

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        return z.reshape(z.size(0), -1)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class EditsCode(ExistingWrapper):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        z = self.model.encode(x)
        z[:, self.model.latent_size // 2] *= 2.0
        return self.model.decode(z)


@pytest.mark.parametrize("kind", [plain, scripted, loaded])
def test_wrapper_calls_other_methods_of_the_model(kind: Any, tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 512, seed=0)
    expected = audio.view(2, 4, 4, 32).clone()  # blocks of 128 are encoded as 4 rows of 32
    expected[:, :, 2] *= 2.0

    assert_plays(export(EditsCode(kind(Encodes())), tmp_path).load(), audio, expected.view(2, 512), block=128)


class UsesEverything(ExistingWrapper):
    """Modules, constants and helpers of its own, next to things that TorchScript does not know."""

    HOP: Final[int] = 4

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.more = nn.ModuleList([nn.Identity(), Halve()])
        self.settings = {"gain": 8.0}
        self.callback = lambda: None
        self.folder = Path()
        self.lock = object()

    @staticmethod
    def scale(x: Tensor, by: float) -> Tensor:
        return by * x

    @torch.jit.unused
    def plot(self, x: Tensor) -> Tensor:
        self.callback()
        return x

    @property
    def offset(self) -> float:
        return 0.25

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if self.use_debug_mode:
            assert x.ndim == 2, "two dimensions"
        if not torch.jit.is_scripting():
            x = self.plot(x)
        for module in self.more:
            x = module(x)
        return self.scale(x, self.settings["gain"]) * (self.HOP // self.MAX_N_PARAMS) + self.offset


def test_wrapper_has_modules_constants_and_helpers_of_its_own(tmp_path: Path, noise: Noise) -> None:
    audio = noise(2, 512, seed=0)

    assert_plays(export(UsesEverything(Halve()), tmp_path).load(), audio, 4.0 * audio + 0.25, block=128)
