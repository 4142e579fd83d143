"""Which of a person's answers counts: the newest by the time it was given, unless taken back.

What counts follows from the set of rows alone, in whatever order they came: so stores that were
joined either way round agree, and an answer that arrives late replaces no newer one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement, iso_utc_now

DAMAGED = "Keep the file, restore a copy, or start a new one and import an exported JSONL."

QuestionOfRater = tuple[str, str, str, str, str]
"""Task, kind, items (as JSON), rater and kind of rater: what has one answer at most.

A model and a person of one name are two raters: neither's answer replaces the other's.
"""


class AnswersInForce:
    """The answers that count among the rows that were taken in, kept up to date as more come.

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

    def note_row(
        self,
        question: QuestionOfRater,
        row_id: str,
        *,
        key: str,
        answered: str,
        supersedes: str,
        withdrawn: bool,
    ) -> None:
        """Take in a row; the rows of a store come in the order they were stored.

        Raises
        ------
        StoreError
            If its time is none.
        """
        target = self._stored_id.get(supersedes) or supersedes
        if withdrawn:
            self._withdrawals[target] = row_id
            return
        self._keys[row_id] = key
        self._note_answer(question, row_id, answered)
        if target:
            self._superseded_by_answer.add(target)

    def note_resent(
        self, question: QuestionOfRater, resent: str, stored: str, answered: str
    ) -> None:
        """Take in that an answer came again under another id, by which other rows may name it.

        Raises
        ------
        StoreError
            If its time is none.
        """
        self._stored_id[resent] = stored
        self._take_over_notes_on_resent(resent, stored)
        self._note_answer(question, stored, answered)

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


def joined_items(items: str) -> str:
    """Return the items in their column as one text, for instance both cards of a comparison.

    Raises
    ------
    StoreError
        If the column is damaged.
    """
    try:
        return " ".join(str(item) for item in json.loads(items))
    except (ValueError, TypeError) as error:
        raise StoreError(f"A row's items are damaged: {items[:60]!r}.", DAMAGED) from error


def question_of_rater(row: Judgement) -> QuestionOfRater:
    """Return what a judgement answers, and whose answer it is."""
    items = json.dumps(list(row.items), ensure_ascii=False)
    return row.task, row.kind, items, one_spelling_of_name(row.rater), row.rater_kind


def withdrawal_of(old: Judgement) -> Judgement:
    """Return the row that takes an answer back now."""
    stamp = iso_utc_now()
    return replace(
        old, id="", answer=None, supersedes=old.id, key=f"withdraw:{old.id}",
        shown=stamp, answered=stamp,
    )  # fmt: skip
