"""Leases and questions set aside, in a SQLite file of judgements."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock

from circuitz.store.answered_slots import AnsweredSlots, Slot
from circuitz.store.leases import CLOCKS_APART, LONGEST_LEASE, TaskSnapshot
from circuitz.store.sqlite import open_connection
from circuitz.store.sqlite_in_force import AnswersInSqlite

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
_STANDS = "(until > :now AND since <= :now + :apart AND until <= :now + :apart + :longest)"


class LeasesInSqlite:
    """Leases and questions set aside, in the file of the judgements.

    Parameters
    ----------
    path
        The file.
    task
        The task they belong to.
    clock
        Seconds since 1970.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """

    def __init__(self, path: Path, task: str, *, clock: Callable[[], float] = time.time) -> None:
        self.path, self.task, self.clock = path, task, clock
        self._lock = Lock()
        self._start_anew()
        with open_connection(path, durable=False) as connection:
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
        """Lease questions as :class:`QuestionLeases` says, in one transaction."""
        with open_connection(self.path, durable=False) as connection:
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
        with open_connection(self.path, durable=False) as connection:
            return self._snapshot_at(connection, rater, self.clock())

    def set_aside(self, rater: str, question: str) -> None:
        """Put a question off until the others are done."""
        with open_connection(self.path, durable=False) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO aside VALUES (?, ?, ?, ?)",
                (self.task, question, rater, self.clock()),
            )

    def bring_back(self, rater: str, questions: Iterable[str]) -> None:
        """Put questions back among the others."""
        this = "FROM aside WHERE task = ? AND question = ? AND rater = ?"
        with open_connection(self.path, durable=False) as connection:
            for question in questions:
                key = (self.task, question, rater)
                # Looked up first: after most answers there is nothing to write.
                if connection.execute(f"SELECT 1 {this}", key).fetchone():
                    connection.execute(f"DELETE {this}", key)

    def _read_answered_slots(self, connection: sqlite3.Connection) -> dict[Slot, set[str]]:
        """Read the rows of the task that were not read before; returns who answered what."""
        with self._lock:
            if not self._answers.read_before_from(connection):
                self._start_anew()  # another file is there now
            touched = self._answers.read_new_rows(connection, "task = ?", (self.task,))
            self._slots.update(self._answers, touched)
            return self._slots.raters_by_slot()

    def _start_anew(self) -> None:
        self._answers, self._slots = AnswersInSqlite(), AnsweredSlots()

    def _at(self, now: float) -> dict[str, str | float]:
        """Return what tells the leases that stand at a time from others."""
        return {
            "task": self.task, "now": now, "apart": CLOCKS_APART, "longest": LONGEST_LEASE,
        }  # fmt: skip

    def _snapshot_at(self, connection: sqlite3.Connection, rater: str, now: float) -> TaskSnapshot:
        answered = self._read_answered_slots(connection)
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
