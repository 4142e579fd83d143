"""Leases and questions set aside, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import RLock

from circuitz.store.answered_slots import AnsweredSlots
from circuitz.store.in_force import AnswersInForce
from circuitz.store.leases import CLOCKS_APART, LONGEST_LEASE, TaskSnapshot


@dataclass
class LeaseTable:
    """Leases and questions set aside of all tasks of a store: by task, question and rater."""

    leased: dict[tuple[str, str, str], tuple[float, float]] = field(
        default_factory=dict[tuple[str, str, str], tuple[float, float]]
    )
    aside: dict[tuple[str, str, str], float] = field(
        default_factory=dict[tuple[str, str, str], float]
    )


class LeasesInMemory:
    """Leases of one task.

    Parameters
    ----------
    table
        The store's, which all of its tasks share.
    lock
        The store's.
    answers
        Returns which answers of the store count now.
    task
        The task they belong to.
    clock
        Seconds since 1970.
    """

    def __init__(
        self,
        table: LeaseTable,
        lock: RLock,
        answers: Callable[[], AnswersInForce],
        task: str,
        clock: Callable[[], float],
    ) -> None:
        self._table, self._lock, self._answers = table, lock, answers
        self._task, self._clock = task, clock

    def choose_and_lease_questions(
        self,
        rater: str,
        current_questions: Iterable[str],
        choose: Callable[[TaskSnapshot], Iterable[str]],
        seconds: float,
    ) -> tuple[TaskSnapshot, list[str]]:
        """Lease what the rater holds already and what is chosen for them, in one step for all."""
        with self._lock:
            now = self._clock()
            board = self._snapshot_at(rater, now)
            chosen = list(choose(board))
            leased = self._table.leased
            for key, lease in list(leased.items()):
                if key[0] == self._task and (key[2] == rater or not _stands(lease, now)):
                    del leased[key]
            for question in {*current_questions, *chosen}:
                leased[self._task, question, rater] = (now, now + seconds)
        return board, chosen

    def snapshot(self, rater: str) -> TaskSnapshot:
        """Return what stands now."""
        with self._lock:
            return self._snapshot_at(rater, self._clock())

    def set_aside(self, rater: str, question: str) -> None:
        """Put a question off until the others are done."""
        with self._lock:
            self._table.aside.setdefault((self._task, question, rater), self._clock())

    def bring_back(self, rater: str, questions: Iterable[str]) -> None:
        """Put questions back among the others."""
        with self._lock:
            for question in questions:
                self._table.aside.pop((self._task, question, rater), None)

    def _snapshot_at(self, rater: str, now: float) -> TaskSnapshot:
        answers, slots = self._answers(), AnsweredSlots()
        slots.update(answers, [q for q in answers.questions() if q[0] == self._task])
        leased: dict[str, dict[str, float]] = {}
        for (task, question, who), lease in self._table.leased.items():
            if task == self._task and _stands(lease, now):
                leased.setdefault(question, {})[who] = lease[1]
        mine = [
            (since, question)
            for (task, question, who), since in self._table.aside.items()
            if (task, who) == (self._task, rater)
        ]
        aside = tuple(question for _, question in sorted(mine))
        return TaskSnapshot(slots.raters_by_slot(), leased, aside, now)


def _stands(lease: tuple[float, float], now: float) -> bool:
    since, until = lease
    return now < until <= now + CLOCKS_APART + LONGEST_LEASE and since <= now + CLOCKS_APART
