"""What a check found, and what all of them found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Status(Enum):
    """How a check went."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """What a check says of a model.

    Attributes:
        status: How it went.
        detail: What was measured, with numbers; of a skipped check, why.
        remedy: What to do, where that is more exact than the check's own remedy.
        error: What the model in memory raised, if that is the reason.
    """

    status: Status
    detail: str
    remedy: str = ""
    error: Exception | None = None


def passed(detail: str) -> Outcome:
    """Return that all is well."""
    return Outcome(Status.PASSED, detail)


def warned(detail: str, remedy: str = "") -> Outcome:
    """Return that something is odd; a host can live with it."""
    return Outcome(Status.WARNED, detail, remedy)


def failed(detail: str, remedy: str = "", error: Exception | None = None) -> Outcome:
    """Return that something is wrong."""
    return Outcome(Status.FAILED, detail, remedy, error)


def skipped(detail: str) -> Outcome:
    """Return why nothing could be checked."""
    return Outcome(Status.SKIPPED, detail)


@dataclass(frozen=True)
class Result:
    """What one check found.

    Attributes:
        name: Of the check.
        reason: Why a host cares.
        status: How it went.
        detail: What was measured, with numbers; of a skipped check, why.
        remedy: What to do; empty where there is nothing to be done.
        error: What the model in memory raised, if that is the reason.
    """

    name: str
    reason: str
    status: Status
    detail: str
    remedy: str = ""
    error: Exception | None = None

    def to_dict(self) -> dict[str, str]:
        """Return what JSON can hold."""
        texts = {name: getattr(self, name) for name in ("name", "detail", "reason", "remedy")}
        return {"status": self.status.value, **{name: text for name, text in texts.items() if text}}


@dataclass(frozen=True)
class Report:
    """What all checks found, in their order."""

    results: tuple[Result, ...]

    def of(self, *statuses: Status) -> list[Result]:
        """Return the results with one of these statuses."""
        return [result for result in self.results if result.status in statuses]

    @property
    def is_good(self) -> bool:
        """Whether nothing failed; warnings may be there."""
        return not self.of(Status.FAILED)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"is_good": self.is_good, "results": [result.to_dict() for result in self.results]}


def as_text(results: Iterable[Result]) -> str:
    """Return one line for each result, and what to do below it."""
    return "\n".join(f"- {result.name}: {result.detail}. {result.remedy}".rstrip() for result in results)
