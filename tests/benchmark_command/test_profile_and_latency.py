"""`neutone benchmark latency` and `profile`, and callbacks that are really made."""

import csv
import json
import re
from collections.abc import Generator
from pathlib import Path

import pytest

from neutone_sdk.benchmark import Job, Timing

from .scripted import Command


@pytest.mark.parametrize(
    ("given", "knobs"),
    [
        ((), "default"),
        (("--use_params", "True"), "moving"),
        (("--use_params",), "moving"),
        (("--use_params", "0"), "default"),
    ],
)
def test_a_profile_turns_knobs_if_it_shall(
    call: Command, model: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], knobs: str
) -> None:
    jobs: list[Job] = []

    def measured(job: Job, _: Path | None) -> Generator[Timing, None, None]:
        jobs.append(job)
        yield from ()

    monkeypatch.setattr("neutone_sdk.cli.benchmark.profile.measure_profile", measured)
    assert call("profile", "--model_file", model, *given).returncode == 0
    assert [job.knobs for job in jobs] == [knobs]


def test_latency_shows_all_parts_and_the_recommendation(call: Command, model: Path) -> None:
    result = call("latency", model)
    assert result.returncode == 0, result.stderr
    for name in ("buffering", "resampling", "model", "total", "ms", "changing", "44100", "2048"):
        assert name in result.stdout
    assert "recommended sample rate / buffer size combination is sample rate 48000, buffer size 512" in result.stdout


def test_latency_of_1_x_has_its_lines(call: Command, model: Path) -> None:
    result = call("benchmark-latency", "--model_file", model)
    lines = re.findall(r"Total delay: +(\d+) \| \(Buffering delay: +(\d+) \| Model delay: +(\d+)\)", result.stderr)
    assert len(lines) == 10
    assert all(int(total) == int(buffering) + int(own) for total, buffering, own in lines)


def test_latency_of_1_x_recommends_on_the_same_stream(call: Command, model: Path) -> None:
    result = call("benchmark-latency", "--model_file", model, "--json", "--buffer_size", 256)
    assert result.stderr.splitlines()[-1].startswith("The recommended sample rate / buffer size combination is")
    assert len(json.loads(result.stdout)["settings"]) == 4


def test_latency_as_json_and_csv(call: Command, model: Path) -> None:
    settings = json.loads(call("latency", model, "--json", "--buffer-size", 128).stdout)["settings"]
    rows = list(csv.DictReader(call("latency", model, "--csv", "--buffer-size", 128).stdout.splitlines()))
    assert [str(each["total_samples"]) for each in settings] == [row["total_samples"] for row in rows]
    assert len(rows) == 4


def test_a_real_profile(call: Command, model: Path, tmp_path: Path) -> None:
    result = call("profile", "--model_file", model, "--n_iters", 4, "--use_params", "True", "--trace", "trace.json")
    assert result.returncode == 0, result.stderr
    for text in (
        "the faster half of 4 callbacks",
        "(between operators)",
        "Total CPU time",
        "CPU memory",
        "grouped by stack",
    ):
        assert text in result.stdout
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
