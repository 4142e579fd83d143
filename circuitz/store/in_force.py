"""Which of a person's answers counts: the newest by the time it was given, unless taken back.

What counts follows from the set of rows alone, in whatever order they came: so stores that were
joined either way round agree, and an answer that arrives late replaces no newer one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement
from circuitz.store.sqlite import DAMAGED

QuestionOfRater = tuple[str, str, str, str, str]
"""Task, kind, items (as JSON), rater and kind of rater: what has one answer at most.

A model and a person of one name are two raters: neither's answer replaces the other's.
"""

_ROWS = 'n, id, "key", task, kind, items, rater, rater_kind, answered, supersedes, answer IS NULL'
_RESENT = (
    "SELECT resent.rowid, resent.id, judgements.id, task, kind, items, rater, rater_kind, "
    "resent.answered "
    "FROM resent JOIN judgements ON judgements.id = resent.judgement WHERE resent.rowid > ?"
)


class AnswersInForce:
    """The answers that count among the rows that were read, kept up to date as more are read.

    Of a rater's answers to a question the one with the latest ``answered`` counts; of several of
    one moment the one that supersedes the others; where no row says which, the greater key. When
    the one that counts was withdrawn, none does: an older one does not come back.
    """

    def __init__(self) -> None:
        self._moments: dict[QuestionOfRater, dict[str, datetime]] = {}
        self._keys: dict[str, str] = {}
        self._superseded_by_answer: set[str] = set()
        self._withdrawals: dict[str, str] = {}
        self._stored_id: dict[str, str] = {}
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
            for number, resent, stored, *where, answered in connection.execute(
                f"{_RESENT} AND ({condition}) ORDER BY resent.rowid", (self._resent, *values)
            ):
                question = _question_of_rater(*where)
                self._resent = int(number)
                self._stored_id[resent] = stored
                self._take_over_notes_on_resent(resent, stored)
                self._note_answer(question, stored, answered)
                touched.add(question)
        for number, row_id, key, *where, answered, supersedes, withdrawn in connection.execute(
            f"SELECT {_ROWS} FROM judgements WHERE n > ? AND ({condition}) ORDER BY n",
            (self._row, *values),
        ):
            question = _question_of_rater(*where)
            self._row, self._row_id = int(number), str(row_id)
            target = self._stored_id.get(str(supersedes)) or str(supersedes)
            if withdrawn:
                self._withdrawals[target] = row_id
            else:
                self._keys[row_id] = str(key)
                self._note_answer(question, row_id, answered)
                if target:
                    self._superseded_by_answer.add(target)
            touched.add(question)
        return touched

    def read_before_from(self, connection: sqlite3.Connection) -> bool:
        """Whether what was read before came from this file, which may have been replaced."""
        if not self._row:
            return True
        found = connection.execute("SELECT id FROM judgements WHERE n = ?", (self._row,))
        return found.fetchone() == (self._row_id,)

    def answer_in_force(self, question: QuestionOfRater) -> str:
        """Return the id of the answer that counts; the empty text when none does."""
        standing = [i for i in self._newest(question) if i not in self._withdrawals]
        # An answer may have another id in another store, and has the same key.
        return max(standing, key=self._keys.__getitem__, default="")

    def row_to_supersede(self, question: QuestionOfRater, answered: str) -> str:
        """Return the id of the row that an answer of this time replaces; empty if it is older."""
        newest = self._newest(question)
        moment = moment_from_iso(answered)
        if not newest or moment is None or moment < self._moments[question][newest[0]]:
            return ""
        last = self.answer_in_force(question) or max(newest, key=self._keys.__getitem__)
        return self._withdrawals.get(last, last)

    def ids(self) -> set[str]:
        """Return the ids of all answers that count."""
        return {found for q in self._moments if (found := self.answer_in_force(q))}

    def questions(self) -> list[QuestionOfRater]:
        """Return the questions that have an answer that counts."""
        return [q for q in self._moments if self.answer_in_force(q)]

    def _newest(self, question: QuestionOfRater) -> list[str]:
        """Return the latest answers, of which none supersedes another; several where none says."""
        moments = self._moments.get(question)
        if not moments:
            return []
        latest = max(moments.values())
        tied = [i for i, moment in moments.items() if moment == latest]
        return [i for i in tied if i not in self._superseded_by_answer] or tied

    def _note_answer(self, question: QuestionOfRater, row_id: str, answered: str) -> None:
        moment = moment_from_iso(answered)
        if moment is None:
            raise StoreError(
                f"Judgement {row_id!r} is damaged: {str(answered)[:60]!r} is no time.",
                DAMAGED,
            )
        moments = self._moments.setdefault(question, {})
        # Sent twice with different times, it was given at the earlier.
        moments[row_id] = min(moment, moments.get(row_id, moment))

    def _take_over_notes_on_resent(self, resent: str, stored: str) -> None:
        """Let what earlier rows say of an answer by its other id hold for the one stored."""
        if resent in self._withdrawals:
            self._withdrawals.setdefault(stored, self._withdrawals[resent])
        if resent in self._superseded_by_answer:
            self._superseded_by_answer.add(stored)


def moment_from_iso(text: str) -> datetime | None:
    """Read a time; one that names no zone is taken for UTC. ``None`` where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def by_time_given(rows: Iterable[Judgement]) -> list[Judgement]:
    """Return judgements by the time they were given, the oldest first."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: moment_from_iso(row.answered) or never)


def first_item(items: str) -> str:
    """Return the first of the items in their column; the empty text where there are none.

    Raises
    ------
    StoreError
        If the column is damaged.
    """
    try:
        found = json.loads(items)
        return str(found[0]) if found else ""
    except (ValueError, TypeError, LookupError) as error:
        raise StoreError(f"A row's items are damaged: {items[:60]!r}.", DAMAGED) from error


def _question_of_rater(*columns: object) -> QuestionOfRater:
    task, kind, items, rater, rater_kind = columns
    if not (isinstance(task, str) and isinstance(kind, str) and isinstance(items, str)):
        raise StoreError("A row is damaged: its task, kind or items are no text.", DAMAGED)
    if not (isinstance(rater, str) and isinstance(rater_kind, str)):
        raise StoreError("A row is damaged: its rater is no text.", DAMAGED)
    return task, kind, items, one_spelling_of_name(rater), rater_kind
