"""Whatever a host does with blocks, rates, channels, buffers and knobs, it gets audio back."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, Final

import torch
from torch import Tensor

from neutone_sdk.checks.check import Budget, Check
from neutone_sdk.checks.interface import is_of_1x
from neutone_sdk.checks.report import Outcome, failed, passed, skipped, warned
from neutone_sdk.checks.subject import (
    MAX_BLOCK,
    Model,
    Setting,
    Subject,
    call,
    evenly_chosen,
    noise,
    play,
    play_afresh,
    reason_of,
)
from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import ModelOutputError
from neutone_sdk.metadata import is_numerical
from neutone_sdk.rendering import set_up_host
from neutone_sdk.streaming.schedule import ceil_div

HOST_RATES_HZ: Final = (44_100, 48_000, 96_000)
HOST_BLOCKS: Final = (64, 128, 256, 512, 1024, 2048)
MAX_N_NATIVE: Final = 12  # sizes that are tried, and rates, of a model that has more
_ANY_BLOCKS: Final = (64, 441, 512, 2048)  # of a model without native sizes
_MAX_N_LISTED: Final = 3
_MAX_N_CALLBACKS: Final = 256


def _runs_on_native_blocks(subject: Subject, budget: Budget) -> Outcome:
    claimed = subject.native_blocks or list(_ANY_BLOCKS)
    usable = [size for size in claimed if size <= MAX_BLOCK]
    blocks = evenly_chosen(usable, MAX_N_NATIVE)
    rate_hz = subject.setting.rate_hz
    if not blocks:
        return skipped(f"all blocks have more than {MAX_BLOCK} samples")
    settings = [Setting(rate_hz, block) for block in blocks]
    rates = evenly_chosen([rate for rate in subject.native_rates_hz if rate != rate_hz], MAX_N_NATIVE)
    settings += [Setting(rate, blocks[0]) for rate in rates]
    model = subject.load()
    problems = _problems(budget.take(settings, "settings"), lambda setting: _play_native(model, setting))
    tried = f"{len(blocks)} of {len(claimed)} block sizes from {blocks[0]} to {blocks[-1]}, rates: {len(rates) + 1}"
    return failed(problems) if problems else passed(tried + (", evenly chosen" if len(blocks) < len(usable) else ""))


def _play_native(model: Model, setting: Setting) -> None:
    model.set_daw_sample_rate_and_buffer_size(setting.rate_hz, setting.block, setting.rate_hz, setting.block)
    play_afresh(model, noise(2, 2 * setting.block), setting.block)


def _runs_in_any_host(subject: Subject, budget: Budget) -> Outcome:
    settings = [Setting(rate, block) for rate, block in product(HOST_RATES_HZ, HOST_BLOCKS)]
    model = subject.load()
    problems = _problems(budget.take(settings, "settings"), lambda setting: _play_in_host(model, setting))
    return failed(problems) if problems else passed(f"{len(settings)} settings")


def _play_in_host(model: Model, setting: Setting) -> None:
    """Long enough for the model to run, and for its first output to arrive."""
    latency = set_up_host(model, setting.rate_hz, setting.block)
    n_callbacks = ceil_div(latency.total_samples + 2 * latency.model_block, setting.block) + 1
    n_samples = min(n_callbacks, _MAX_N_CALLBACKS) * setting.block
    _check_finite(play_afresh(model, noise(2, n_samples), setting.block))


def _plays_mono_and_stereo(subject: Subject, budget: Budget) -> Outcome:
    model, block = subject.load_for(subject.setting), subject.setting.block
    for key in ("is_input_mono", "is_output_mono"):
        stated, real = subject.metadata.get(key), getattr(model, key)()
        if stated is not None and (str(stated).lower() in {"true", "1"}) != real:
            return failed(f"the metadata says {key}: {stated}, the model {real}")
    problems = _problems(
        budget.take(["mono", "stereo", "a track that turns from stereo to mono"], "tracks"),
        lambda track: play(model, _track(track, block), block),
    )
    channels = " and ".join("mono" if getattr(model, f"is_{side}_mono")() else "stereo" for side in ("input", "output"))
    return failed(problems) if problems else passed(f"mono and stereo tracks through a model of {channels}")


def _track(kind: str, block: int) -> Tensor:
    return noise(2 if kind == "stereo" else 1, 4 * block)


def _leaves_buffers_alone(subject: Subject, budget: Budget) -> Outcome:
    """The host refills the same two tensors, as hosts do, and keeps what it got."""
    model, block = subject.load_for(subject.setting), subject.setting.block
    n_blocks = max(4, 2 * ceil_div(model.model_bs, block))
    x, knobs = torch.empty(2, block), torch.empty(MAX_N_PARAMS, block)
    kept: list[tuple[Tensor, Tensor]] = []
    for seed in budget.take(range(n_blocks), "blocks"):
        x.copy_(noise(2, block, seed=seed))
        knobs.copy_(noise(MAX_N_PARAMS, block, seed=seed + n_blocks).abs())
        before = x.clone(), knobs.clone()
        output = call(model, x, knobs)
        if not (torch.equal(x, before[0]) and torch.equal(knobs, before[1])):
            return failed(f"callback {seed} wrote to the host's {'knobs' if torch.equal(x, before[0]) else 'audio'}")
        kept.append((output, output.clone()))
    n_changed = sum(not torch.equal(output.nan_to_num(), copy.nan_to_num()) for output, copy in kept)
    if n_changed:
        detail = f"of {len(kept)} blocks that the host kept {n_changed} changed in later callbacks"
        return warned(f"{detail}, as all files of 1.x do") if is_of_1x(subject) else failed(detail)
    return passed(f"{len(kept)} callbacks")


def _survives_all_knobs(subject: Subject, budget: Budget) -> Outcome:
    parameters = list(subject.metadata.get("neutone_parameters", {}).values())
    knobs = [parameter for parameter in parameters if is_numerical(parameter)][:MAX_N_PARAMS]
    if not knobs:
        return skipped("there are none")
    model, block = subject.load_for(subject.setting), subject.setting.block
    defaults = model.get_default_param_values().reshape(MAX_N_PARAMS, 1)
    positions = list(_positions(knobs, defaults))
    n_samples = max(2, ceil_div(2 * model.model_bs, block)) * block
    audio = noise(2, n_samples, peak=0.5)
    sweep = torch.linspace(0.0, 1.0, n_samples).expand(MAX_N_PARAMS, -1)
    cases: list[tuple[str, Tensor]] = [*positions, ("all swept from 0 to 1", sweep)]
    problems = _problems(
        budget.take(cases, "positions"),
        lambda case: _check_finite(play_afresh(model, audio, block, case[1])),
        lambda case: case[0],
    )
    return failed(problems) if problems else passed(f"{len(knobs)} knobs in {len(cases)} positions")


def _positions(knobs: list[dict[str, Any]], defaults: Tensor) -> Iterable[tuple[str, Tensor]]:
    """Yield names and values ``(4, 1)``: all at either end, then each alone, menus at each entry."""
    for end in (0.0, 1.0):
        yield f"all at {end:g}", torch.full((MAX_N_PARAMS, 1), end)
    for row, knob in enumerate(knobs):
        n_values = max(2, int(float(knob.get("n_values") or 2)))
        for index in evenly_chosen(range(n_values), MAX_N_NATIVE * 2):
            values = defaults.clone()
            values[row] = index / (n_values - 1)
            yield f"{knob.get('name', row)!r} at {index / (n_values - 1):.3g}", values


def _check_finite(audio: Tensor) -> None:
    n_bad = int((~audio.isfinite()).sum())
    if n_bad:
        msg = f"{n_bad} of {audio.numel()} samples are no finite numbers"
        raise ModelOutputError(msg)


def _problems(cases: Iterable[Any], run: Callable[[Any], Any], name: Callable[[Any], str] = str) -> str:
    """Return what goes wrong in which cases; each is tried, whatever happens in the others."""
    reasons = [(name(case), _problem(case, run)) for case in cases]
    problems = [f"{case}: {reason}" for case, reason in reasons if reason]
    more = len(problems) - _MAX_N_LISTED
    return "; ".join(problems[:_MAX_N_LISTED]) + (f"; and {more} more" if more > 0 else "")


def _problem(case: Any, run: Callable[[Any], Any]) -> str:
    try:
        run(case)
    except Exception as error:  # noqa: BLE001  # the model's own code runs
        return reason_of(error)
    return ""


NATIVE_BLOCKS = Check(
    "native-blocks",
    "a host picks the block that suits it from those that the model offers: each has to work",
    "return as many samples as come in, for every size in get_native_buffer_sizes(); take sizes that do not work out",
    _runs_on_native_blocks,
)
ANY_HOST = Check(
    "rates-and-blocks",
    "people work at all common rates and block sizes, and change them in the middle of a session",
    "name the rates and sizes that the model works at in get_native_sample_rates() and get_native_buffer_sizes()",
    _runs_in_any_host,
    max_seconds=20.0,
)
CHANNELS = Check(
    "mono-stereo",
    "tracks are mono or stereo, and the host has to know which of them the model hears and returns",
    "let is_input_mono() and is_output_mono() say what do_forward_pass takes and returns, also when both channels are "
    "the same",
    _plays_mono_and_stereo,
)
BUFFERS = Check(
    "host-buffers",
    "a host refills the audio and knobs that it hands over, and keeps what it gets",
    "do not write to what forward is given, nor return what a later call overwrites: clone",
    _leaves_buffers_alone,
)
PARAMETERS = Check(
    "parameters",
    "knobs are turned to their ends, and automated",
    "avoid divisions by, and logarithms of, what a knob can make 0; choose ranges that the model works in",
    _survives_all_knobs,
)
