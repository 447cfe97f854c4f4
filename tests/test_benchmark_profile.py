"""A profile says which layer costs what."""

import io
import json
import zipfile
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
Event = dict[str, Any]
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


def test_the_layers_add_up_to_the_callbacks(profile: Profile) -> None:
    assert profile.n_callbacks == N_CALLBACKS
    whole_us = profile.profiled_us * N_CALLBACKS
    assert sum(layer.own_us for layer in profile.layers) == pytest.approx(whole_us, abs=CLOCK_US)
    assert profile.plain_us > 1.0  # no call from Python is that short
    assert all(layer.own_us >= 0 for layer in profile.layers)


def test_the_trace_holds_the_callbacks_and_their_modules(folder: Path, profile: Profile) -> None:
    found = json.loads((folder / "trace.json").read_text())["traceEvents"]
    assert sum(event.get("cat") == "user_annotation" and event["name"] == CALLBACK for event in found) == N_CALLBACKS
    assert any("w2w_base(Playing)" in event.get("args", {}).get("Module Hierarchy", "") for event in found)


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


def event(name: str, start: float, duration: float, hierarchy: str = "", stack: str = "f;", tid: int = 1) -> Event:
    args = {"Module Hierarchy": hierarchy, "Call stack": stack}
    return {"cat": "cpu_op", "name": name, "ts": start, "dur": duration, "tid": tid, "args": args}


def callback(duration: float) -> Event:
    return {"cat": "user_annotation", "name": CALLBACK, "ts": 0.0, "dur": duration, "tid": 1}


TOP = "TOP(Queue)::forward."
PLACED = [
    callback(100.0),
    event("forward", 0.0, 95.0, TOP, ""),  # the method itself
    event("push", 1.0, 2.0, TOP),
    event("conv", 10.0, 20.0, TOP + "w2w_base(W)::run.model(M)::forward."),
    event("empty", 12.0, 5.0, TOP + "w2w_base(W)::run.model(M)::forward."),  # inside of the one before
    event("mm", 40.0, 30.0, TOP, "<string>(3): forward;"),  # torch's own, in the place of some of the model's
    event("late", 50.0, 7.0, TOP + "w2w_base(W)::run.", tid=2),  # another thread
    event("abs", 90.0, 4.0, TOP + "w2w_base(W)::run.SELF(W)::own.::function."),
    event("after", 101.0, 4.0, TOP),  # no callback
]
TIMED = [callback(20.0), event("forward", 0.0, 20.0)] + [
    event(name, start, 3.0) for name, start in (("push", 1.0), ("conv", 5.0), ("mm", 10.0), ("abs", 15.0))
]


def later(events: list[Event], n_times: int) -> list[Event]:
    return [{**each, "ts": each["ts"] + 1_000.0 * (1 + index)} for index in range(n_times) for each in events]


def costs(timed: list[Event], sites: CallSites) -> dict[str, tuple[float, float, int]]:
    found = layers_of(timed, PLACED, sites)
    assert sum(layer.own_us for layer in found.layers) == found.callbacks_us
    return {layer.name: (layer.own_us, layer.total_us, layer.n_operators) for layer in found.layers}


def test_the_time_of_operators_goes_to_their_modules(sites: CallSites) -> None:
    assert costs(TIMED, sites) == {
        QUEUE: (3.0, 3.0, 1),
        "(wrapper)": (3.0, 9.0, 1),
        "model": (6.0, 6.0, 2),
        BETWEEN: (8.0, 8.0, 0),
    }


def test_what_takes_the_core_away_is_no_layer(sites: CallSites) -> None:
    slow = [{**each, "ts": 2 * each["ts"] + 1_000.0, "dur": 2 * each["dur"]} for each in TIMED]
    doubled = {name: tuple(2 * number for number in cost) for name, cost in costs(TIMED, sites).items()}
    assert costs([*slow, *TIMED], sites) == doubled


@pytest.mark.parametrize("n_waiting", [1, 3, 15])
def test_a_callback_in_which_the_model_works_counts_as_often_as_it_was_made(sites: CallSites, n_waiting: int) -> None:
    waiting = [callback(4.0), event("push", 1.0, 2.0, TOP)]
    found = layers_of([*TIMED, *later(waiting, n_waiting)], [*PLACED, *later(waiting, 1)], sites)
    layers = layers_by_name(found.layers)
    assert found.n_callbacks == 1 + n_waiting
    assert found.callbacks_us == pytest.approx(20.0 + 4.0 * n_waiting)
    assert (layers["model"].own_us, layers["model"].n_operators) == (6.0, 2)
    assert layers[QUEUE].own_us == pytest.approx(3.0 + 2.0 * n_waiting)
    assert layers[QUEUE].n_operators == 1 + n_waiting


def test_callbacks_that_are_unlike_the_others_are_counted_from_those(sites: CallSites) -> None:
    unlike = [*TIMED, event("more", 19.0, 1.0)]
    assert (
        costs(unlike, sites)
        == costs(PLACED, sites)
        == {
            QUEUE: (2.0, 2.0, 1),
            "(wrapper)": (4.0, 54.0, 1),
            "model": (50.0, 50.0, 2),
            BETWEEN: (44.0, 44.0, 0),
        }
    )
