"""``neutone check``: what it prints, and how it ends."""

import functools
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk.checks import CHECKS, ONLINE_CHECKS
from neutone_sdk.scripting import without_deprecation

from .conftest import Neutone
from .wrappers import PassThrough, card
from .wrappers_failing import DividesByAKnob, Late, subject_of


@pytest.fixture
def check(neutone: Neutone, monkeypatch: pytest.MonkeyPatch) -> Neutone:
    monkeypatch.setenv("COLUMNS", "200")
    return functools.partial(neutone, "check")


def file_of(folder: Path, wrapper: Any, **facts: Any) -> Path:
    path = folder / "model.nm"
    path.write_bytes(subject_of(wrapper, **facts).content)
    return path


def passing(**facts: Any) -> PassThrough:
    return PassThrough(nn.Identity(), card=card(**facts))


def test_all_that_can_be_checked_is(tmp_path: Path, check: Neutone) -> None:
    result = check(file_of(tmp_path, passing()), "--json")
    report = json.loads(result.stdout)
    assert (result.returncode, result.stderr, report["is_good"]) == (0, "", True)
    assert {each["name"]: each["status"] for each in report["results"]} == {
        check.name: {"same-as-memory": "skipped", "parameters": "skipped"}.get(check.name, "passed") for check in CHECKS
    }


def test_a_failure_is_shown_with_reason_and_remedy(tmp_path: Path, check: Neutone) -> None:
    result = check(file_of(tmp_path, DividesByAKnob()), "--only", "parameters", "--only", "reset")
    assert result.returncode == 1
    assert "no finite numbers" in result.stdout
    assert "why: knobs are turned to their ends" in result.stdout
    assert "remedy: avoid divisions" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert "speed" not in result.stdout


def test_warnings_are_no_failure(tmp_path: Path, check: Neutone) -> None:
    result = check(file_of(tmp_path, Late(nn.Identity(), card())), "--only", "delay")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "1 warned")


def test_links_are_checked_only_when_asked(tmp_path: Path, check: Neutone, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def unreachable_links(metadata: dict[str, Any]) -> list[str]:
        asked.append(metadata["technical_links"])
        return ["https://gone.example/"]

    online: Any = types.ModuleType("neutone_sdk.online")
    online.unreachable_links = unreachable_links
    monkeypatch.setitem(sys.modules, "neutone_sdk.online", online)
    links = {"Paper": "https://gone.example/", "Code": "https://there.example/"}
    model = file_of(tmp_path, passing(technical_links=links))

    offline = check(model, "--only", "links")
    assert (offline.returncode, asked) == (2, [])
    assert "only checked with --online" in offline.stderr

    result = check(model, "--only", "links", "--online")
    assert (result.returncode, asked) == (0, [links])
    assert "1 of 2 cannot be reached: https://gone.example/" in result.stdout


def test_what_is_no_model_is_one_line(tmp_path: Path, check: Neutone) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(b"no archive")
    for model in (path, tmp_path / "missing.nm", tmp_path):
        result = check(model)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert result.stderr.startswith("Error: ")


def test_errors_of_strangers_cannot_drive_the_terminal(tmp_path: Path, check: Neutone) -> None:
    model = file_of(tmp_path, passing(), flavour="\x1b[31mred")
    result = check(model, "--only", "flavour")
    assert result.returncode == 1
    assert "[31mred" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr


def test_only_knows_every_check(tmp_path: Path, check: Neutone) -> None:
    result = check(tmp_path, "--only", "nothing")
    assert result.returncode == 2
    for each in (*CHECKS, *ONLINE_CHECKS):
        assert each.name in result.stderr


class OfEarly1x(nn.Module):
    """What an early file has, with its habits: no offline rendering, and one tensor for all that it returns."""

    out: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("out", torch.zeros(2, 2048))
        self.model_bs = 512
        self.w2w_base = nn.Identity()

    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        if params is not None and params.size(1) != x.size(1):
            raise ValueError("one value for each sample")
        out = self.out[: x.size(0), : x.size(1)]
        out.copy_(x)
        return out

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: int | None = None, model_bs: int | None = None
    ) -> int:
        return daw_bs

    @torch.jit.export
    def reset(self) -> bool:
        return True

    @torch.jit.export
    def calc_buffering_delay_samples(self) -> int:
        return 0

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return 0

    @torch.jit.export
    def is_resampling(self) -> bool:
        return False

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return False

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [48_000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return [512]

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        return torch.zeros(4)

    @torch.jit.export
    def get_wet_default_value(self) -> float:
        return 1.0

    @torch.jit.export
    def get_dry_default_value(self) -> float:
        return 0.0

    @torch.jit.export
    def get_input_gain_default_value(self) -> float:
        return 0.5

    @torch.jit.export
    def get_output_gain_default_value(self) -> float:
        return 0.5

    @torch.jit.export
    def get_preserved_attributes(self) -> list[str]:
        return []


def test_files_of_1x_are_checked_as_far_as_they_go(tmp_path: Path, check: Neutone) -> None:
    path = tmp_path / "old.nm"
    knob = {"name": "a", "type": "knob", "default_value": "0.5", "used": "True"}
    metadata = {"model_name": "old", "is_input_mono": "False", "neutone_parameters": {"p1": knob}}
    with without_deprecation():
        script = torch.jit.script(OfEarly1x())
        torch.jit.save(script, path, _extra_files={"metadata.json": json.dumps(metadata)})

    result = check(path, "--json")

    found = {each["name"]: each for each in json.loads(result.stdout)["results"]}
    assert result.returncode == 0
    assert found["offline"]["detail"] == "this file of 1.x has no forward_offline"
    assert found["host-buffers"]["status"] == "warned"
    assert found["host-buffers"]["detail"].endswith("as all files of 1.x do")
    assert {name for name, each in found.items() if each["status"] != "passed"} == {
        "same-as-memory",
        "offline",
        "host-buffers",
    }
