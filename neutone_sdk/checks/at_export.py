"""What happens to an export that does not pass its checks."""

import warnings
from collections.abc import Iterator
from typing import Any

from neutone_sdk.checks import CHECKS, OFFLINE, SPEED, Check, Report, Status, Subject, run_checks
from neutone_sdk.checks.report import as_text
from neutone_sdk.checks.speed import QUICK_SPEED
from neutone_sdk.errors import ExportError
from neutone_sdk.streaming.sample_queue_wrapper import SampleQueueWrapper


def check_exported(
    wrapper: SampleQueueWrapper,
    content: bytes,
    metadata: dict[str, Any],
    *,
    is_submission: bool,
    with_offline: bool,
    with_speed: bool,
) -> None:
    """Refuse a file that no host could play rightly, and warn of what else is not as it should be.

    A submission has to pass all checks, and they are shown as a table on stderr; any other export the essential ones.

    Args:
        wrapper: The model in memory.
        content: The file.
        metadata: What it says of itself.
        is_submission: See above.
        with_offline: Compare offline rendering with playing block by block; a submission is compared in any case.
        with_speed: Warn of a model that is far slower than real time; a submission is refused in any case.

    Warns:
        UserWarning: For each check that found something, but not enough to refuse the file.

    Raises:
        ExportError: The file is refused; the message lists every check that failed.
        Exception: Whatever the model in memory raises, if it cannot play at all.
    """
    subject = Subject(content, metadata, wrapper=wrapper, is_submission=is_submission)
    report = run_checks(subject, CHECKS if is_submission else _essentials(with_offline, with_speed))
    if is_submission:
        _show(report)
    refused = {check.name for check in CHECKS if is_submission or check.refuses}
    problems = [result for result in report.of(Status.FAILED) if result.name in refused]
    if problems:
        if problems[0].error is not None and not is_submission:
            raise problems[0].error
        purpose = "a submission" if is_submission else "any host"
        msg = f"the model is not fit for {purpose}; what failed:\n{as_text(problems)}"
        raise ExportError(msg) from next((problem.error for problem in problems if problem.error), None)
    for result in report.of(Status.WARNED, Status.FAILED):
        warnings.warn(f"{result.detail}; {result.remedy}", UserWarning, stacklevel=3)


def _essentials(with_offline: bool, with_speed: bool) -> Iterator[Check]:
    for check in CHECKS:
        if check is SPEED and with_speed:
            yield QUICK_SPEED
        elif check.is_essential and check is not SPEED and (check is not OFFLINE or with_offline):
            yield check


def _show(report: Report) -> None:
    from rich.console import Console  # noqa: PLC0415  # not everybody who exports wants a table

    from neutone_sdk.checks.table import as_table  # noqa: PLC0415

    Console(stderr=True).print(as_table(report))
