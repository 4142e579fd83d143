"""One bank of answers for all z's: what was answered once is not asked again.

Whether a picture shows a word has nothing to do with the z that the question arose from. So answers
are looked up by kind and items alone, whatever task they were given in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Protocol

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.store.asking import Ask, AskedQuestion
from circuitz.store.judgement import Judgement

_Slot = tuple[str, tuple[str, ...]]


class HasJudgementRows(Protocol):
    """A store, as far as reading from it goes."""

    def rows(self) -> list[Judgement]:
        """Return the judgements in force."""
        ...


class AnswerBank:
    """Answers by question; asks somebody only what nobody answered.

    Use it as an :data:`~circuitz.store.asking.Ask`.

    Parameters
    ----------
    ask
        Whom to ask what is not known; nobody by default.
    judgements
        Answers that were given before.
    """

    def __init__(self, ask: Ask | None = None, judgements: Iterable[Judgement] = ()) -> None:
        self._ask = ask
        self._lock = Lock()
        self._answers: dict[_Slot, list[Judgement]] = defaultdict(list)
        self._unanswered: dict[_Slot, AskedQuestion] = {}
        self.add(judgements)

    @property
    def asks_nobody(self) -> bool:
        """Whether it knows only what is recorded, so that asking costs nobody's time."""
        return self._ask is None

    @property
    def unanswered(self) -> tuple[AskedQuestion, ...]:
        """Questions that were put to the bank and that nobody answered."""
        return tuple(self._unanswered.values())

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """All answers of the bank."""
        return tuple(one for some in self._answers.values() for one in some)

    def add(self, judgements: Iterable[Judgement]) -> None:
        """Put answers in; those that were withdrawn say nothing."""
        with self._lock:
            for judgement in judgements:
                if judgement.answer is not None and judgement.items:
                    slot = (one_spelling_of_name(judgement.kind), judgement.items)
                    self._answers[slot].append(judgement)
                    self._unanswered.pop(slot, None)

    def __call__(self, questions: Sequence[AskedQuestion]) -> list[Judgement]:
        """Return the answers to these questions, asking what is not known."""
        slots = {(one_spelling_of_name(q.judgement_kind), q.items): q for q in questions}
        new = [q for slot, q in slots.items() if not self._answers.get(slot)]
        if new and self._ask is not None:
            self.add(self._ask(new))
        for slot, question in slots.items():
            if not self._answers.get(slot):
                self._unanswered[slot] = question
        return [one for slot in slots for one in self._answers.get(slot, ())]


def answers_from_store(store: HasJudgementRows) -> AnswerBank:
    """Return a bank of the answers in a store: it answers what is recorded, and asks nobody.

    Parameters
    ----------
    store
        A store of judgements, for instance from ``circuitz.store.address.open_store``.

    Returns
    -------
    AnswerBank
        Its ``unanswered`` are the questions that nobody has answered yet.
    """
    return AnswerBank(judgements=store.rows())
