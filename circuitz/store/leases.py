"""Who has which question before them: leases that expire, and questions set aside for later.

Unlike judgements these are no record of anything: they are changed and removed, and losing them
costs nothing but a question asked once more than needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from circuitz.store.answered_slots import Slot

#: Clocks of machines that share a store may differ by so much. A lease from further ahead was given
#: by a clock that was wrong, or has been set back since: it keeps nobody from a question.
CLOCKS_APART = 60.0
LONGEST_LEASE = 7 * 86_400.0


@dataclass(frozen=True)
class TaskSnapshot:
    """What stands at one moment, for one task.

    Parameters
    ----------
    answered
        Raters who have an answer in force, by slot.
    leased
        Raters who have a question before them, with the time (seconds since 1970) it returns.
    aside
        Questions this rater set aside, oldest first.
    now
        The time it was looked at.
    """

    answered: dict[Slot, set[str]] = field(default_factory=dict[Slot, set[str]])
    leased: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    aside: tuple[str, ...] = ()
    now: float = 0.0


class QuestionLeases(Protocol):
    """Leases and questions set aside, of one task."""

    def choose_and_lease_questions(
        self,
        rater: str,
        current_questions: Iterable[str],
        choose: Callable[[TaskSnapshot], Iterable[str]],
        seconds: float,
    ) -> tuple[TaskSnapshot, list[str]]:
        """Lease what the rater holds already and what is chosen for them, in one step for all.

        Parameters
        ----------
        current_questions
            Questions on the rater's screen now; leases on others of theirs end.
        choose
            Given what stands, names further questions. No lease comes between.
        seconds
            How long a lease lasts.

        Returns
        -------
        What stood before, and the questions chosen.
        """
        ...

    def snapshot(self, rater: str) -> TaskSnapshot:
        """Return what stands now."""
        ...

    def set_aside(self, rater: str, question: str) -> None:
        """Put a question off until the others are done."""
        ...

    def bring_back(self, rater: str, questions: Iterable[str]) -> None:
        """Put questions back among the others."""
        ...
