"""The engine for Python. No time decides here: what is late is held back by a gate."""

import gc
import os
import re
import shutil
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from neutone_sdk import _native
from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError, NeutoneError
from neutone_sdk.realtime import (
    Audio,
    Engine,
    FileModel,
    FunctionModel,
    HostFormat,
    ModelFormat,
    SimulatedDevice,
    WorkerPool,
)

from .conftest import Noise
from .engines import FORMAT, HOST, LONG_SECONDS, ONES, identity, played, ready, waiting_for
from .wrappers import GAIN, Stamped, card, queue


def test_an_identity_is_exact_after_its_latency(noise: Noise) -> None:
    engine = ready()
    sizes = np.random.default_rng(0).integers(0, 65, size=100).tolist()
    audio = noise(2, sum(sizes), seed=1).numpy()
    out = played(engine, audio, sizes)
    latency = engine.latency_samples
    assert latency > 0
    np.testing.assert_array_equal(out[:, latency:], audio[:, :-latency])
    assert not out[:, :latency].any()
    assert (engine.stats.callbacks, engine.stats.missing_samples) == (100, 0)
    assert engine.stats.blocks == audio.shape[1] // 96


def test_a_reset_starts_from_silence(noise: Noise) -> None:
    forgotten = []
    engine = Engine()
    engine.set_model(FunctionModel(identity, FORMAT, on_reset=lambda: forgotten.append(True)))
    engine.prepare(HOST, latency_mode="blocking")
    audio, sizes = noise(2, 640, seed=1).numpy(), [64] * 10
    first = played(engine, audio, sizes)
    n_before = len(forgotten)
    engine.reset()
    np.testing.assert_array_equal(played(engine, audio, sizes), first)
    assert len(forgotten) > n_before


@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_a_file_plays_as_in_its_queue(noise: Noise, rate_hz: int) -> None:
    facts = card(native_sample_rates=[48_000], native_buffer_sizes=[512], parameters=[GAIN])
    wrapped = queue(Stamped(nn.Identity(), card=facts), scripted=True)
    engine = Engine()
    engine.set_model(FileModel(queue(Stamped(nn.Identity(), card=facts), scripted=True)))
    engine.prepare(HostFormat(sample_rate_hz=rate_hz, max_block_frames=256), latency_mode="blocking")
    audio = noise(2, 256 * 40, seed=2)
    knobs = torch.tensor([[0.25], [0.0], [0.0], [0.0]])

    out = played(engine, audio.numpy(), [256] * 40, knobs.numpy())

    wrapped.set_daw_sample_rate_and_max_buffer_size(rate_hz, 256)
    expected = torch.cat([wrapped(block, knobs) for block in audio.split(256, dim=1)], dim=1).numpy()
    delay = wrapped.calc_buffering_delay_samples() + wrapped.calc_model_delay_samples()
    further = engine.latency_samples - delay
    assert np.abs(expected).max() > 0.1
    np.testing.assert_array_equal(out[:, further:], expected[:, : out.shape[1] - further])


def test_defaults_stand_for_knobs_that_are_none() -> None:
    seen: list[Audio] = []

    def look(audio: Audio, params: Audio) -> Audio:
        seen.append(params)
        return audio

    engine = ready(look, default_params=[0.25, 0.75])
    played(engine, np.zeros((2, 640), np.float32), [64] * 10)
    assert {params.shape for params in seen} == {(2, 96)}
    np.testing.assert_array_equal(np.concatenate(seen, axis=1)[:, -96:], [[0.25] * 96, [0.75] * 96])


def test_mono_and_stereo_on_either_side() -> None:
    engine = ready(lambda audio, _: np.concatenate([audio, -audio]), in_channels=1)
    audio = np.full((2, 640), 0.5, np.float32)
    out = played(engine, audio, [64] * 10)
    np.testing.assert_array_equal(out[:, -1], [0.5, -0.5])


def test_before_prepare_there_is_silence_and_it_is_counted() -> None:
    engine = Engine()
    engine.set_model(FunctionModel(identity, FORMAT))
    assert not engine.process(np.ones((2, 64), np.float32)).any()
    assert engine.stats.refused_callbacks == 1


def test_a_block_larger_than_promised_is_silence_and_counted() -> None:
    engine = ready()
    assert not engine.process(np.ones((2, 65), np.float32)).any()
    assert engine.stats.refused_callbacks == 1


