"""What is heard is what was wrapped: in memory and from the file, callback by callback and offline, again and again."""

import torch
from torch import Tensor

from neutone_sdk.checks.check import Budget, Check
from neutone_sdk.checks.compare import MAX_DIFFERENCE, difference, how_they_differ
from neutone_sdk.checks.report import Outcome, failed, passed, skipped, warned
from neutone_sdk.checks.script_state import changed, state_of
from neutone_sdk.checks.subject import Model, Performance, Subject, checked, play_afresh
from neutone_sdk.errors import NeutoneError
from neutone_sdk.rendering import set_up_host
from neutone_sdk.script_operators import drops_out, operators_in
from neutone_sdk.scripting import SCRIPT_ERRORS, message_of

_RANDOM_OPERATORS = {
    *("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "native_dropout"),
    *("rand", "randn", "rand_like", "randn_like", "randint", "randint_like", "randperm"),
    *("bernoulli", "multinomial", "normal", "uniform", "exponential", "geometric", "log_normal", "cauchy", "random"),
    *("poisson", "rrelu", "rrelu_with_noise"),
}
_N_NAMED = 5  # parts of a model that are named, of all that a reset leaves as they are


def _plays_like_memory(subject: Subject, budget: Budget) -> Outcome:
    if subject.wrapper is None:
        return skipped("at export only: here is no model in memory to compare with")
    try:
        in_memory = subject.perform(subject.wrapper, budget)
    except Exception as error:  # noqa: BLE001  # the wrapper's own code runs
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        return failed(f"the model in memory fails on a drum loop: {error}", error=cause)
    try:
        in_file = subject.performance(budget)
    except NeutoneError as error:
        return failed(f"the exported model fails on a drum loop, the model in memory does not: {error}")
    if in_memory.delay != in_file.delay:
        return failed(f"the model in memory is late by {in_memory.delay} samples, the exported file by {in_file.delay}")
    n_samples = min(in_memory.output.size(1), in_file.output.size(1))
    played, expected = (each.output[:, :n_samples] for each in (in_file, in_memory))
    problem = how_they_differ("the model in memory", expected, "the exported file", played)
    return failed(problem) if problem else passed(f"{n_samples} samples of drums, {subject.setting}")


def _plays_offline(subject: Subject, budget: Budget) -> Outcome:
    played = subject.performance(budget)
    model = subject.unplayed  # one that has kept nothing of what a reset may leave
    if not hasattr(model, "forward_offline"):
        return skipped("this file of 1.x has no forward_offline")
    n_samples = played.audio.size(1) - played.delay
    if n_samples <= 0:
        return skipped(f"the model is too slow to hear anything behind its delay of {played.delay} samples")
    set_up_host(model, subject.setting.rate_hz, subject.setting.block)
    torch.manual_seed(0)
    try:
        offline = model.forward_offline(played.audio)
    except SCRIPT_ERRORS as error:
        return failed(f"forward_offline fails: {message_of(error)}")
    in_time = played.output[:, played.delay :]
    offline = checked(offline, played.audio)[:, :n_samples]
    problem = how_they_differ("the exported file block by block", in_time, "the same file offline", offline)
    return failed(problem) if problem else passed(f"{n_samples} samples, with {played.delay} of delay taken out")


def _forgets(subject: Subject, budget: Budget) -> Outcome:
    first = subject.performance(budget)
    second = play_afresh(first.model, first.audio, subject.setting.block)
    problem = how_they_differ("the exported file", first.output, "the same file after reset()", second)
    if not problem:
        return _is_repeatable(subject, first, budget)
    kept = _what_a_reset_keeps(subject, first.audio)
    named = ", ".join(kept[:_N_NAMED]) + f" and {len(kept) - _N_NAMED} more" * (len(kept) > _N_NAMED)
    detail = problem + (f"; what it keeps: {named}" if kept else "")
    if _says_that_it_can_reset(first.model):
        return failed(detail)
    return warned(detail, "the wrapper has no reset_model(): define one to forget all of it")


def _is_repeatable(subject: Subject, first: Performance, budget: Budget) -> Outcome:
    """All plays get the same random numbers, so that models which are meant to use some can be compared."""
    same = "a second play is the same as the first"
    operators = {name.partition("::")[2].rstrip("_") for name in operators_in(first.model)}
    if operators.isdisjoint(_RANDOM_OPERATORS) or budget.is_over:
        return passed(same)
    other = play_afresh(first.model, first.audio, subject.setting.block, seed=1)
    worst = difference(first.output, other)
    if worst <= MAX_DIFFERENCE:
        return passed(same)
    detail = f"with other random numbers the file plays the same audio differently, by up to {worst:.3g}"
    if not drops_out(first.model):
        return passed(f"{same}; {detail}")
    return warned(
        detail, "dropout is at work in the file: call F.dropout with training=self.training, or use nn.Dropout"
    )


def _says_that_it_can_reset(model: Model) -> bool:
    """A wrapper without ``reset_model`` answers no; a file without a wrapper that answers is taken to be able to."""
    wrapper = getattr(model, "w2w_base", None)
    return True if wrapper is None or not hasattr(wrapper, "reset") else bool(wrapper.reset())


def _what_a_reset_keeps(subject: Subject, audio: Tensor) -> list[str]:
    model = subject.load_for(subject.setting)
    before = state_of(model)
    play_afresh(model, audio, subject.setting.block)
    kept = changed(before, state_of(model))
    return [
        name.removeprefix("w2w_base.")
        for name in kept
        if name.startswith("w2w_base.") and not name.startswith("w2w_base.sdk_")
    ]


SAME_AS_MEMORY = Check(
    "same-as-memory",
    "people listen to the model in Python, and to the file in the host",
    "look for code under torch.jit.is_scripting(), for attributes that change after scripting, and for state that "
    "reset_model() does not reset",
    _plays_like_memory,
    max_seconds=20.0,
    is_essential=True,
    refuses=True,
)
OFFLINE = Check(
    "offline",
    "a bounce has to sound like what was heard while playing",
    "look for state that reset_model() does not reset, and for a delay that calc_model_delay_samples() does not tell",
    _plays_offline,
    max_seconds=20.0,
    is_essential=True,
    refuses=True,
)
RESET = Check(
    "reset",
    "a host resets before each playback; what is left of the last one is heard in the next, and no bounce is the same",
    "reset_model() has to forget all of it",
    _forgets,
    max_seconds=20.0,
    is_essential=True,
)
