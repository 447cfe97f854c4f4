"""The latencies in the table of docs/wrapping.md are those that hosts get."""

import re

import pytest
from torch import nn

from neutone_sdk import SampleQueueWrapper

from .documents import ROOT
from .wrappers import PassThrough, card

TABLE = re.search(r"^\| host:.*?\n\n", (ROOT / "docs" / "wrapping.md").read_text(), re.DOTALL | re.MULTILINE)
HEAD, _, *ROWS = [
    [cell.strip() for cell in line.strip("| ").split("|")] for line in (TABLE or [""])[0].strip().splitlines()
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_documented_latency_is_the_one_that_hosts_get(row: list[str]) -> None:
    rates, sizes = (list(map(int, re.findall(r"\d+", part))) for part in re.split(", (?=any|`)", row[0]))
    queue = SampleQueueWrapper(
        PassThrough(nn.Identity(), card=card(native_sample_rates=rates, native_buffer_sizes=sizes))
    )
    for host, documented in zip(HEAD[1:], row[1:], strict=True):
        rate_khz, size = host.split(" kHz, ")
        queue.set_daw_sample_rate_and_buffer_size(round(1000 * float(rate_khz)), int(size))
        assert queue.calc_buffering_delay_samples() == int(documented)


def test_there_are_rows() -> None:
    assert len(ROWS) >= 5
