"""``python -m neutone_sdk.benchmark`` is ``neutone benchmark`` with the names of 1.x, and its lines on stderr."""

import click

from neutone_sdk.cli.benchmark.latency import latency
from neutone_sdk.cli.benchmark.profile import profile
from neutone_sdk.cli.benchmark.realtime import realtime
from neutone_sdk.cli.benchmark.speed import speed
from neutone_sdk.cli.main import run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "obj": "1.x"})
def commands() -> None:
    """Measure whether a model glitches, how fast and how late it is, and where its time goes."""


commands.add_command(latency, "benchmark-latency")
commands.add_command(realtime, "benchmark-realtime")
commands.add_command(speed, "benchmark-speed")
commands.add_command(profile, "profile")

if __name__ == "__main__":
    run(commands)
