"""Runs checks, all of them, whatever a model does."""

import time
from collections.abc import Callable, Iterable
from typing import Final

import torch

from neutone_sdk.checks.check import Budget, Check, Clock
from neutone_sdk.checks.report import Outcome, Report, Result, Status, failed, skipped
from neutone_sdk.checks.subject import Subject, reason_of
from neutone_sdk.errors import InvalidFileError

MAX_SECONDS: Final = 120.0  # for all checks together


def run_checks(
    subject: Subject,
    checks: Iterable[Check],
    *,
    max_seconds: float = MAX_SECONDS,
    clock: Clock = time.perf_counter,
    on_check: Callable[[Check], None] = lambda _: None,
) -> Report:
    """Run checks one after the other, and never raise for what a model does.

    The caller's random numbers stay as they were. Models that use some get the same ones each time.

    Args:
        subject: The model.
        checks: In this order.
        max_seconds: Checks that come later than that are skipped. A check that is in the middle of something ends with
            the callback that runs.
        clock: Returns seconds that never go back.
        on_check: Called before each check.
    """
    total = Budget(max_seconds, clock)
    results = []
    for check in checks:
        on_check(check)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(0)
            results.append(_result(check, _outcome(check, subject, total, clock)))
    return Report(tuple(results))


def _outcome(check: Check, subject: Subject, total: Budget, clock: Clock) -> Outcome:
    if total.is_over:
        return skipped(f"the checks before it took all of {total.seconds:g} s")
    budget = Budget(check.max_seconds, clock)
    try:
        outcome = check.run(subject, budget)
    except InvalidFileError as error:
        outcome = skipped(str(error))
    except Exception as error:  # noqa: BLE001  # whatever the model's own code raises
        outcome = failed(f"the model fails: {reason_of(error)}")
    if not budget.was_cut:
        return outcome
    detail = f"{outcome.detail}; cut short by the limit of {check.max_seconds:g} s after {budget.was_cut}"
    return Outcome(outcome.status, detail, outcome.remedy, outcome.error)


def _result(check: Check, outcome: Outcome) -> Result:
    is_bad = outcome.status in {Status.WARNED, Status.FAILED}
    remedy = (outcome.remedy or check.remedy) if is_bad else ""
    return Result(check.name, check.reason, outcome.status, outcome.detail, remedy, outcome.error)
