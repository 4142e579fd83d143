"""Which question comes next for a rater."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from circuitz.disk.hashing import json_hash
from circuitz.labelling.tasks.pack import Kind, Question, TaskPack
from circuitz.store.answered_slots import name_in_seat
from circuitz.store.leases import TaskSnapshot

# A repeated picture comes back only after this many others, so that it is looked at anew.
APART = 5
_MOST_INTERVAL = 10


@dataclass(frozen=True)
class RaterProgress:
    """What is left for one rater, and how far everybody is.

    Parameters
    ----------
    answered
        Questions this rater answered.
    left
        Questions still open for them, those set aside included.
    aside
        Questions they set aside.
    elsewhere
        Questions before somebody else now, that may come back.
    returns
        When the first of these comes back (seconds since 1970); 0 when there are none.
    collected, needed
        Answers of everybody to the questions asked (gold and repeats left out), and how many are
        wanted in all.
    """

    answered: int
    left: int
    aside: int
    elsewhere: int
    returns: float
    collected: int
    needed: int


def upcoming_questions(
    pack: TaskPack, board: TaskSnapshot, rater: str, held: Collection[str], n: int
) -> list[Question]:
    """Choose the next questions of a rater.

    Everybody goes through the pack in one order and leaves out what enough others answered or
    have before them. Every few pictures a gold one comes, and pictures asked twice once there
    was something in between. What was set aside comes last.

    Parameters
    ----------
    board
        What stands now.
    rater
        Whose turn it is: their seat, which is a person's name.
    held
        Questions on the rater's screen already.
    n
        How many to choose.
    """
    mine = _RaterQueue(pack, board, rater)
    found: list[Question] = []
    taken = set(held)
    asks = [q for q in mine.questions_needing_this_rater() if q.id not in taken]
    again = [q for q in mine.repeat_questions_due() if q.id not in taken]
    golds = [q for q in mine.gold_questions_in_rater_order() if q.id not in taken]
    aside = [q for q in mine.set_aside_questions() if q.id not in taken]
    # What is held will be answered before what is chosen now.
    done = mine.answered_asks + sum(
        pack.questions_by_id[h].kind == "ask" for h in taken if h in pack.questions_by_id
    )
    shown = mine.answered_golds + sum(
        pack.questions_by_id[h].kind == "gold" for h in taken if h in pack.questions_by_id
    )
    while len(found) < n:
        if golds and asks and mine.gold_count_due_after(done) > shown:
            found.append(golds.pop(0))
            shown += 1
        elif again and (not asks or done % APART == APART - 1):
            found.append(again.pop(0))
            done += 1
        elif asks:
            found.append(asks.pop(0))
            done += 1
        elif aside:
            found.append(aside.pop(0))
        else:
            break
    return found


def progress_of_rater(pack: TaskPack, board: TaskSnapshot, rater: str) -> RaterProgress:
    """Return what is left for a rater."""
    mine = _RaterQueue(pack, board, rater)
    asks = [q for q in pack.questions if q.kind == "ask"]
    given = sum(
        min(len(board.answered.get(q.judgement_kind_and_item, ())), pack.overlap) for q in asks
    )
    elsewhere = mine.questions_leased_to_others()
    returns = [u for q in elsewhere for who, u in board.leased[q.id].items() if who != rater]
    regular = [*mine.questions_needing_this_rater(), *mine.set_aside_questions()]
    left = len(regular) + len(mine.repeat_questions_due(soon=bool(regular)))
    if regular:
        left += max(
            0,
            mine.gold_count_due_after(mine.answered_asks + len(regular) - 1) - mine.answered_golds,
        )
    return RaterProgress(
        answered=mine.answered_count,
        left=left,
        aside=len(mine.set_aside_questions()),
        elsewhere=len(elsewhere),
        returns=min(returns, default=0.0),
        collected=given,
        needed=len(asks) * pack.overlap,
    )


class _RaterQueue:
    """A pack as one rater finds it.

    A pack may hold thousands of questions and is looked through after every answer: what is
    asked of each question several times is looked up once.
    """

    def __init__(self, pack: TaskPack, board: TaskSnapshot, rater: str) -> None:
        self.pack, self.board, self.rater = pack, board, rater
        self._aside = set(board.aside)
        mine = {slot for slot, raters in board.answered.items() if rater in raters}
        self._answered = {q.id for q in pack.questions if q.judgement_kind_and_item in mine}
        counts = pack.count_questions_by_kind()
        self.answered_asks = self._count_answered_of_kind("ask")
        self.answered_golds = self._count_answered_of_kind("gold")
        asks, self._golds = counts["ask"], counts["gold"]
        self._interval = max(1, min(_MOST_INTERVAL, asks // self._golds)) if self._golds else 0
        # Were every rater's first gold picture the tenth, they would tell each other.
        self._name = name_in_seat(rater)
        draw = int(json_hash([pack.seed, self._name, "gold"])[:8], 16)
        self._shift = draw % max(self._interval, 1) + 1

    @property
    def answered_count(self) -> int:
        """How many questions this rater answered."""
        return len(self._answered)

    def _count_answered_of_kind(self, kind: Kind) -> int:
        return sum(q.kind == kind and q.id in self._answered for q in self.pack.questions)

    def _count_others_who_answered(self, question: Question) -> int:
        return len(self.board.answered.get(question.judgement_kind_and_item, set()) - {self.rater})

    def _unanswered_not_set_aside(self, kind: Kind) -> list[Question]:
        """Questions of a kind that this rater has neither answered nor set aside."""
        return [
            q
            for q in self.pack.questions
            if q.kind == kind and q.id not in self._answered and q.id not in self._aside
        ]

    def gold_count_due_after(self, asks: int) -> int:
        """Return how many gold questions should have come after so many others."""
        return min(self._golds, (asks + self._shift) // self._interval) if self._interval else 0

    def questions_needing_this_rater(self) -> list[Question]:
        """Questions that want an answer of this rater."""
        return [q for q in self._unanswered_not_set_aside("ask") if self._needs_another_rater(q)]

    def _needs_another_rater(self, question: Question) -> bool:
        leased = self.board.leased.get(question.id, {})
        answered = self.board.answered.get(question.judgement_kind_and_item, set())
        busy = sum(who != self.rater and who not in answered for who in leased)
        return self._count_others_who_answered(question) + busy < self.pack.overlap

    def questions_leased_to_others(self) -> list[Question]:
        """Questions that only others' leases keep away."""
        return [
            q
            for q in self._unanswered_not_set_aside("ask")
            if not self._needs_another_rater(q)
            and self._count_others_who_answered(q) < self.pack.overlap
        ]

    def gold_questions_in_rater_order(self) -> list[Question]:
        """Questions whose answer is known, in this rater's own order."""
        wanted = self._unanswered_not_set_aside("gold")
        return sorted(wanted, key=lambda q: json_hash([self.pack.seed, self._name, q.id]))

    def repeat_questions_due(self, *, soon: bool = False) -> list[Question]:
        """Questions whose picture this rater saw before, long enough ago or (``soon``) at all."""
        wanted = self._unanswered_not_set_aside("again")
        if not wanted:
            return []
        # How many they answered up to each picture they answered, in the pack's order.
        upto: dict[frozenset[str], int] = {}
        for q in self.pack.questions:
            if q.kind == "ask" and q.id in self._answered:
                upto[frozenset(q.items)] = len(upto) + 1
        seen = {q.id: upto.get(frozenset(q.items), 0) for q in wanted}
        return [q for q in wanted if seen[q.id] and (soon or len(upto) - seen[q.id] >= APART)]

    def set_aside_questions(self) -> list[Question]:
        """Questions this rater put off, oldest first."""
        found = (self.pack.questions_by_id.get(q) for q in self.board.aside)
        return [q for q in found if q is not None and q.id not in self._answered]
