"""What comes out is fit for loudspeakers, and a session may last."""

import sys
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from neutone_sdk.checks.check import Budget, Check
from neutone_sdk.checks.report import Outcome, failed, passed, skipped, warned
from neutone_sdk.checks.script_state import grown, sizes_bytes, state_of
from neutone_sdk.checks.subject import Subject, call, noise, play
from neutone_sdk.streaming.schedule import ceil_div

# A mean above -60 dBFS costs headroom and clicks whenever the model is switched on or off. What makes sounds by itself
# has a mean too: DC is what there is little else beside. Noise has peaks on either side, which distortion may round
# unequally; a host can filter that, so it takes more to be worth a word.
MAX_DC_IN_SILENCE: Final = 1e-3
MIN_DC_SHARE_IN_SILENCE: Final = 0.5  # of the RMS
MAX_DC_IN_NOISE: Final = 0.03
MIN_DC_SHARE_IN_NOISE: Final = 0.1
_SECONDS_OF_ZEROS: Final = 10
_AGAINST_BAD_NUMBERS: Final = (
    "look for divisions by, and logarithms of, a level that may be 0, and for feedback above 1"
)
_AGAINST_DC: Final = "look for a bias that silence turns into DC: subtract what silence gives, or end with a high-pass"

N_BLOCKS: Final = 1000
_MOMENTS: Final = (200, 600, N_BLOCKS)  # before the first torch specialises the graph, and caches fill
# Allocators keep pages, and other threads of the process live on. One block of 2048 samples of stereo, kept every time,
# makes 12.5 MiB.
MAX_RESIDENT_GROWTH_BYTES: Final = 10 * 2**20


def _sounds_clean(subject: Subject, budget: Budget) -> Outcome:
    setting = subject.setting
    model = subject.load_for(setting)
    n_second = ceil_div(setting.rate_hz, setting.block) * setting.block
    problems: dict[str, str] = {}  # to their remedies
    oddities: dict[str, str] = {}
    for name, audio in _signals(n_second):
        output = play(model, audio, setting.block, budget=budget)
        problem, oddity = _faults(name, audio, output)
        problems |= problem
        oddities |= oddity
    if problems:
        return failed("; ".join(problems), "; ".join(dict.fromkeys(problems.values())))
    if oddities:
        return warned("; ".join(oddities), _AGAINST_DC)
    return passed(f"silence, pulses, noise at full scale, then {_SECONDS_OF_ZEROS} s of zeros")


def _signals(n_second: int) -> list[tuple[str, Tensor]]:
    """One after the other, as in a session: the zeros at the end find what decays, or does not."""
    pulses = torch.zeros(2, n_second)
    pulses[0, 0] = 1.0
    pulses[1, n_second // 2] = -1.0
    return [
        ("silence", torch.zeros(2, n_second)),
        ("pulses", pulses),
        ("noise at full scale", noise(2, n_second)),
        (f"{_SECONDS_OF_ZEROS} s of zeros after it", torch.zeros(2, _SECONDS_OF_ZEROS * n_second)),
    ]


def _faults(name: str, audio: Tensor, output: Tensor) -> tuple[dict[str, str], dict[str, str]]:
    """Return what must not be, and what is odd, each with its remedy."""
    n_bad = int((~output.isfinite()).sum())
    if n_bad:
        first = int((~output.isfinite()).any(dim=0).nonzero()[0])
        return {f"on {name} {n_bad} samples are no finite numbers, the first in {first}": _AGAINST_BAD_NUMBERS}, {}
    rest = output[:, output.size(1) // 2 :].double()  # what was heard before has decayed
    dc = rest.mean(dim=1).abs()
    share = dc / rest.square().mean(dim=1).sqrt().clamp(min=1e-12)
    found = {f"on {name} the output has a DC offset of {float(dc.max()):.3g}": _AGAINST_DC}
    if audio.square().mean() > 0.01:
        return {}, found if ((dc > MAX_DC_IN_NOISE) & (share > MIN_DC_SHARE_IN_NOISE)).any() else {}
    return found if ((dc > MAX_DC_IN_SILENCE) & (share > MIN_DC_SHARE_IN_SILENCE)).any() else {}, {}


def _needs_no_more_memory(subject: Subject, budget: Budget) -> Outcome:
    model, block = subject.load_for(subject.setting), subject.setting.block
    audio = noise(2, block)
    played: list[int] = []
    resident: list[int] = []
    states: list[dict[str, int]] = []
    for n_blocks in budget.take(range(1, N_BLOCKS + 1), "blocks"):
        call(model, audio)
        if n_blocks in _MOMENTS:
            played.append(n_blocks)
            states.append(sizes_bytes(state_of(model)))
            resident.append(_resident_bytes())  # behind the other: that takes memory itself, the same every time
    if len(played) < 3:
        return skipped(f"the model is too slow to play {_MOMENTS[2]} blocks of {block}")
    span = f"between block {played[0]} and {played[-1]}"
    before, after = (sum(state.values()) for state in (states[0], states[-1]))
    names = grown(states)
    if names:
        return failed(f"what it keeps grows from {before} to {after} bytes {span}: {', '.join(names)}")
    growth = resident[-1] - resident[0]
    if growth > MAX_RESIDENT_GROWTH_BYTES and resident[-1] - resident[1] > growth / 4:
        return failed(f"the process grows by {growth / 2**20:.1f} MiB {span}")
    return passed(f"{after / 1e6:.2f} MB in the model, {max(growth, 0) / 2**20:.1f} MiB more {span}")


def _resident_bytes() -> int:
    """Return how much memory the process holds; 0 where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource  # noqa: PLC0415  # not on every system

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


CLEAN_OUTPUT = Check(
    "clean-output",
    "a sample that is no number mutes a whole mixer until it is restarted; DC takes headroom, and clicks",
    f"{_AGAINST_BAD_NUMBERS}; {_AGAINST_DC}",
    _sounds_clean,
    max_seconds=20.0,
)
MEMORY = Check(
    "memory",
    "a session lasts for hours, with several copies of the model",
    "do not append to lists or concatenate to tensors without an end: keep buffers of a fixed size",
    _needs_no_more_memory,
    max_seconds=20.0,
)
