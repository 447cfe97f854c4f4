"""The group of commands ``neutone benchmark``."""

import click

from neutone_sdk.cli.benchmark.latency import latency
from neutone_sdk.cli.benchmark.profile import profile
from neutone_sdk.cli.benchmark.realtime import realtime
from neutone_sdk.cli.benchmark.speed import speed


@click.group()
def benchmark() -> None:
    """Measure whether a model glitches, how fast and how late it is, and where its time goes."""


benchmark.add_command(latency)
benchmark.add_command(profile)
benchmark.add_command(realtime)
benchmark.add_command(speed)
