"""A profile says which layer costs what."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import WaveformToWaveformBase
from neutone_sdk.benchmark import Job, Profile, measure_profile
from neutone_sdk.benchmark.call_sites import CallSites
from neutone_sdk.benchmark.layers import BETWEEN, CALLBACK, QUEUE, Layer, has_modules, layers_of
from neutone_sdk.benchmark.profiling import profile_settings
from neutone_sdk.benchmark.tables import layer_table
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.utils import save_neutone_model

from .wrappers import card

N_CALLBACKS = 4
CLOCK_US = 0.01  # the trace's times are rounded to a nanosecond, for each of some hundred events


class Sines(nn.Module):
    """Two operators of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(torch.cos(x))


class Net(nn.Module):
    """Two lists of layers of the same names, a name for one of them, and one that is not in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.ModuleList([nn.Tanh(), nn.Sigmoid()])
        self.second = nn.ModuleList([Sines()])
        self.last = nn.Conv1d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.first:
            x = layer(x)
        for layer in self.second:
            x = layer(x)
        return self.last(x)


class Playing(WaveformToWaveformBase):
    """Calls the model, and an operator itself."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x).abs()


def export(folder: Path, **options: bool) -> Path:
    facts = card(native_sample_rates=[48_000], native_buffer_sizes=[512])
    save_neutone_model(Playing(Net(), card=facts), folder, max_n_samples=0, speed_benchmark=False, **options)  # type: ignore[arg-type]
    return folder / "model.nm"


def profiled(model: Path, trace: Path | None = None, **options: Any) -> Profile:
    job = Job(model=model, buffer_sizes=(256,), n_callbacks=N_CALLBACKS, max_seconds=60.0, **options)
    (profile,) = profile_settings(job, trace)
    return profile


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def profile(folder: Path) -> Profile:
    return profiled(export(folder), folder / "trace.json")


def layers_by_name(layers: tuple[Layer, ...]) -> dict[str, Layer]:
    return {layer.name: layer for layer in layers}


def test_layers_are_those_of_the_model(profile: Profile) -> None:
    layers = layers_by_name(profile.layers)
    kinds = {name: layer.kind for name, layer in layers.items() if name.startswith("model")}
    assert kinds == {
        "model": "Net",
        "model.first": "",
        "model.first.0": "Tanh",
        "model.first.1": "Sigmoid",
        "model.second": "",
        "model.second.0": "Sines",
        "model.last": "Conv1d",
    }
    assert list(layers)[-1] == BETWEEN


def test_operators_are_counted_where_they_are_called(profile: Profile) -> None:
    layers = layers_by_name(profile.layers)
    n_runs = N_CALLBACKS // 2  # the model works on every other block
    counts = {name: layers[name].n_operators for name in ("model.first.0", "model.first.1", "model.second.0")}
    assert counts == {"model.first.0": n_runs, "model.first.1": n_runs, "model.second.0": 2 * n_runs}
    assert layers["model.last"].n_operators >= n_runs
    assert layers[QUEUE].n_operators > 0


def test_the_layers_add_up_to_the_callbacks(folder: Path, profile: Profile) -> None:
    events = json.loads((folder / "trace.json").read_text())["traceEvents"]
    callbacks_us = [event["dur"] for event in events if event.get("name") == CALLBACK and event["ph"] == "X"]
    assert len(callbacks_us) == profile.n_callbacks == profile.n_planned == N_CALLBACKS
    assert sum(layer.own_us for layer in profile.layers) == pytest.approx(sum(callbacks_us), abs=CLOCK_US)
    assert profile.profiled_us == pytest.approx(sum(callbacks_us) / N_CALLBACKS, abs=CLOCK_US)
    assert all(layer.own_us >= 0 for layer in profile.layers)


def test_a_module_costs_what_is_in_it(profile: Profile) -> None:
    layers = layers_by_name(profile.layers)
    for name in ("model", "model.first", "model.second"):
        inside = sum(layer.own_us for other, layer in layers.items() if (other + ".").startswith(name + "."))
        assert layers[name].total_us == pytest.approx(inside, abs=CLOCK_US)


def test_tables_are_of_operators_not_of_python(profile: Profile) -> None:
    assert "aten::tanh" in profile.by_time
    assert ".py(" not in profile.by_time
    assert "CPU Mem" in profile.by_memory
    assert "forward" in profile.by_stack


