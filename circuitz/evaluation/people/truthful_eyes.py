"""Somebody who sees everything as it is: what a test of words would say of perfect answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.store.asking import NO, YES, AskedQuestion, judgement_of_answer
from circuitz.store.judgement import NO_OPTIONS, Judgement


@dataclass(frozen=True)
class TruthfulEyes:
    """Answers *does this picture show the word?* without error, for scoring tests of words.

    Parameters
    ----------
    pictures
        What pictures show.
    """

    pictures: PictureTruth

    def __call__(self, questions: Sequence[AskedQuestion]) -> list[Judgement]:
        """Answer; a word that is nowhere defined for a picture cannot be told."""
        given: list[Judgement] = []
        for question in questions:
            there = self.pictures.of_picture(question.items[0]).get(question.word)
            choice = NO_OPTIONS[0] if there is None else YES if there else NO
            given.append(
                judgement_of_answer(
                    question,
                    {"choice": choice},
                    task="truth",
                    rater="truth",
                    rater_kind="simulated",
                )
            )
        return given
