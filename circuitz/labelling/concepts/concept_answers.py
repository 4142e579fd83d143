"""What people answered about a concept, merged: shown, not shown, or not to be told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.labelling.concepts.concept_pack import NO, YES
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.stats.agreement import krippendorff_alpha
from circuitz.store.judgement import Judgement


@dataclass(frozen=True)
class MergedAnswers:
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
    def majority_label(self) -> float | None:
        """1 or 0 by majority of those who could tell; ``None`` on a tie or where nobody could."""
        yes, no = self.votes.get(YES, 0), self.votes.get(NO, 0)
        return None if yes == no else float(yes > no)

    @property
    def is_usable(self) -> bool:
        """Whether fewer raters called the picture unusable than gave another answer."""
        return self.votes.get(DISCARDED, 0) * 2 <= sum(self.votes.values())

    @property
    def is_disputed(self) -> bool:
        """Whether as many saw it as did not."""
        return self.votes.get(YES, 0) == self.votes.get(NO, 0) > 0


def merge_answers_about_word(
    pack: TaskPack, rows: Iterable[Judgement], word: str
) -> list[MergedAnswers]:
    """Merge the answers in force to the questions about a word, in the order of the pack.

    Every rater counts once a picture, and each as much as any other.
    """
    given: dict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    for row in rows:
        if row.task == pack.task and row.answer is not None and row.items:
            choice = str(row.answer.get("choice", ""))
            given[row.kind, row.items[0]][row.rater, row.rater_kind] = choice
    return [
        MergedAnswers(q, Counter(given[q.judgement_kind_and_item].values()))
        for q in pack.questions
        if q.word == word and q.judgement_kind_and_item in given
    ]


def summarise_answers_by_word(pack: TaskPack, rows: Iterable[Judgement]) -> dict[str, Any]:
    """Say how far people are, and how far they agree, as JSON values by word."""
    here = [row for row in rows if row.task == pack.task and row.answer is not None]
    return {word: _summarise_answers_about_word(pack, here, word) for word in pack.words}


def _summarise_answers_about_word(
    pack: TaskPack, rows: list[Judgement], word: str
) -> dict[str, Any]:
    merged = merge_answers_about_word(pack, rows, word)
    slots = {q.judgement_kind_and_item for q in pack.questions if q.word == word}
    mine = [row for row in rows if row.items and (row.kind, row.items[0]) in slots]
    told: dict[str, list[str]] = defaultdict(list)
    for row in mine:
        choice = str((row.answer or {}).get("choice", ""))
        if choice in (YES, NO):
            told[row.items[0]].append(choice)
    agreement = krippendorff_alpha(told)
    choices = Counter(str((row.answer or {}).get("choice", "")) for row in mine)
    return {
        "questions": len(slots),
        "answered": len(merged),
        "complete": sum(sum(m.votes.values()) >= pack.overlap for m in merged),
        "yes": sum(m.majority_label == 1 for m in merged),
        "no": sum(m.majority_label == 0 for m in merged),
        "disputed": sum(m.is_disputed for m in merged),
        "cannot_tell": choices[CANNOT_TELL],
        "not_usable": choices[DISCARDED],
        "raters": sorted({row.rater for row in mine}),
        "rater_kinds": sorted({row.rater_kind for row in mine}),
        "agreement": None if agreement is None else agreement.to_json(),
    }
