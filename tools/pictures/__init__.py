"""Draws the pictures of the docs: ``python -m tools.pictures``. A test compares them with those that are there."""

from typing import Final

from tools.pictures import latency, layers

PICTURES: Final = {"latency.svg": latency.draw, "layers.svg": layers.draw}
