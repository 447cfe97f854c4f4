"""A check, and the time that it may take."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from neutone_sdk.checks.report import Outcome

if TYPE_CHECKING:
    from neutone_sdk.checks.subject import Subject

Item = TypeVar("Item")
Clock = Callable[[], float]

_PATIENCE = 5.0


class Budget:
    """The time that a check may take. Nothing is interrupted: who spends it asks whether there is some left.

    Args:
        seconds: How long, from now on.
        clock: Returns seconds that never go back.
    """

    def __init__(self, seconds: float, clock: Clock = time.perf_counter) -> None:
        self.seconds = seconds
        self._clock = clock
        self._start = clock()
        self.was_cut = ""  # what had to be left out

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._spent >= self.seconds

    def take(self, items: Sequence[Item], what: str, n_least: int = 1) -> Iterator[Item]:
        """Yield the first item, and the others as long as there is time; remember how far that went.

        Args:
            items: What there is to do.
            what: Its name in the plural, for the report.
            n_least: Items without which the others were for nothing: they may take several times the budget.
        """
        for n_done, item in enumerate(items):
            allowed = self.seconds * (_PATIENCE if n_done < n_least else 1.0)
            if n_done > 0 and self._spent >= allowed:
                self.was_cut = f"{n_done} of {len(items)} {what}"
                return
            yield item

    @property
    def _spent(self) -> float:
        return self._clock() - self._start


@dataclass(frozen=True)
class Check:
    """Something that a host expects of a model.

    Attributes:
        name: How people refer to it, as ``neutone check --only`` does.
        reason: Why a host cares.
        remedy: What to do when it fails.
        run: Looks at a model. What it raises counts as a failure of the model.
        max_seconds: How long it should take at most.
        is_essential: Every export runs it.
        refuses: A failure is reason enough not to write the file, at any export; others are warnings.
    """

    name: str
    reason: str
    remedy: str
    run: "Callable[[Subject, Budget], Outcome]"
    max_seconds: float = 10.0
    is_essential: bool = False
    refuses: bool = False
