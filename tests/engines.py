"""Engines that tests play, and models for them."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from neutone_sdk.realtime import (
    Audio,
    Engine,
    FunctionModel,
    HostFormat,
    ModelFormat,
)

FORMAT = ModelFormat(sample_rate_hz=48_000, block_frames=96)
HOST = HostFormat(max_block_frames=64)
ONES = np.ones((2, 64), np.float32)
LONG_SECONDS = 60.0  # nothing takes as long, unless it hangs


def identity(audio: Audio, _: Audio) -> Audio:
    return audio


def ready(function: Callable[[Audio, Audio], Audio] = identity, mode: Any = "blocking", **format_: Any) -> Engine:
    engine = Engine()
    facts: dict[str, Any] = {"sample_rate_hz": 48_000, "block_frames": 96, **format_}
    engine.set_model(FunctionModel(function, ModelFormat(**facts)))
    engine.prepare(HOST, latency_mode=mode)
    return engine


def played(engine: Engine, audio: Audio, sizes: list[int], params: Audio | None = None) -> Audio:
    blocks = np.split(audio, np.cumsum(sizes)[:-1], axis=1)
    return np.concatenate([engine.process(block, params) for block in blocks], axis=1)


def waiting_for(gate: threading.Event, is_inside: threading.Event | None = None) -> Callable[[Audio, Audio], Audio]:
    def wait(audio: Audio, _: Audio) -> Audio:
        if is_inside is not None:
            is_inside.set()
        gate.wait()
        return audio

    return wait
