"""Which question comes next for a rater."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from circuitz.disk.hashing import json_hash
from circuitz.labelling.tasks.pack import Kind, Question, TaskPack
from circuitz.store.leases import Board

# A repeated picture comes back only after this many others, so that it is looked at anew.
APART = 5
_MOST_INTERVAL = 10


@dataclass(frozen=True)
class Standing:
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
    given, needed
        Answers of everybody to the questions asked (gold and repeats left out), and how many are
        wanted in all.
    """

    answered: int
    left: int
    aside: int
    elsewhere: int
    returns: float
    given: int
    needed: int


def upcoming(
    pack: TaskPack, board: Board, rater: str, held: Collection[str], n: int
) -> list[Question]:
    """Choose the next questions of a rater.

    Everybody goes through the pack in one order and leaves out what enough others answered or
    have before them. Every few pictures a gold one comes, and pictures asked twice once there
    was something in between. What was set aside comes last.

    Parameters
    ----------
    board
        What stands now.
    held
        Questions on the rater's screen already.
    n
        How many to choose.
    """
    mine = _Mine(pack, board, rater)
    found: list[Question] = []
    taken = set(held)
    asks = [q for q in mine.open() if q.id not in taken]
    again = [q for q in mine.again() if q.id not in taken]
    golds = [q for q in mine.gold() if q.id not in taken]
    aside = [q for q in mine.aside() if q.id not in taken]
    # What is held will be answered before what is chosen now.
    done = mine.answered_asks + sum(pack.by_id[h].kind == "ask" for h in taken if h in pack.by_id)
    shown = mine.answered_golds + sum(
        pack.by_id[h].kind == "gold" for h in taken if h in pack.by_id
    )
    while len(found) < n:
        if golds and asks and mine.due(done) > shown:
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


def standing(pack: TaskPack, board: Board, rater: str) -> Standing:
    """Return what is left for a rater."""
    mine = _Mine(pack, board, rater)
    asks = [q for q in pack.questions if q.kind == "ask"]
    given = sum(min(len(board.answered.get(q.slot, ())), pack.overlap) for q in asks)
    elsewhere = mine.elsewhere()
    returns = [u for q in elsewhere for who, u in board.leased[q.id].items() if who != rater]
    regular = [*mine.open(), *mine.aside()]
    left = len(regular) + len(mine.again(soon=bool(regular)))
    if regular:
        left += max(0, mine.due(mine.answered_asks + len(regular) - 1) - mine.answered_golds)
    return Standing(
        answered=mine.answered,
        left=left,
        aside=len(mine.aside()),
        elsewhere=len(elsewhere),
        returns=min(returns, default=0.0),
        given=given,
        needed=len(asks) * pack.overlap,
    )


class _Mine:
    """A pack as one rater finds it.

    A pack may hold thousands of questions and is looked through after every answer: what is
    asked of each question several times is looked up once.
    """

    def __init__(self, pack: TaskPack, board: Board, rater: str) -> None:
        self.pack, self.board, self.rater = pack, board, rater
        self._aside = set(board.aside)
        mine = {slot for slot, raters in board.answered.items() if rater in raters}
        self._answered = {q.id for q in pack.questions if q.slot in mine}
        counts = pack.counts()
        self.answered_asks = self._count("ask")
        self.answered_golds = self._count("gold")
        asks, self._golds = counts["ask"], counts["gold"]
        self._interval = max(1, min(_MOST_INTERVAL, asks // self._golds)) if self._golds else 0
        # Were every rater's first gold picture the tenth, they would tell each other.
        draw = int(json_hash([pack.seed, rater, "gold"])[:8], 16)
        self._shift = draw % max(self._interval, 1) + 1

    @property
    def answered(self) -> int:
        """How many questions this rater answered."""
        return len(self._answered)

    def _count(self, kind: Kind) -> int:
        return sum(q.kind == kind and q.id in self._answered for q in self.pack.questions)

    def _others(self, question: Question) -> int:
        return len(self.board.answered.get(question.slot, set()) - {self.rater})

    def _wanted(self, kind: Kind) -> list[Question]:
        """Questions of a kind that this rater has neither answered nor set aside."""
        return [
            q
            for q in self.pack.questions
            if q.kind == kind and q.id not in self._answered and q.id not in self._aside
        ]

    def due(self, asks: int) -> int:
        """Return how many gold questions should have come after so many others."""
        return min(self._golds, (asks + self._shift) // self._interval) if self._interval else 0

    def open(self) -> list[Question]:
        """Questions that want an answer of this rater."""
        return [q for q in self._wanted("ask") if self._room(q)]

    def _room(self, question: Question) -> bool:
        leased = self.board.leased.get(question.id, {})
        answered = self.board.answered.get(question.slot, set())
        busy = sum(who != self.rater and who not in answered for who in leased)
        return self._others(question) + busy < self.pack.overlap

    def elsewhere(self) -> list[Question]:
        """Questions that only others' leases keep away."""
        return [
            q
            for q in self._wanted("ask")
            if not self._room(q) and self._others(q) < self.pack.overlap
        ]

    def gold(self) -> list[Question]:
        """Questions whose answer is known, in this rater's own order."""
        wanted = self._wanted("gold")
        return sorted(wanted, key=lambda q: json_hash([self.pack.seed, self.rater, q.id]))

    def again(self, *, soon: bool = False) -> list[Question]:
        """Questions whose picture this rater saw before, long enough ago or (``soon``) at all."""
        wanted = self._wanted("again")
        if not wanted:
            return []
        # How many they answered up to each picture they answered, in the pack's order.
        upto: dict[str, int] = {}
        for q in self.pack.questions:
            if q.kind == "ask" and q.id in self._answered:
                upto[q.item] = len(upto) + 1
        return [q for q in wanted if q.item in upto and (soon or len(upto) - upto[q.item] >= APART)]

    def aside(self) -> list[Question]:
        """Questions this rater put off, oldest first."""
        found = (self.pack.by_id.get(q) for q in self.board.aside)
        return [q for q in found if q is not None and q.id not in self._answered]