def test_a_model_that_raises_is_silent_says_why_and_recovers() -> None:
    is_broken = [True]

    def break_down(audio: Audio, _: Audio) -> Audio:
        if is_broken[0]:
            msg = "out of tune"
            raise ValueError(msg)
        return audio

    engine = ready(break_down)
    audio = np.ones((2, 640), np.float32)
    assert not played(engine, audio, [64] * 10).any()
    assert engine.stats.failed_blocks == 1  # it is left alone from then on
    assert engine.last_error == "ValueError: out of tune"
    is_broken[0] = False
    engine.reset()
    assert played(engine, audio, [64] * 10)[0, -1] == 1.0


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.ones((2, 95), np.float32), r"must have shape \(2, 96\), got \(2, 95\)"),
        (np.ones((1, 96), np.float32), r"must have shape \(2, 96\), got \(1, 96\)"),
        (np.ones((2, 96)), "must be a numpy array of float32, got one of float64"),
        (None, "must be a numpy array of float32, got NoneType"),
    ],
    ids=["short", "mono", "float64", "None"],
)
def test_what_is_no_audio_is_a_failure(returned: Any, message: str) -> None:
    engine = ready(lambda _, __: returned)
    assert not played(engine, np.ones((2, 128), np.float32), [64, 64]).any()
    assert engine.stats.failed_blocks == 1
    assert re.search(message, engine.last_error)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_muted_and_counted(value: float) -> None:
    engine = ready(lambda audio, _: np.full_like(audio, value))
    assert not played(engine, np.ones((2, 640), np.float32), [64] * 10).any()
    assert (engine.stats.muted_blocks, engine.stats.failed_blocks) == (6, 0)


def test_what_a_model_gets_is_its_own_to_keep(noise: Noise) -> None:
    kept: list[Audio] = []

    def keep(audio: Audio, _: Audio) -> Audio:
        kept.append(audio)
        return audio

    engine = ready(keep)
    audio = noise(2, 960, seed=3).numpy()
    played(engine, audio, [60] * 16)
    np.testing.assert_array_equal(np.concatenate(kept, axis=1), audio)


def test_another_model_takes_over() -> None:
    engine = ready()
    audio = np.ones((2, 64), np.float32)
    played(engine, np.ones((2, 640), np.float32), [64] * 10)
    engine.set_model(FunctionModel(lambda block, _: -block, FORMAT))
    last = 1.0
    for _ in range(10_000):  # the fade takes some of them
        last = engine.process(audio)[0, -1]
        if last == -1.0:
            break
    assert last == -1.0
    engine.set_model(None)
    for _ in range(10_000):
        last = engine.process(audio)[0, -1]
        if last == 0.0:
            break
    assert last == 0.0


def test_a_model_that_cannot_be_configured_raises_what_it_raises() -> None:
    class Refusing(FunctionModel):
        def configure(self, _: HostFormat, /) -> ModelFormat:
            msg = "not here"
            raise KeyError(msg)

    engine = Engine()
    engine.set_model(Refusing(identity, FORMAT))
    with pytest.raises(KeyError, match="not here"):
        engine.prepare(HOST)


def engines(n: int, pool: WorkerPool) -> list[Engine]:
    made = []
    for index in range(n):
        engine = Engine(pool)
        engine.set_model(FunctionModel(lambda audio, _, gain=index: gain * audio, FORMAT))  # type: ignore[misc]
        engine.prepare(HOST, latency_mode="blocking")
        made.append(engine)
    return made


@pytest.mark.parametrize("n_threads", [1, 2])
def test_engines_share_a_pool(n_threads: int) -> None:
    pool = WorkerPool(n_threads)
    assert pool.size == n_threads
    audio = np.ones((2, 640), np.float32)
    lasts = [played(engine, audio, [64] * 10)[0, -1] for engine in engines(10, pool)]
    assert lasts == list(range(10))


