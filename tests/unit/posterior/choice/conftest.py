"""A search that never ran: z's whose true J is drawn, and two models that err about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import expit

from circuitz.posterior.choice.answer_belief import LabelAnswers
from circuitz.posterior.choice.candidate_scores import CandidateScores, no_answers
from circuitz.posterior.choice.halving_rounds import RoundJudgements, RoundQuestions
from circuitz.posterior.choice.score_belief import PairOutcomes
from circuitz.posterior.prior_from_people.outcome_model import outcome_probabilities

LOG_TIES = -1.0


@dataclass(eq=False)
class DrawnSearch:
    """Z's in lineages of five; M_prior's parameters are off by more than z's differ.

    ``spread`` is that of the true s, ``error`` that of M_prior's; with ``spread`` 0 nothing is
    better than the start.
    """

    seed: int
    z: int = 100
    n: int = 30
    spread: float = 3.0
    error: float = 4.6
    misfit: float = 1.0
    eta: float = 0.05

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.rng, features = rng, 25
        lineage = np.repeat(np.arange(self.z // 5), 5)
        x = 0.8 * rng.standard_normal((self.z // 5, features))[lineage]
        x += 0.6 * rng.standard_normal((self.z, features))
        true = rng.standard_normal(features) * self.spread / np.sqrt(features)
        off = self.error / np.sqrt(features)
        fitted = true + off * rng.standard_normal(features)
        members = fitted + off * rng.standard_normal((5, features))
        self.s = x @ true + self.misfit * rng.standard_normal(self.z)
        odds = rng.normal(1, 1, (self.z, 1)) + rng.standard_normal((1, self.n))
        self.chances = expit(odds + rng.normal(0, 0.3, (self.z, 1)))
        drawn = np.log(expit(odds[None] + rng.normal(0, 0.2, (5, 1, 1)))).sum(2)
        self.candidates = CandidateScores(
            tuple(str(i) for i in lineage), rng.integers(1, 20, self.z), x @ fitted, members @ x.T,
            np.log(expit(odds)), drawn, start=int(np.argsort(self.s)[self.z // 3]), eta=self.eta,
            log_ties=LOG_TIES,
        )  # fmt: skip
        self.j = self.s + self.eta * np.log(self.chances).sum(1)
        self.rounds: list[RoundQuestions] = []
        self.lazy_from = 99

    @property
    def screened(self) -> np.ndarray:
        """J as it is believed before anybody is asked."""
        return self.candidates.belief(self.candidates.no_pairs(), no_answers()).mean

    def put(self, questions: RoundQuestions) -> RoundJudgements:
        self.rounds.append(questions)
        first, second = questions.pairs.T
        rng = np.random.default_rng([self.seed, questions.number])
        even = np.ones(len(first))
        chances = outcome_probabilities(self.s[first], self.s[second], even, LOG_TIES)
        outcome = np.array([rng.choice(4, p=p) for p in chances])
        z, row = questions.inputs.T
        agrees = rng.random(len(z)) < self.chances[z, row]
        return RoundJudgements(
            PairOutcomes(first, second, outcome, even, LOG_TIES),
            LabelAnswers(z, row, agrees),
            complete=questions.number < self.lazy_from,
        )


@pytest.fixture(scope="package")
def drawn_searches() -> list[DrawnSearch]:
    return [DrawnSearch(seed) for seed in range(16)]


@pytest.fixture(scope="session")
def drawn_search() -> type[DrawnSearch]:
    return DrawnSearch
