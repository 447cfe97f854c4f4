"""The simulated device that plays an engine. No time decides here: what is late is held back by a gate."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.realtime import (
    Engine,
    FunctionModel,
    HostFormat,
    SimulatedDevice,
)

from .conftest import Noise
from .engines import FORMAT, HOST, LONG_SECONDS, ONES, identity, ready, waiting_for


def test_a_device_hears_what_the_engine_plays(noise: Noise) -> None:
    engine = ready()
    audio = noise(2, 1_000, seed=4).numpy()
    device = SimulatedDevice(engine, audio, seconds=0.1, keeps_output=True)
    device.start()
    assert device.wait(LONG_SECONDS)
    latency = engine.latency_samples
    assert device.output.shape == (2, 75 * 64)
    np.testing.assert_array_equal(device.output[:, latency:], np.tile(audio, 5)[:, : 75 * 64 - latency])
    assert (len(device.durations_ns()), len(device.lateness_ns()), engine.stats.callbacks) == (75, 75, 75)
    assert device.durations_ns().dtype == np.int64
    assert device.durations_ns().min() > 0
    np.testing.assert_array_equal(device.durations_ns(70), device.durations_ns()[70:])
    assert len(device.lateness_ns(76)) == 0
    assert device.lateness_ns().min() >= 0
    assert engine.process(ONES).shape == (2, 64)  # nobody else has it any more


def test_a_device_keeps_to_its_deadlines() -> None:
    engine = Engine()
    engine.prepare(HostFormat(sample_rate_hz=44_100, max_block_frames=441))
    device = SimulatedDevice(engine, ONES, seconds=0.2)
    device.start()
    assert device.wait(LONG_SECONDS)
    assert len(device.lateness_ns()) == 20
    # Each is counted once it is later than the 10 ms until the next; no other is.
    assert device.n_overruns == (device.lateness_ns() > 10_000_000).sum()


def test_a_device_keeps_its_engine_to_itself() -> None:
    engine = ready()
    device = SimulatedDevice(engine, ONES, seconds=3_600.0)
    device.start()
    for call in (lambda: engine.process(ONES), engine.reset, SimulatedDevice(engine, ONES, seconds=1.0).start):
        with pytest.raises(InvalidArgumentError, match="played by a device"):
            call()
    with pytest.raises(InvalidArgumentError, match="runs once"):
        device.start()
    engine.set_model(FunctionModel(identity, FORMAT))  # that it may
    assert not device.wait(0.0)
    device.stop()
    assert device.wait(0.0)


def test_a_device_needs_nothing_of_python() -> None:
    """This thread has the GIL all the time, and would keep it for a minute."""
    engine = Engine()
    engine.prepare(HOST)
    device = SimulatedDevice(engine, ONES, seconds=0.05)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(LONG_SECONDS)
    try:
        device.start()
        for _ in range(100_000_000):
            if len(device.durations_ns()) == 38:
                break
    finally:
        sys.setswitchinterval(interval)
    assert len(device.durations_ns()) == 38


def test_who_waits_for_a_device_lets_python_go_on() -> None:
    device = SimulatedDevice(ready(), ONES, seconds=3_600.0)
    device.start()
    thread = threading.Thread(target=device.stop)
    thread.start()
    assert device.wait(LONG_SECONDS)
    thread.join()


def test_a_device_says_whether_it_had_priority() -> None:
    code = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(70))"
    is_allowed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0  # noqa: S603
    device = SimulatedDevice(ready(), ONES, seconds=0.01)
    device.start()
    assert device.wait(LONG_SECONDS)
    assert device.has_realtime_priority == is_allowed
    assert (device.refusal == "") == is_allowed


@pytest.mark.parametrize("mode", ["two-blocks", "one-block"])
def test_late_blocks_and_missing_samples_are_counted_exactly(mode: str, gate: threading.Event) -> None:
    engine = ready(waiting_for(gate), mode)
    device = SimulatedDevice(engine, ONES, seconds=0.1, keeps_output=True)
    device.start()
    assert device.wait(LONG_SECONDS)
    n_due = 75 * 64 - engine.latency_samples
    assert engine.stats.missing_samples == n_due
    assert engine.stats.late_blocks == -(-n_due // 96)
    assert not device.output.any()
    gate.set()


EXIT_WHILE_PLAYING = """
import threading
import numpy as np
from neutone_sdk.realtime import *

is_inside = threading.Event()
def work(audio, params):
    is_inside.set()
    return audio * sum(range(10_000))

engine = Engine()
engine.set_model(FunctionModel(work, ModelFormat(sample_rate_hz=48_000, block_frames=32)))
engine.prepare(HostFormat(max_block_frames=32))
device = SimulatedDevice(engine, np.ones((2, 32), np.float32), seconds=3600)
device.start()
assert is_inside.wait(60)
print("bye")
"""


def test_python_ends_while_a_device_plays() -> None:
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", EXIT_WHILE_PLAYING], capture_output=True, text=True, check=False, timeout=LONG_SECONDS
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "bye\n", "")
