"""Plays audio through the example plugin in hosts that render, and takes the reported latency out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from .lv2_ports import write_bare_bundle
from .programs import PYTHON, TOOLS, bundle, environment, run

SCRIPTS = Path(__file__).parent
# The latency of any test here is shorter.
TAIL_FRAMES = 16_384


@dataclass(frozen=True)
class Session:
    """What a host is to do."""

    folder: Path  # for its files
    model: Path | None
    audio: np.ndarray  # (channels, frames), float32
    rate_hz: int = 48_000
    controls: Mapping[str, float] = field(default_factory=dict)
    options: Sequence[object] = ()  # of clap_host
    other: Path | None = None  # a plugin to play in the place of the example
    variables: Mapping[str, object] = field(default_factory=dict)  # of the environment

    @property
    def channels(self) -> int:
        """1 or 2."""
        return len(self.audio)

    def plugin(self, suffix: str) -> Path:
        """Return what to load."""
        return bundle(suffix, self.channels) if self.other is None else self.other

    @property
    def padded(self) -> np.ndarray:
        """The audio, and silence until all of it has come out."""
        return np.pad(self.audio, ((0, 0), (0, TAIL_FRAMES)))


@dataclass(frozen=True)
class Playback:
    """What a host made of it."""

    audio: np.ndarray  # as long as the session's, and in time with it
    raw: np.ndarray  # with the latency, and the tail
    report: dict[str, Any]
    stderr: str


def _aligned(session: Session, raw: np.ndarray, latency: int, report: dict[str, Any], stderr: str) -> Playback:
    assert latency <= TAIL_FRAMES
    audio = raw[:, latency : latency + session.audio.shape[1]]
    return Playback(audio, raw, {"latency": latency, **report}, stderr)


def play_clap(session: Session) -> Playback:
    """Play in our smoke host, in blocks that change in every callback, unless options say otherwise."""
    source, target = session.folder / "in.f32", session.folder / "out.f32"
    session.padded.tofile(source)
    controls = {"Offline: wait": 1.0, **session.controls}
    settings = [part for name, value in controls.items() for part in ("--set", f"{name}={value}")]
    blocks = () if "--blocks" in session.options else ("--blocks", "64,1,0,512,37,1024,3,250")
    command = (TOOLS / "clap_host", session.plugin(".clap"), source, target, "--rate", session.rate_hz)
    result = run(
        (*command, "--channels", session.channels, *settings, *blocks, *session.options),
        environment(session.model, **session.variables),
    )
    report = json.loads(result.stdout)
    raw = np.fromfile(target, np.float32).reshape(session.channels, -1)
    return _aligned(session, raw, report["latencies"][-1], report, result.stderr)


def play_lv2apply(session: Session) -> Playback:
    """Play in lv2apply, which calls the plugin for every single frame."""
    (described,) = (file for file in session.plugin(".lv2").glob("*.ttl") if file.stem != "manifest")
    library = described.with_suffix(".so")
    uri = write_bare_bundle(session.folder / "lv2" / "bare.lv2", described, TOOLS / "bare_lv2.so")
    source, target = session.folder / "in.wav", session.folder / "out.wav"
    soundfile.write(source, session.padded.T, session.rate_hz, subtype="FLOAT")
    controls = {"offline": 1.0, **{_symbol(name): value for name, value in session.controls.items()}}
    settings = [part for name, value in controls.items() for part in ("-c", name, value)]
    variables = environment(session.model, LV2_PATH=session.folder / "lv2", NEUTONE_BARE_LV2=library)
    result = run(("lv2apply", "-i", source, "-o", target, *settings, uri), variables)
    raw = soundfile.read(target, dtype="float32", always_2d=True)[0].T
    latency = int(result.stderr.split("latency: ")[1].split("\n")[0])
    return _aligned(session, raw, latency, {}, result.stderr)


def play_pedalboard(session: Session) -> Playback:
    """Play the VST3 in pedalboard, which takes the latency out itself."""
    raw, report, stderr = _run_script("render_pedalboard.py", session)
    return Playback(raw[:, : session.audio.shape[1]], raw, report, stderr)


def play_dawdreamer(session: Session) -> Playback:
    """Play the VST3 in DawDreamer, which leaves the latency in."""
    raw, report, stderr = _run_script("render_dawdreamer.py", session)
    return _aligned(session, raw, report["latency"], report, stderr)


def _run_script(script: str, session: Session) -> tuple[np.ndarray, dict[str, Any], str]:
    source, target = session.folder / "in.npy", session.folder / "out.npy"
    np.save(source, session.padded)
    controls = json.dumps({"Offline: wait": 1.0, **session.controls})
    plugin = session.plugin(".vst3")
    command = (PYTHON, "-I", SCRIPTS / script, plugin, source, target, session.rate_hz, controls)
    result = run(command, environment(session.model, **session.variables))
    return np.load(target), json.loads(result.stdout.splitlines()[-1]), result.stderr


def _symbol(name: str) -> str:
    return name.lower().replace(" ", "_")


PLAYERS: dict[str, Callable[[Session], Playback]] = {
    "clap": play_clap,
    "lv2apply": play_lv2apply,
    "pedalboard": play_pedalboard,
    "dawdreamer": play_dawdreamer,
}
