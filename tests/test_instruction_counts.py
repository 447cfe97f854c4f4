"""The guard that counts instructions says what changed, and by how much."""

import json

import pytest

from .instructions.count import BASELINE, report


@pytest.mark.parametrize(("count", "n_wrong"), [(1000, 0), (1029, 0), (971, 0), (1031, 1), (969, 1)])
def test_a_count_may_change_by_3_percent(count: int, n_wrong: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert report({"ring": 1000, "svf": 500}, {"ring": count, "svf": 500}) == n_wrong
    assert ("<- more than 3 %" in capsys.readouterr().out) == (n_wrong > 0)


@pytest.mark.parametrize(("before", "now"), [({"ring": 1}, {}), ({}, {"ring": 1})])
def test_a_count_without_another_to_compare_with_is_wrong(before: dict[str, int], now: dict[str, int]) -> None:
    assert report(before, now) == 1


def test_all_that_is_on_record_was_counted() -> None:
    assert min(json.loads(BASELINE.read_text())["instructions"].values()) > 0
