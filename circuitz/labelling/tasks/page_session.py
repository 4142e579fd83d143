"""A rater who answers many pictures about one word at once: a page of them, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from circuitz.errors import LabellingError
from circuitz.labelling.tasks.answer_record import checked_answer
from circuitz.labelling.tasks.grid_questions import MOST_ON_PAGE
from circuitz.labelling.tasks.session import MOST_SECONDS, Session, with_page_times


class PageSession(Session):
    """A rater and a pack that asks about words.

    Every picture of a page is an answer of its own, and says which page it stood on and where.
    """

    def answer_page(
        self,
        page: str,
        answers: Sequence[tuple[str, str]],
        *,
        seconds: float | None = None,
        shown: str = "",
        answered: str = "",
        sent: str = "",
    ) -> list[str]:
        """Store the answers of a page, all or none; earlier ones to its questions are superseded.

        Parameters
        ----------
        page
            Key of the page: sent again, it changes nothing.
        answers
            Question and choice, in the order in which the pictures stood.
        seconds
            How long the rater looked at the page.
        shown, answered, sent
            As for :meth:`~circuitz.labelling.tasks.session.Session.answer`.

        Returns
        -------
        list of str
            Ids of the stored rows.

        Raises
        ------
        LabellingError
            If a question, choice or key cannot be, the page is empty or too long, or asks one
            question twice or about two words.
        StoreError
            If they could not be stored; then nothing was.
        """
        asked = [self.pack.question_by_id(question) for question, _ in answers]
        if not 1 <= len(asked) <= MOST_ON_PAGE or len({q.id for q in asked}) < len(asked):
            raise LabellingError(
                f"A page of {len(asked)} answers cannot be.",
                f"It has 1 to {MOST_ON_PAGE} pictures, each once. Reload the page.",
            )
        if len({q.word for q in asked}) > 1 or not asked[0].word:
            raise LabellingError("A page is about one word.", "Reload the page.")
        took = float("nan") if seconds is None else float(seconds)
        each = round(took / len(asked), 2) if 0 <= took <= MOST_SECONDS else None
        now = datetime.now(UTC)
        rows = []
        for place, (question, (_, choice)) in enumerate(zip(asked, answers, strict=True)):
            said = checked_answer(self.pack, question, self.options, choice, None)
            stood: dict[str, Any] = {
                "seconds": each,
                "page": page,
                "place": place,
                "of": len(asked),
            }
            key = self._checked_prefixed_key(key_on_page(page, place))
            row = self._make_judgement(question, {**said, **stood}, key)
            rows.append(with_page_times(row, shown, answered, sent, now))
        stored = self.store.store_superseding_answers(rows)
        self._turns.bring_back(self._seat, [q.id for q in asked])
        return stored

    def withdraw_page(self, answers: Sequence[tuple[str, str]]) -> int:
        """Take answers back, all or none; returns how many stood.

        Parameters
        ----------
        answers
            Question, and key of the answer meant: one given since is left alone.

        Raises
        ------
        LabellingError
            If there are too many, or a question or key cannot be.
        """
        if len(answers) > MOST_ON_PAGE:
            raise LabellingError(f"{len(answers)} are more than a page.", "Reload the page.")
        rows = [
            (
                self._make_judgement(self.pack.question_by_id(question), None, ""),
                self._checked_prefixed_key(key),
            )
            for question, key in answers
        ]
        return sum(map(bool, self.store.withdraw_answers_on_items(rows)))


def key_on_page(page: str, place: int) -> str:
    """Return the key of one answer of a page."""
    return f"{page}:{place}"
