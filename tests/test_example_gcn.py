"""The learnt compressor compresses, and remembers for longer than its convolutions see."""

import math

import torch
from torch import Tensor

from neutone_sdk.rendering import knobs, render
from neutone_sdk.utils import load_neutone_model

from .conftest import RunOfExample
from .example_runs import EXAMPLES

RATE_HZ = 44_100


def level_db(audio: Tensor, seconds: float) -> float:
    """Return the level of the 50 ms that begin there."""
    start = int(seconds * RATE_HZ)
    return 20.0 * math.log10(float(audio[0, start : start + RATE_HZ // 20].square().mean().sqrt()) + 1e-9)


def test_loud_sounds_are_held_down_and_soft_ones_behind_them_come_back_slowly(run_of_example: RunOfExample) -> None:
    (example,) = (path for path in EXAMPLES if path.stem == "example_gcn")
    file, printed = run_of_example(example)
    model, metadata = load_neutone_model(file)
    seconds = torch.arange(4 * RATE_HZ) / RATE_HZ
    amplitudes = torch.where((seconds >= 1.0) & (seconds < 2.0), 0.9, 0.05)  # 25 dB louder for a second
    tone = (amplitudes * torch.sin(2.0 * torch.pi * 440.0 * seconds))[None]
    at_0, at_60, at_100 = (
        render(model, tone, knobs(metadata, {"peak reduction": percent}), sample_rate_hz=RATE_HZ)
        for percent in ("0", "60", "100")
    )

    assert "63 samples late" in printed  # a modulation block less one
    assert model.calc_model_delay_samples() == 63
    before_db, loud_db, behind_db, later_db = (level_db(at_60, at) for at in (0.9, 1.9, 2.0, 3.8))
    assert loud_db - before_db < 20.0
    assert behind_db < before_db - 2.0  # the convolutions see a quarter of a millisecond
    assert abs(later_db - before_db) < 1.5
    assert abs(level_db(at_0, 3.8) - level_db(tone, 3.8)) < 1.5
    assert level_db(at_100, 3.8) < level_db(at_0, 3.8) - 4.0  # the tone is 10 dB above the threshold
