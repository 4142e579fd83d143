"""Which answers count, read from a SQLite file: each row once, of a file that only grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.in_force import DAMAGED, AnswersInForce, QuestionOfRater

_ROWS = 'n, id, "key", task, kind, items, rater, rater_kind, answered, supersedes, answer IS NULL'
_RESENT = (
    "SELECT resent.rowid, resent.id, judgements.id, task, kind, items, rater, rater_kind, "
    "resent.answered "
    "FROM resent JOIN judgements ON judgements.id = resent.judgement WHERE resent.rowid > ?"
)


class AnswersInSqlite(AnswersInForce):
    """The answers that count in a SQLite file."""

    def __init__(self) -> None:
        super().__init__()
        self._row, self._row_id, self._resent = 0, "", 0

    def read_new_rows(
        self, connection: sqlite3.Connection, condition: str = "1", values: Sequence[str] = ()
    ) -> set[QuestionOfRater]:
        """Read the rows that were not read before; returns the questions they are about.

        Parameters
        ----------
        condition, values
            Which rows, in SQL; the same at every call. It leaves out no row of a rater on a
            question that it does not leave out wholly.

        Raises
        ------
        StoreError
            If a row is damaged.
        """
        touched: set[QuestionOfRater] = set()
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'resent'").fetchone():
            for number, resent, stored, *columns, answered in connection.execute(
                f"{_RESENT} AND ({condition}) ORDER BY resent.rowid", (self._resent, *values)
            ):
                question = _question_in_columns(*columns)
                self._resent = int(number)
                self.note_resent(question, resent, stored, answered)
                touched.add(question)
        for number, row_id, key, *columns, answered, supersedes, withdrawn in connection.execute(
            f"SELECT {_ROWS} FROM judgements WHERE n > ? AND ({condition}) ORDER BY n",
            (self._row, *values),
        ):
            question = _question_in_columns(*columns)
            self._row, self._row_id = int(number), str(row_id)
            self.note_row(
                question, row_id, key=str(key), answered=answered,
                supersedes=str(supersedes), withdrawn=bool(withdrawn),
            )  # fmt: skip
            touched.add(question)
        return touched

    def read_before_from(self, connection: sqlite3.Connection) -> bool:
        """Whether what was read before came from this file, which may have been replaced."""
        if not self._row:
            return True
        found = connection.execute("SELECT id FROM judgements WHERE n = ?", (self._row,))
        return found.fetchone() == (self._row_id,)


def _question_in_columns(*columns: object) -> QuestionOfRater:
    task, kind, items, rater, rater_kind = columns
    if not (isinstance(task, str) and isinstance(kind, str) and isinstance(items, str)):
        raise StoreError("A row is damaged: its task, kind or items are no text.", DAMAGED)
    if not (isinstance(rater, str) and isinstance(rater_kind, str)):
        raise StoreError("A row is damaged: its rater is no text.", DAMAGED)
    return task, kind, items, one_spelling_of_name(rater), rater_kind
