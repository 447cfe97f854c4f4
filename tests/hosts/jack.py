"""Runs the LV2 plugin in jalv, with JACK and no sound card."""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .programs import BUNDLES, TOOLS, environment, find

URI = "urn:neutone-sdk:example"
PLUGIN = "plugin"  # its name as a client
PATIENCE_S = 60


class Run(NamedTuple):
    """What came back, and what the plugin counted meanwhile and before."""

    report: dict[str, Any]  # of jack_probe
    missing_samples: int
    late_blocks: int


class Client:
    """A jalv that plays, until its input ends."""

    def __init__(self, channels: int, controls: Sequence[str], variables: dict[str, str]) -> None:
        settings = [part for control in controls for part in ("-c", control)]
        uri = URI + ("-mono" if channels == 1 else "")
        command = [find("jalv"), "-x", "-n", PLUGIN, *settings, uri]
        self.process = subprocess.Popen(  # noqa: S603
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def close(self) -> None:
        """Ask it for the counters, end it as its user does, and wait for all that it said."""
        assert self.process.stdin is not None
        self.process.stdin.write("monitors\n")
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def count(self, name: str) -> int:
        """Return the value of a counter at the end."""
        values = re.findall(rf"^(?:> )?{name} = ([0-9.]+)$", "".join(self.lines), re.MULTILINE)
        return int(float(values[-1]))


def is_realtime_allowed() -> bool:
    """Whether JACK may have priority."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


@contextmanager
def server(rate_hz: int, period_frames: int, variables: dict[str, str]) -> Iterator[None]:
    """Run a JACK of our own, which disturbs no other."""
    priority = ["-R", "-P70"] if is_realtime_allowed() else ["-r"]
    name = variables["JACK_DEFAULT_SERVER"]
    command = [find("jackd"), "-n", name, *priority, "-d", "dummy", "-r", str(rate_hz), "-p", str(period_frames)]
    process = subprocess.Popen(  # noqa: S603
        command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def wait_for(port: str, variables: dict[str, str], client: Client) -> None:
    """Return once JACK has a port."""
    for _ in range(10 * PATIENCE_S):
        ports = subprocess.run([find("jack_lsp")], env=variables, capture_output=True, text=True, check=False)  # noqa: S603
        if port in ports.stdout:
            return
        assert client.process.poll() is None, "".join(client.lines)
        time.sleep(0.1)
    raise TimeoutError(port)


class Sound(NamedTuple):
    """How JACK runs."""

    channels: int = 2
    rate_hz: int = 48_000
    period_frames: int = 256


def play(model: Path, sound: Sound, seconds: float) -> Run:
    """Send numbered samples through the plugin in jalv."""
    return _run(model, sound, (), seconds)


def record(
    model: Path, audio: np.ndarray, folder: Path, sound: Sound, controls: Sequence[str] = ()
) -> tuple[np.ndarray, Run]:
    """Send audio ``(channels, frames)`` through the plugin in jalv; return what came back meanwhile, as much."""
    source, target = folder / "in.f32", folder / "out.f32"
    audio.astype(np.float32).tofile(source)
    run = _run(model, sound, controls, audio.shape[1] / sound.rate_hz, source, target)
    return np.fromfile(target, np.float32).reshape(audio.shape), run


def _run(model: Path, sound: Sound, controls: Sequence[str], seconds: float, *files: Path) -> Run:
    name = f"neutone-{os.getpid()}"
    variables = environment(model, LV2_PATH=BUNDLES, JACK_DEFAULT_SERVER=name, JACK_NO_AUDIO_RESERVATION=1)
    with server(sound.rate_hz, sound.period_frames, variables):
        wait_for_server(variables)
        client = Client(sound.channels, controls, variables)
        try:
            wait_for(f"{PLUGIN}:lv2_audio_out_1", variables, client)
            command = [find(TOOLS / "jack_probe"), PLUGIN, str(sound.channels), str(seconds), *map(str, files)]
            probe = subprocess.run(  # noqa: S603
                command, env=variables, capture_output=True, text=True, check=False, timeout=seconds + PATIENCE_S
            )
        finally:
            client.close()
    assert probe.returncode == 0, probe.stderr
    return Run(json.loads(probe.stdout), client.count("missing_samples"), client.count("late_blocks"))


def wait_for_server(variables: dict[str, str]) -> None:
    """Return once JACK answers."""
    command = [find("jack_wait"), "-s", variables["JACK_DEFAULT_SERVER"], "-w", "-t", str(PATIENCE_S)]
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
