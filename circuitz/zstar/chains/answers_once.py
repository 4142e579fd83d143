"""Answers that count once: what a round learned from is no fresh judgement in the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from circuitz.store.asking import Ask, AskedQuestion
from circuitz.store.judgement import Judgement


class AnswersOnce:
    """Takes as many answers a question as were asked for, none that an earlier round took.

    Answers are taken in the order in which they are given, so that a choice that waited goes through
    the same rounds when there are more.

    Parameters
    ----------
    ask
        Whoever answers.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._counted: set[str] = set()
        #: Questions of the last round that too few have answered.
        self.open_questions: tuple[AskedQuestion, ...] = ()

    def __call__(self, questions: Sequence[AskedQuestion]) -> list[Judgement]:
        """Return fresh answers to the questions of a round."""
        came: dict[tuple[str, ...], list[Judgement]] = defaultdict(list)
        for answer in self._ask(questions):
            if (answer.id or answer.key) not in self._counted:
                came[(answer.kind, *answer.items)].append(answer)
        found: list[Judgement] = []
        open_questions: list[AskedQuestion] = []
        for question in questions:
            some = came[(question.judgement_kind, *question.items)][: question.raters]
            found += some
            if len(some) < question.raters:
                open_questions.append(question)
        self.open_questions = tuple(open_questions)
        self._counted |= {answer.id or answer.key for answer in found}
        return found
