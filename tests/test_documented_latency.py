"""The latencies in the tables of docs/wrapping.md and docs/moving-from-1x.md are those that hosts get."""

import re

import pytest
from torch import nn

from neutone_sdk import SampleQueueWrapper

from .documents import ROOT
from .wrappers import PassThrough, card


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table with this heading, and the heading itself."""
    found = re.search(rf"^\| {heading}.*?\n\n", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    head, _, *rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in found[0].strip().splitlines()]
    return [head, *rows]


HOSTS, *MODELS = table("wrapping.md", "host:")
# Model, host, delay.
DOCUMENTED = [(row[0], host, delay) for row in MODELS for host, delay in zip(HOSTS[1:], row[1:], strict=True)] + [
    (model, host, here) for model, host, _, here in table("moving-from-1x.md", "model")[1:]
]


@pytest.mark.parametrize(("model", "host", "delay"), DOCUMENTED)
def test_the_documented_latency_is_the_one_that_hosts_get(model: str, host: str, delay: str) -> None:
    rates, sizes = (list(map(int, re.findall(r"\d+", part))) for part in re.split(", (?=any|`)", model))
    queue = SampleQueueWrapper(
        PassThrough(nn.Identity(), card=card(native_sample_rates=rates, native_buffer_sizes=sizes))
    )
    rate_khz, size = host.split(" kHz, ")
    queue.set_daw_sample_rate_and_buffer_size(round(1000 * float(rate_khz)), int(size))
    assert queue.calc_buffering_delay_samples() == int(delay)


def test_there_are_rows() -> None:
    assert len(DOCUMENTED) >= 30
