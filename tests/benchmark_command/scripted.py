"""What workers of the benchmarks say, for the tests of the command line."""

import re
import sys
from collections.abc import Callable
from typing import Any

from tests.conftest import Result

MS = 1_000_000
MODULE = [sys.executable, "-m", "neutone_sdk.benchmark"]
OLD_LINE = re.compile(r"Sample rate: +(\d+) \| Buffer size: +(\d+) \| duration: +([\d.]+)±([\d.]+) \| 1/RTF: +([\d.]+)")
Command = Callable[..., Result]
Script = Callable[..., None]


def setting(size: int = 480, rate_hz: int = 48_000, n_planned: int = 4) -> dict[str, Any]:
    return {
        "setting": {
            "sample_rate_hz": rate_hz,
            "buffer_size": size,
            "model_rate_hz": 48_000,
            "model_block": 512,
            "n_planned": n_planned,
        }
    }


WARM_UP = {"warm_up_ns": [100 * MS, 2 * MS]}
CALLBACKS = {"callbacks_ns": [1 * MS, 2 * MS, 3 * MS, 14 * MS]}
END = {"end": {"n_preemptions": 3}}
WHOLE = (setting(), WARM_UP, CALLBACKS, END)
