"""What people answered about a concept, merged: shown, not shown, or not to be told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from circuitz.card.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.labelling.concepts.concept_pack import NO, YES
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.stats.agreement import alpha
from circuitz.store.judgement import Judgement


@dataclass(frozen=True)
class Merged:
    """Answers of all raters to one question.

    Parameters
    ----------
    question
        The question.
    votes
        Answers by choice.
    """

    question: Question
    votes: Mapping[str, int]

    @property
    def value(self) -> float | None:
        """1 or 0 by majority of those who could tell; ``None`` on a tie or where nobody could."""
        yes, no = self.votes.get(YES, 0), self.votes.get(NO, 0)
        return None if yes == no else float(yes > no)

    @property
    def usable(self) -> bool:
        """Whether fewer raters called the picture unusable than gave another answer."""
        return self.votes.get(DISCARDED, 0) * 2 <= sum(self.votes.values())

    @property
    def disputed(self) -> bool:
        """Whether as many saw it as did not."""
        return self.votes.get(YES, 0) == self.votes.get(NO, 0) > 0


def merge(pack: TaskPack, rows: Iterable[Judgement], word: str) -> list[Merged]:
    """Merge the answers in force to the questions about a word, in the order of the pack.

    Every rater counts once a picture, and each as much as any other.
    """
    given: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.task == pack.task and row.answer is not None and row.items:
            given[row.kind, row.items[0]][row.rater] = str(row.answer.get("choice", ""))
    return [
        Merged(q, Counter(given[q.slot].values()))
        for q in pack.questions
        if q.word == word and q.slot in given
    ]


def summary(pack: TaskPack, rows: Iterable[Judgement]) -> dict[str, Any]:
    """Say how far people are, and how far they agree, as JSON values by word."""
    here = [row for row in rows if row.task == pack.task and row.answer is not None]
    return {word: _of_word(pack, here, word) for word in pack.words}


def _of_word(pack: TaskPack, rows: list[Judgement], word: str) -> dict[str, Any]:
    merged = merge(pack, rows, word)
    slots = {q.slot for q in pack.questions if q.word == word}
    mine = [row for row in rows if row.items and (row.kind, row.items[0]) in slots]
    told: dict[str, list[str]] = defaultdict(list)
    for row in mine:
        choice = str((row.answer or {}).get("choice", ""))
        if choice in (YES, NO):
            told[row.items[0]].append(choice)
    agreement = alpha(told)
    choices = Counter(str((row.answer or {}).get("choice", "")) for row in mine)
    return {
        "questions": len(slots),
        "answered": len(merged),
        "complete": sum(sum(m.votes.values()) >= pack.overlap for m in merged),
        "yes": sum(m.value == 1 for m in merged),
        "no": sum(m.value == 0 for m in merged),
        "disputed": sum(m.disputed for m in merged),
        "cannot_tell": choices[CANNOT_TELL],
        "not_usable": choices[DISCARDED],
        "raters": sorted({row.rater for row in mine}),
        "rater_kinds": sorted({row.rater_kind for row in mine}),
        "agreement": None if agreement is None else agreement.to_json(),
    }
