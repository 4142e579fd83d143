"""One rater at work on a task pack: what is asked, what was answered, what is left.

No widget and no torch: a screen of any kind can be laid over it, and tests need none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from circuitz.cards.cards_in_store import keep_activities, keep_cards
from circuitz.disk.safe_text import strip_and_check_name
from circuitz.errors import CircuitzError, LabellingError
from circuitz.labelling.tasks.answer_record import checked_answer
from circuitz.labelling.tasks.grid_questions import (
    MOST_HELD_IN_GRID,
    upcoming_grid_questions,
)
from circuitz.labelling.tasks.next_question import (
    RaterProgress,
    progress_of_rater,
    upcoming_questions,
)
from circuitz.labelling.tasks.pack import Kind, Question, TaskPack
from circuitz.store.answered_slots import seat_of_rater
from circuitz.store.in_force import by_time_given, moment_from_iso
from circuitz.store.judgement import Judgement, RaterKind, Use, iso_utc_now
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.leases import TaskSnapshot

AHEAD = 4
"""Questions a screen holds, so that the next picture is there at once and a break is bridged."""
MOST_HELD = 2 * AHEAD
RECENT = 10
MOST_SECONDS = 86_400.0
_NOT_DETAILS = ("choice", "seconds", "page", "place", "of")
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
        store: JudgementStore,
        rater: str,
        *,
        kind: RaterKind = "person",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.pack, self.store, self.rater = pack, store, clean_rater_name(rater)
        self.kind: RaterKind = kind
        self._seat = seat_of_rater(self.rater, kind)
        self.options, self.seed = pack.options(self.rater)
        self._turns = store.leases(pack.task, clock=clock)
        keep_cards(store, pack.shown_cards)
        keep_activities(store, pack.activities.values())

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
        most = MOST_HELD_IN_GRID if self.pack.words else MOST_HELD
        known = list(dict.fromkeys(h for h in held if h in self.pack.questions_by_id))[:most]
        upcoming = upcoming_grid_questions if self.pack.words else upcoming_questions
        found: list[Question] = []

        def choose_and_remember_questions(board: TaskSnapshot) -> list[str]:
            found[:] = upcoming(self.pack, board, self._seat, known, max(0, n - len(known)))
            return [q.id for q in found]

        board, _ = self._turns.choose_and_lease_questions(
            self._seat, known, choose_and_remember_questions, self.pack.lease
        )
        return found, progress_of_rater(self.pack, board, self._seat)

    def rater_progress(self) -> RaterProgress:
        """Return what is left, and how far everybody is."""
        return progress_of_rater(self.pack, self._turns.snapshot(self._seat), self._seat)

    def recent_answers(self, n: int = RECENT) -> list[dict[str, Any]]:
        """Return the last answers in force, the latest first: question, choice, key, and details.

        Choice is ``None`` where the answer is words; details are what was said beside the choice.
        """
        known = {q.judgement_kind_and_item: q for q in self.pack.questions}
        rows = self.store.rows(task=self.pack.task, rater=self.rater)
        rows = [row for row in rows if row.rater_kind == self.kind]
        found: list[dict[str, Any]] = []
        for row in reversed(by_time_given(rows)):
            question = known.get((row.kind, " ".join(row.items)))
            if question is not None and row.answer is not None:
                own = row.key.removeprefix(self._key_prefix)
                more = {k: v for k, v in row.answer.items() if k not in _NOT_DETAILS}
                one = {"id": question.id, "choice": row.answer.get("choice"), "key": own}
                found.append({**one, "details": more} if more else one)
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
        details: Mapping[str, Any] | None = None,
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
            A class, ``cannot tell`` or ``not usable``; of two cards ``a``, ``b``, ``equal`` or
            ``both implausible``; ``written`` where the answer is words.
        key
            Idempotency key: sent again, it changes nothing.
        details
            What else was said (:func:`circuitz.labelling.tasks.answer_record.checked_answer`).
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
        said = checked_answer(self.pack, asked, self.options, choice, details)
        took = float("nan") if seconds is None else float(seconds)
        said["seconds"] = round(took, 2) if 0 <= took <= MOST_SECONDS else None
        row = self._make_judgement(asked, said, self._checked_prefixed_key(key))
        stored = self.store.store_superseding_answer(
            with_page_times(row, shown, answered, sent, datetime.now(UTC))
        )
        self._turns.bring_back(self._seat, (question,))
        return stored

    def answer_as_judgement(self, question: str, choice: str, key: str) -> Judgement:
        """Return an answer as it would be stored, for whoever stores many at once.

        Raises
        ------
        LabellingError
            If question, choice or key cannot be.
        """
        asked = self.pack.question_by_id(question)
        said = checked_answer(self.pack, asked, self.options, choice)
        return self._make_judgement(asked, said, self._checked_prefixed_key(key))

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
        if later:
            self._turns.set_aside(self._seat, question)
        else:
            self._turns.bring_back(self._seat, (question,))

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
        kind, _ = question.judgement_kind_and_item
        with_card = self.pack.kind == "label"
        return Judgement(
            task=self.pack.task,
            kind=kind,
            z_hash=self.pack.z_hash,
            card_hash=self.pack.card.hash if with_card else "",
            items=question.items,
            options=self.options,
            # The order of two cards is the question's, that of classes or words the rater's.
            seed=question.seed if self.pack.kind == "compare" else self.seed,
            answer=answer,
            rater=self.rater,
            rater_kind=self.kind,
            shown=iso_utc_now(),
            answered=iso_utc_now(),
            key=key,
            instructions=self.pack.instructions,
            use=question.use or _USES[question.kind],
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


def with_page_times(
    row: Judgement, shown: str, answered: str, sent: str, now: datetime
) -> Judgement:
    """Take over a screen's times by the clock here, where they are times; none is to come."""
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
