"""The rounds of a choice put to people: questions out of numbers, and numbers out of judgements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.class_answer import ClassAnswer
from circuitz.cards.judged.comparison import COMPARE_OPTIONS, Comparison
from circuitz.cards.judged.questions_to_ask import class_questions_to_ask
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.posterior.choice.answer_belief import LabelAnswers
from circuitz.posterior.choice.halving_rounds import RoundJudgements, RoundQuestions
from circuitz.posterior.choice.score_belief import PairOutcomes
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.store.asking import Ask, AskedQuestion
from circuitz.store.judgement import Judgement

I64 = npt.NDArray[np.int64]
# Share of a round's questions that must be answered before it is learned from.
_COMPLETE = 0.9


@dataclass(eq=False)
class PeopleRounds:
    """Asks people what the rounds of :func:`~.halving_rounds.choose_by_halving` want to know.

    Parameters
    ----------
    cards
        Card of every z, as both models read it.
    inputs
        Content hashes of the inputs of D that M_L was summed over.
    labels
        ``(n,)`` their labels, indices into the cards' classes.
    activity
        What z's card displays of an input: called with the number of the z and of the input.
    prior
        M_prior, for the slopes of near and far pairs.
    ask
        Whoever answers.
    """

    cards: Sequence[Card]
    inputs: Sequence[str]
    labels: I64
    activity: Callable[[int, int], CardActivity]
    prior: FittedPrior
    ask: Ask

    def __post_init__(self) -> None:
        self.judgements: list[Judgement] = []

    def __call__(self, questions: RoundQuestions) -> RoundJudgements:
        """Put the questions of a round, and sort what comes back into columns."""
        put = self.questions(questions)
        answers = list(self.ask(put))
        self.judgements += answers
        shown = [self.cards[z] for z in sorted(set(questions.pairs.ravel().tolist()))]
        held = [self.cards[z] for z in sorted(set(questions.inputs[:, 0].tolist()))]
        read = read_judged_answers(answers, [*shown, *held])
        came = {(j.kind, j.card_hash, *j.items) for j in answers}
        complete = sum((q.judgement_kind, q.card_hash, *q.items) in came for q in put)
        return RoundJudgements(
            self._pairs(read.comparisons, questions),
            self._answers(read.class_answers, questions),
            complete >= _COMPLETE * len(put),
        )

    def questions(self, questions: RoundQuestions) -> list[AskedQuestion]:
        """Return the questions of a round as people are asked them."""
        use = "held-out" if questions.audit else "train"
        rng = np.random.default_rng([questions.number, 8])
        put: list[AskedQuestion] = []
        # What is asked twice is asked two people.
        for (a, b), raters in Counter((int(a), int(b)) for a, b in questions.pairs).items():
            cards = (self.cards[a], self.cards[b])
            put.append(
                AskedQuestion(
                    "compare", (cards[0].hash, cards[1].hash), COMPARE_OPTIONS,
                    int(rng.integers(2**31)), use=use, raters=raters, shown={"cards": cards},
                )
            )  # fmt: skip
        inputs = Counter((int(z), int(row)) for z, row in questions.inputs)
        for i, ((z, row), raters) in enumerate(inputs.items()):
            put += class_questions_to_ask(
                self.cards[z], [self.inputs[row]], [self.activity(z, row)],
                use=use, raters=raters, seed=questions.number * 1000 + i,
            )  # fmt: skip
        return put

    def _pairs(self, comparisons: Sequence[Comparison], questions: RoundQuestions) -> PairOutcomes:
        number = {self.cards[z].hash: z for z in sorted(set(questions.pairs.ravel().tolist()))}
        rows = [c for c in comparisons if c.outcome in COMPARE_OPTIONS]
        return PairOutcomes(
            np.array([number[c.a_hash] for c in rows], np.int64),
            np.array([number[c.b_hash] for c in rows], np.int64),
            np.array([COMPARE_OPTIONS.index(c.outcome) for c in rows], np.int64),
            np.array(
                [
                    self.prior.raters.get(c.rater, 1.0)
                    * (self.prior.near_slope if c.near else self.prior.far_slope)
                    for c in rows
                ]
            ),
            self.prior.log_ties,
        )

    def _answers(self, answers: Sequence[ClassAnswer], questions: RoundQuestions) -> LabelAnswers:
        z_of = {self.cards[z].hash: z for z in sorted(set(questions.inputs[:, 0].tolist()))}
        row_of = {self.inputs[row]: row for row in questions.inputs[:, 1].tolist()}
        rows = [a for a in answers if a.names_class]
        z = np.array([z_of[a.card_hash] for a in rows], np.int64)
        row = np.array([row_of[a.item] for a in rows], np.int64)
        label = [self.cards[i].names[int(self.labels[r])] for i, r in zip(z, row, strict=True)]
        agrees = np.array([a.choice == y for a, y in zip(rows, label, strict=True)], bool)
        return LabelAnswers(z, row, agrees)
