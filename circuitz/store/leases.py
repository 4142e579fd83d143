"""Who has which question before them: leases that expire, and questions set aside for later.

Unlike judgements these are no record of anything: they are changed and removed, and losing them
costs nothing but a question asked once more than needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from circuitz.errors import StoreError
from circuitz.store.judgements import Judgements
from circuitz.store.sqlite import open_connection

_CREATE = (
    """CREATE TABLE IF NOT EXISTS leases (
        task TEXT NOT NULL, question TEXT NOT NULL, rater TEXT NOT NULL, until REAL NOT NULL,
        PRIMARY KEY (task, question, rater))""",
    """CREATE TABLE IF NOT EXISTS aside (
        task TEXT NOT NULL, question TEXT NOT NULL, rater TEXT NOT NULL, since REAL NOT NULL,
        PRIMARY KEY (task, question, rater))""",
)
Slot = tuple[str, str]
"""Kind of question and item: what a rater answers once."""


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


class QuestionLeases:
    """Leases and questions set aside, in the file of the judgements.

    Parameters
    ----------
    store
        The judgements.
    task
        The task they belong to.
    clock
        Seconds since 1970.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """

    def __init__(
        self, store: Judgements, task: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        if store.read_only:
            raise StoreError(f"{store.path} was opened for reading only.", "Open it for writing.")
        self.store, self.task, self.clock = store, task, clock
        with open_connection(store.path) as connection:
            for statement in _CREATE:
                connection.execute(statement)

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
        """  # fmt: skip
        with open_connection(self.store.path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                now = self.clock()
                board = self._snapshot_at(rater, now)
                chosen = list(choose(board))
                connection.execute(
                    "DELETE FROM leases WHERE task = ? AND (rater = ? OR until <= ?)",
                    (self.task, rater, now),
                )
                connection.executemany(
                    "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
                    [(self.task, q, rater, now + seconds) for q in {*current_questions, *chosen}],
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return board, chosen

    def snapshot(self, rater: str) -> TaskSnapshot:
        """Return what stands now."""
        return self._snapshot_at(rater, self.clock())

    def set_aside_or_bring_back(self, rater: str, question: str, *, later: bool = True) -> None:
        """Put a question off, or back among the others."""
        with open_connection(self.store.path) as connection:
            key = (self.task, question, rater)
            if later:
                connection.execute(
                    "INSERT OR IGNORE INTO aside VALUES (?, ?, ?, ?)", (*key, self.clock())
                )
            else:
                connection.execute(
                    "DELETE FROM aside WHERE task = ? AND question = ? AND rater = ?", key
                )

    def _snapshot_at(self, rater: str, now: float) -> TaskSnapshot:
        answered: dict[Slot, set[str]] = {}
        for kind, item, who in self.store.kinds_items_raters_in_force(self.task):
            answered.setdefault((kind, item), set()).add(who)
        leased: dict[str, dict[str, float]] = {}
        with open_connection(self.store.path) as connection:
            for question, who, until in connection.execute(
                "SELECT question, rater, until FROM leases WHERE task = ? AND until > ?",
                (self.task, now),
            ):
                leased.setdefault(question, {})[who] = until
            aside = connection.execute(
                "SELECT question FROM aside WHERE task = ? AND rater = ? ORDER BY since, question",
                (self.task, rater),
            ).fetchall()
        return TaskSnapshot(answered, leased, tuple(row[0] for row in aside), now)
