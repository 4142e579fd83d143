"""One rater at work on a task pack: what is asked, what was answered, what is left.

No widget and no torch: a screen of any kind can be laid over it, and tests need none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.disk.safe_text import strip_and_check_name
from circuitz.errors import CircuitzError, LabellingError
from circuitz.labelling.tasks.next_question import (
    RaterProgress,
    progress_of_rater,
    upcoming_questions,
)
from circuitz.labelling.tasks.pack import Kind, Question, TaskPack
from circuitz.store.answered_slots import seat_of_rater
from circuitz.store.in_force import by_time_given, moment_from_iso
from circuitz.store.judgement import Judgement, RaterKind, Use, iso_utc_now
from circuitz.store.judgements import Judgements
from circuitz.store.leases import QuestionLeases, TaskSnapshot

AHEAD = 4
"""Questions a screen holds, so that the next picture is there at once and a break is bridged."""
MOST_HELD = 2 * AHEAD
RECENT = 10
MOST_SECONDS = 86_400.0
# Less may be the line, or a kernel that was busy; more is a clock that is wrong.
_CLOCKS_APART = timedelta(minutes=1)
# Clocks that start anew with every battery show years before any answer can have been given.
_FIRST_ANSWER = datetime(2020, 1, 1, tzinfo=UTC)
_USES: dict[Kind, Use] = {"ask": "train", "gold": "gold", "again": "held-out"}


class Session:
    """A rater and a pack.

    Each call opens the store for itself, so that one session may be used from any thread.

    Parameters
    ----------
    pack
        What is asked.
    store
        Where answers are kept.
    rater
        Who answers; the same name goes on where it stopped.
    kind
        What kind of rater that is.
    clock
        Seconds since 1970; leases run by it.

    Raises
    ------
    LabellingError
        If the name is empty or holds what no name does.
    StoreError
        If the store cannot be written.
    """

    def __init__(
        self,
        pack: TaskPack,
        store: Judgements,
        rater: str,
        *,
        kind: RaterKind = "person",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.pack, self.store, self.rater = pack, store, clean_rater_name(rater)
        self.kind: RaterKind = kind
        self._seat = seat_of_rater(self.rater, kind)
        self.options, self.seed = pack.options(self.rater)
        self._turns = QuestionLeases(store, pack.task, clock=clock)

    # -- what to show ---------------------------------------------------------------------

    def next_questions(
        self, held: Collection[str] = (), n: int = AHEAD
    ) -> tuple[list[Question], RaterProgress]:
        """Return questions to show after those on the screen, and what is left.

        Parameters
        ----------
        held
            Ids of the questions on the screen; their leases are renewed.
        n
            How many the screen should hold in all.
        """
        # A page that claims more than a screen ever holds keeps no others from it.
        known = list(dict.fromkeys(h for h in held if h in self.pack.questions_by_id))[:MOST_HELD]
        found: list[Question] = []

        def choose_and_remember_questions(board: TaskSnapshot) -> list[str]:
            found[:] = upcoming_questions(
                self.pack, board, self._seat, known, max(0, n - len(known))
            )
            return [q.id for q in found]

        board, _ = self._turns.choose_and_lease_questions(
            self._seat, known, choose_and_remember_questions, self.pack.lease
        )
        return found, progress_of_rater(self.pack, board, self._seat)

    def rater_progress(self) -> RaterProgress:
        """Return what is left, and how far everybody is."""
        return progress_of_rater(self.pack, self._turns.snapshot(self._seat), self._seat)

    def recent_answers(self, n: int = RECENT) -> list[dict[str, str]]:
        """Return the last answers in force, the latest first: question, choice and key."""
        known = {q.judgement_kind_and_item: q for q in self.pack.questions}
        rows = self.store.rows(task=self.pack.task, rater=self.rater)
        rows = [row for row in rows if row.rater_kind == self.kind]
        found: list[dict[str, str]] = []
        for row in reversed(by_time_given(rows)):
            question = known.get((row.kind, row.items[0] if row.items else ""))
            if question is not None and row.answer is not None:
                own = row.key.removeprefix(self._key_prefix)
                found.append(
                    {"id": question.id, "choice": str(row.answer.get("choice")), "key": own}
                )
            if len(found) == n:
                break
        return found

    # -- what is done ---------------------------------------------------------------------

    def answer(
        self,
        question: str,
        choice: str,
        key: str,
        *,
        seconds: float | None = None,
        shown: str = "",
        answered: str = "",
        sent: str = "",
    ) -> str:
        """Store an answer; one to the same question given before it is superseded.

        One that was given before another of the same rater, and arrives after it, is kept and
        does not count.

        Parameters
        ----------
        question
            Its id.
        choice
            A class, ``cannot tell`` or ``not usable``.
        key
            Idempotency key: sent again, it changes nothing.
        seconds
            How long the rater looked; not known when left out, or no such time.
        shown, answered
            When, ISO 8601 by the clock of the rater's device; now when not given or no time.
        sent
            What that clock says as the answer is sent: one that is wrong is told by it, and
            the times are put right.

        Returns
        -------
        Id of the stored row.

        Raises
        ------
        LabellingError
            If question, choice or key cannot be.
        StoreError
            If it could not be stored; then nothing was.
        """
        asked = self.pack.question_by_id(question)
        self._check_choice(choice)
        took = float("nan") if seconds is None else float(seconds)
        row = self._make_judgement(
            asked,
            {"choice": choice, "seconds": round(took, 2) if 0 <= took <= MOST_SECONDS else None},
            self._checked_prefixed_key(key),
        )
        stored = self.store.store_superseding_answer(
            _with_page_times(row, shown, answered, sent, datetime.now(UTC))
        )
        self._turns.set_aside_or_bring_back(self._seat, question, later=False)
        return stored

    def answer_as_judgement(self, question: str, choice: str, key: str) -> Judgement:
        """Return an answer as it would be stored, for whoever stores many at once.

        Raises
        ------
        LabellingError
            If question, choice or key cannot be.
        """
        asked = self.pack.question_by_id(question)
        self._check_choice(choice)
        return self._make_judgement(asked, {"choice": choice}, self._checked_prefixed_key(key))

    def _check_choice(self, choice: str) -> None:
        if choice not in (*self.options, CANNOT_TELL, DISCARDED):
            raise LabellingError(
                f"{choice[:60]!r} is no answer to this question.",
                f"Answers are {', '.join(self.options[:12])}.",
            )

    def withdraw(self, question: str, of: str = "") -> bool:
        """Take an answer back; returns whether one stood.

        Parameters
        ----------
        of
            Key of the answer meant: one given since is left alone.
        """
        asked = self.pack.question_by_id(question)
        row = self._make_judgement(asked, None, "")
        return bool(
            self.store.withdraw_answer_on_items(row, self._checked_prefixed_key(of) if of else "")
        )

    def set_question_aside(self, question: str, *, later: bool = True) -> None:
        """Put a question off until the others are done, or take it back."""
        self.pack.question_by_id(question)
        self._turns.set_aside_or_bring_back(self._seat, question, later=later)

    def release_held_questions(self) -> None:
        """Give back what is on the screen."""
        self._turns.choose_and_lease_questions(self._seat, (), lambda _: (), self.pack.lease)

    @property
    def _key_prefix(self) -> str:
        # A colon in a name must not make it end elsewhere.
        name = self.rater.replace("%", "%25").replace(":", "%3A")
        return f"{self.pack.task}:{name}:"

    def _checked_prefixed_key(self, key: str) -> str:
        if not 8 <= len(key) <= 100 or not key.isascii() or not key.isprintable():
            raise LabellingError("An answer came without a proper key.", "Reload the page.")
        # Under their own name: one rater's keys never meet another's.
        return self._key_prefix + key

    def _make_judgement(
        self, question: Question, answer: dict[str, Any] | None, key: str
    ) -> Judgement:
        kind, item = question.judgement_kind_and_item
        return Judgement(
            task=self.pack.task,
            kind=kind,
            z_hash=self.pack.z_hash,
            card_hash=self.pack.card.hash,
            items=(item,),
            options=self.options,
            seed=self.seed,
            answer=answer,
            rater=self.rater,
            rater_kind=self.kind,
            shown=iso_utc_now(),
            answered=iso_utc_now(),
            key=key,
            instructions=self.pack.instructions,
            use=_USES[question.kind],
        )


def clean_rater_name(name: str) -> str:
    """Return a rater's name as it is stored.

    Raises
    ------
    LabellingError
        If it is empty, too long, or holds control characters.
    """
    try:
        clean = strip_and_check_name(name, what="name")
    except CircuitzError as error:
        raise LabellingError(error.message, error.hint) from error
    if not clean:
        raise LabellingError("Nobody was named.", "Write your name, or any name you will keep.")
    return clean


def _with_page_times(
    row: Judgement, shown: str, answered: str, sent: str, now: datetime
) -> Judgement:
    """Take over the page's times by the clock here, where they are times; none is to come."""
    last = _page_time(answered)
    if last is None:
        return row
    first = _page_time(shown)
    looked = last - first if first is not None and first <= last else timedelta(0)
    told = _page_time(sent)
    if told is not None and abs(now - told) > _CLOCKS_APART:
        last += now - told
    last = min(last, now)
    if last < _FIRST_ANSWER:
        return row
    said = [t.isoformat(timespec="milliseconds") for t in (last - looked, last)]
    return replace(row, shown=said[0], answered=said[1])


def _page_time(text: str) -> datetime | None:
    """Read a time of a page, in UTC; ``None`` where it is none."""
    found = moment_from_iso(text)
    try:
        return None if found is None else found.astimezone(UTC)
    except OverflowError:
        return None
