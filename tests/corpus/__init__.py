"""Ten thousand broken files, and more: each made of a good one, the same ones every time."""

import functools
import io
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple
from unittest import mock

import torch
from torch import nn

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.scripting import without_deprecation
from neutone_sdk.utils import model_to_torchscript

from ..helpers_existing import Halve, Hosted, Integrates, exported  # noqa: TID252
from ..wrappers import GAIN, PassThrough, card  # noqa: TID252
from . import inside, outside

DAMAGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *outside.BYTES,
    *outside.ZIP,
    *inside.METADATA,
    *inside.RECORDS,
    *inside.PICKLES * 3,
    *inside.CODE * 2,
)
OLD_METADATA = (
    '{"model_name": "old", "is_experimental": "True", "native_sample_rates": ["48000"], "look_behind_samples": "0",'
    ' "neutone_parameters": {"p1": {"name": "a", "default_value": "0.5", "used": "True", "type": "knob"}}}'
)


class Broken(NamedTuple):
    """A file, and how it came about."""

    damage: str
    content: bytes


@functools.cache
def good_files() -> tuple[bytes, ...]:
    """Return an export with state and knobs, a file as 1.x writes them, and plain TorchScript without metadata."""
    with mock.patch("time.time", return_value=1.7e9):  # which stands in a file
        return exported(Hosted, Integrates).content, _old_file(), _plain_torchscript()


def _old_file() -> bytes:
    wrapper: WaveformToWaveformBase = PassThrough(nn.Identity(), card=card(parameters=[GAIN]))
    return _saved(model_to_torchscript(SampleQueueWrapper(wrapper)), {"metadata.json": OLD_METADATA})


def _plain_torchscript() -> bytes:
    with without_deprecation():
        return _saved(torch.jit.script(Halve()), {})


def _saved(script: torch.jit.ScriptModule, extra_files: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with without_deprecation():
        torch.jit.save(script, file, _extra_files=extra_files)
    return file.getvalue()


def broken_file(number: int, good_files: Sequence[bytes]) -> Broken:
    """Return the file of that number."""
    rng = random.Random(number)  # noqa: S311  # no secret, but the same every time
    damage = DAMAGES[number % len(DAMAGES)]
    good = rng.choices(good_files, weights=[6, 3, 1])[0]
    return Broken(damage.__name__, damage(rng, good))