def test_a_frozen_file_does_not_tell_layers_apart(tmp_path: Path) -> None:
    layers = profiled(export(tmp_path, freeze=True)).layers
    assert not has_modules(layers)
    assert {layer.name for layer in layers} == {QUEUE, BETWEEN}


def test_a_profile_survives_its_journey(profile: Profile) -> None:
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


def test_layers_that_cost_nothing_share_a_row(profile: Profile) -> None:
    whole = profile.profiled_us * profile.n_callbacks
    small = tuple(Layer(f"model.{index}", "Identity", 0.0, whole / 1_000, 1) for index in range(3))
    table = layer_table(Profile(**{**profile.__dict__, "layers": (Layer("model", "Net", whole, whole, 1), *small)}), "")
    assert list(table.columns[0].cells)[-1] == "and 3 below 0.2 %"
    assert table.row_count == 2


def test_a_trace_of_many_settings_is_refused(tmp_path: Path) -> None:
    job = Job(model=tmp_path / "model.nm", buffer_sizes=(128, 256))
    with pytest.raises(InvalidArgumentError, match="a trace is of one setting, got 2"):
        next(measure_profile(job, tmp_path / "trace.json"))


CODE = """class Net(Module):
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
    a = self.a
    _0 = getattr(a, "0")
    b = self.b
    _00 = getattr(b, "0")
    x0 = (_0).forward(x, )
    x1 = (_00).forward((_0).forward(x0, ), )
    c = self.c
    d = c.d
    return (d).forward__1(x1, )
  def other(self: __torch__.Net) -> Tensor:
    return (_0).forward(x, )
"""


@pytest.fixture
def sites() -> CallSites:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("model/code/__torch__/net.py", CODE)
    return CallSites(content.getvalue())


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        (8, "0", ("a", "0")),
        (9, "0", ("0",)),  # two in one line: nobody knows which
        (12, "d", ("c", "d")),
        (14, "0", ("0",)),  # another function's variable
        (8, "7", ("7",)),
        (99, "0", ("0",)),
        (0, "0", ("0",)),
    ],
)
def test_a_line_says_which_module_it_calls(sites: CallSites, line: int, name: str, expected: tuple[str, ...]) -> None:
    assert sites.called(f"code/__torch__/net.py({line}): forward", name) == expected


@pytest.mark.parametrize("frame", ["<string>(8): forward", "code/other.py(8): forward", ""])
def test_a_frame_of_no_file_tells_nothing(sites: CallSites, frame: str) -> None:
    assert sites.called(frame, "0") == ("0",)


def event(start: float, duration: float, hierarchy: str = "", stack: str = "f;", **other: Any) -> dict[str, Any]:
    args = {"Module Hierarchy": hierarchy, "Call stack": stack}
    return {"cat": "cpu_op", "ts": start, "dur": duration, "tid": 1, "args": args, **other}


def events() -> Iterator[dict[str, Any]]:
    top = "TOP(Queue)::forward."
    yield {"cat": "user_annotation", "name": CALLBACK, "ts": 0.0, "dur": 100.0, "tid": 1}
    yield event(0.0, 95.0, top, "")  # the method itself
    yield event(1.0, 2.0, top)
    yield event(10.0, 20.0, top + "w2w_base(W)::run.model(M)::forward.")
    yield event(12.0, 5.0, top + "w2w_base(W)::run.model(M)::forward.")  # inside of the one before
    yield event(40.0, 30.0, top, "<string>(3): forward;")  # torch's own, in the place of some of the model's
    yield event(50.0, 7.0, top + "w2w_base(W)::run.", tid=2)  # another thread
    yield event(90.0, 4.0, top + "w2w_base(W)::run.SELF(W)::own.::function.")


def test_the_time_of_events_goes_to_their_modules(sites: CallSites) -> None:
    layers = {layer.name: (layer.own_us, layer.total_us, layer.n_operators) for layer in layers_of(events(), sites)}
    assert layers == {
        QUEUE: (2.0, 2.0, 1),
        "(wrapper)": (4.0, 54.0, 1),
        "model": (50.0, 50.0, 2),
        BETWEEN: (44.0, 44.0, 0),
    }