WRONG_TYPE: Any = np.ones((2, 64))
NO_ARRAY: Any = [[0.0]]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: ready().process(WRONG_TYPE),
            InvalidTypeError,
            "audio must be a numpy array of float32, got one",
        ),
        (lambda: ready().process(NO_ARRAY), InvalidTypeError, "audio must be a numpy array of float32, got list"),
        (lambda: ready().process(ONES[0]), InvalidArgumentError, r"audio must have shape \(channels, frames\), got"),
        (lambda: ready().process(ONES[:1]), InvalidArgumentError, "audio must have the 2 channels .* got 1"),
        (lambda: ready().process(ONES, WRONG_TYPE), InvalidTypeError, "params must be a numpy array of float32"),
        (lambda: ready().process(ONES, ONES[:, :5]), InvalidArgumentError, "params must have 1 frame, or as many as"),
        (
            lambda: ready(default_params=[0.0] * 3).process(ONES, ONES),
            InvalidArgumentError,
            "a row for each of the model's 3 parameters, got 2",
        ),
        (lambda: WorkerPool(0), InvalidArgumentError, "n_threads must be 1 to 1024, got 0"),
        (lambda: WorkerPool(-1), InvalidArgumentError, "n_threads must be 1 to 1024, got -1"),
        (lambda: HostFormat(max_block_frames=-1), InvalidArgumentError, "max_block_frames must be 0 to .*, got -1"),
        (lambda: Engine().prepare(HostFormat(sample_rate_hz=0)), InvalidArgumentError, "0"),
        (lambda: Engine().prepare(HostFormat(in_channels=3)), InvalidArgumentError, "3"),
        (lambda: ready(mode="three-blocks"), InvalidArgumentError, "must be two-blocks, one-block or blocking, got th"),
        (lambda: ready(block_frames=0), InvalidArgumentError, "0"),
        (
            lambda: Engine().prepare(HOST, late_output="wet"),  # type: ignore[arg-type]
            InvalidArgumentError,
            "late_output must be silence or dry, got wet",
        ),
        (lambda: SimulatedDevice(Engine(), ONES, seconds=1.0), InvalidArgumentError, "call prepare"),
        (lambda: SimulatedDevice(ready(), ONES[:1], seconds=1.0), InvalidArgumentError, "audio must have the 2"),
        (lambda: SimulatedDevice(ready(), ONES[:, :0], seconds=1.0), InvalidArgumentError, "at least one frame"),
        (lambda: SimulatedDevice(ready(), ONES, seconds=0.0), InvalidArgumentError, "seconds must be above 0.*, got 0"),
        (lambda: SimulatedDevice(ready(), ONES, seconds=np.nan), InvalidArgumentError, "seconds must be above 0"),
        (lambda: SimulatedDevice(ready(), ONES, seconds=1e9), InvalidArgumentError, "no more than 100000000 callbacks"),
        (lambda: SimulatedDevice(ready(), ONES, seconds=1.0).wait(1.0), InvalidArgumentError, "call start"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object], kind: type[NeutoneError], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_a_refusal_changes_nothing(noise: Noise) -> None:
    engine, untouched = ready(), ready()
    audio = noise(2, 640, seed=1).numpy()
    out = []
    for at in range(0, 640, 64):
        with pytest.raises(InvalidArgumentError):
            engine.process(audio[:1, at : at + 64])
        with pytest.raises(InvalidArgumentError):
            engine.prepare(HostFormat(sample_rate_hz=0))
        out.append(engine.process(audio[:, at : at + 64]))
    np.testing.assert_array_equal(np.concatenate(out, axis=1), played(untouched, audio, [64] * 10))


def test_one_engine_has_one_audio_thread(gate: threading.Event) -> None:
    is_inside = threading.Event()
    engine = ready(waiting_for(gate, is_inside))
    thread = threading.Thread(target=played, args=(engine, np.ones((2, 640), np.float32), [64] * 10))
    thread.start()
    assert is_inside.wait(LONG_SECONDS)
    for call in (lambda: engine.process(ONES), engine.reset, lambda: engine.prepare(HOST)):
        with pytest.raises(InvalidArgumentError, match="used in another thread"):
            call()
    gate.set()
    thread.join()
    assert engine.process(ONES).shape == (2, 64)


def test_the_dry_signal_may_stand_for_what_is_late(gate: threading.Event, noise: Noise) -> None:
    engine = Engine()
    engine.set_model(FunctionModel(waiting_for(gate), FORMAT))
    engine.prepare(HOST, late_output="dry")
    audio = noise(2, 640, seed=5).numpy()
    out = played(engine, audio, [64] * 10)
    latency = engine.latency_samples
    after_fade = latency + 64
    np.testing.assert_array_equal(out[:, after_fade:], audio[:, after_fade - latency : -latency])
    assert engine.stats.missing_samples == 640 - latency
    gate.set()


def test_an_engine_goes_with_its_model_while_that_works(gate: threading.Event) -> None:
    is_inside = threading.Event()
    model = FunctionModel(waiting_for(gate, is_inside), FORMAT)
    engine = Engine()
    engine.set_model(model)
    engine.prepare(HOST)
    for _ in range(4):
        engine.process(ONES)
    assert is_inside.wait(LONG_SECONDS)
    watcher = weakref.ref(model)
    threading.Timer(0.0, gate.set).start()
    del engine, model
    gc.collect()
    assert watcher() is None


def test_coming_and_going_leaves_nothing_behind() -> None:
    models: weakref.WeakSet[FunctionModel] = weakref.WeakSet()
    for _ in range(100):
        model = FunctionModel(identity, FORMAT)
        models.add(model)
        engine = Engine(WorkerPool(2))
        engine.set_model(model)
        engine.prepare(HOST)
        for _ in range(4):
            engine.process(ONES)
    del engine, model
    gc.collect()
    assert not models


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nm -D is for ELF")
def test_the_module_knows_nothing_of_torch() -> None:
    """It has to work with every torch, so it takes nothing from any, and keeps what it has to itself."""
    nm = shutil.which("nm")
    assert nm, "nm is missing: install binutils"
    lines = subprocess.run(  # noqa: S603
        [nm, "-D", "--demangle", os.fspath(_native.__file__)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines
    assert not [line for line in lines if re.search(r"\b(at|c10|torch|caffe2)::|aoti_torch", line)]
    assert any("PyInit__native" in line for line in lines)
    assert not [line for line in lines if " neutone::" in line]
