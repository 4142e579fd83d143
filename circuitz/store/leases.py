"""Who has which question before them: leases that expire, and questions set aside for later.

Unlike judgements these are no record of anything: they are changed and removed, and losing them
costs nothing but a question asked once more than needed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from circuitz.errors import StoreError
from circuitz.store.answered_slots import AnsweredSlots, Slot
from circuitz.store.judgements import Judgements
from circuitz.store.sqlite import open_connection

_CREATE = (
    """CREATE TABLE IF NOT EXISTS leased (
        task TEXT NOT NULL, question TEXT NOT NULL, rater TEXT NOT NULL,
        since REAL NOT NULL, until REAL NOT NULL, PRIMARY KEY (task, question, rater))""",
    """CREATE TABLE IF NOT EXISTS aside (
        task TEXT NOT NULL, question TEXT NOT NULL, rater TEXT NOT NULL, since REAL NOT NULL,
        PRIMARY KEY (task, question, rater))""",
)
# Earlier versions did not keep when a lease was given.
_TAKE_OVER_EARLIER = (
    "INSERT OR IGNORE INTO leased SELECT task, question, rater, 0, until FROM leases",
    "DROP TABLE leases",
)
# Clocks of machines that share a file may differ by so much. A lease from further ahead was given
# by a clock that was wrong, or has been set back since: it keeps nobody from a question.
_CLOCKS_APART = 60.0
LONGEST_LEASE = 7 * 86_400.0
_STANDS = "(until > :now AND since <= :now + :apart AND until <= :now + :apart + :longest)"


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
        self._answered = AnsweredSlots(task)
        with open_connection(store.path, durable=False) as connection:
            for statement in _CREATE:
                connection.execute(statement)
            earlier = "SELECT 1 FROM sqlite_master WHERE name = 'leases'"
            if connection.execute(earlier).fetchone():
                connection.execute("BEGIN IMMEDIATE")
                if connection.execute(earlier).fetchone():
                    for statement in _TAKE_OVER_EARLIER:
                        connection.execute(statement)
                connection.execute("COMMIT")

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
        with open_connection(self.store.path, durable=False) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                now = self.clock()
                board = self._snapshot_at(connection, rater, now)
                chosen = list(choose(board))
                connection.execute(
                    f"DELETE FROM leased WHERE task = :task AND (rater = :rater OR NOT {_STANDS})",
                    {**self._at(now), "rater": rater},
                )
                connection.executemany(
                    "INSERT OR REPLACE INTO leased VALUES (?, ?, ?, ?, ?)",
                    [
                        (self.task, q, rater, now, now + seconds)
                        for q in {*current_questions, *chosen}
                    ],
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return board, chosen

    def snapshot(self, rater: str) -> TaskSnapshot:
        """Return what stands now."""
        with open_connection(self.store.path, durable=False) as connection:
            return self._snapshot_at(connection, rater, self.clock())

    def set_aside_or_bring_back(self, rater: str, question: str, *, later: bool = True) -> None:
        """Put a question off, or back among the others."""
        key = (self.task, question, rater)
        with open_connection(self.store.path, durable=False) as connection:
            if later:
                connection.execute(
                    "INSERT OR IGNORE INTO aside VALUES (?, ?, ?, ?)", (*key, self.clock())
                )
                return
            this = "FROM aside WHERE task = ? AND question = ? AND rater = ?"
            # Looked up first: after most answers there is nothing to write.
            if connection.execute(f"SELECT 1 {this}", key).fetchone():
                connection.execute(f"DELETE {this}", key)

    def _at(self, now: float) -> dict[str, str | float]:
        """Return what tells the leases that stand at a time from others."""
        return {
            "task": self.task, "now": now, "apart": _CLOCKS_APART, "longest": LONGEST_LEASE,
        }  # fmt: skip

    def _snapshot_at(self, connection: sqlite3.Connection, rater: str, now: float) -> TaskSnapshot:
        answered = self._answered.read(connection)
        leased: dict[str, dict[str, float]] = {}
        for question, who, until in connection.execute(
            f"SELECT question, rater, until FROM leased WHERE task = :task AND {_STANDS}",
            self._at(now),
        ):
            leased.setdefault(question, {})[who] = until
        aside = connection.execute(
            "SELECT question FROM aside WHERE task = ? AND rater = ? ORDER BY since, question",
            (self.task, rater),
        ).fetchall()
        return TaskSnapshot(answered, leased, tuple(row[0] for row in aside), now)
