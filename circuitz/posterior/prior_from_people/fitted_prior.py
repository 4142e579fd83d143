"""M_prior as a value: how plausible people find a card, with its error and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card
from circuitz.disk.hashing import json_hash
from circuitz.posterior.prior_from_people.card_score import (
    ScoreParts,
    ScoreWeights,
    TermScales,
    score_cards,
)
from circuitz.posterior.prior_from_people.card_terms import TrustRule, card_terms, words_of_cards
from circuitz.posterior.prior_from_people.compared_cards import ComparedCards
from circuitz.posterior.prior_from_people.outcome_model import outcome_loss
from circuitz.posterior.prior_from_people.prior_calibration import PriorCalibration
from circuitz.posterior.prior_from_people.prior_parameters import PriorSpread
from circuitz.posterior.prior_from_people.score_explanation import ScoreExplanation, explain_score
from circuitz.posterior.prior_from_people.word_indicators import (
    WordFeatures,
    indicators_of_new_word,
)

F64 = npt.NDArray[np.float64]
#: Priors of schema 1 trusted words by the lower limits of their matches.
SCHEMA = 2


@dataclass(frozen=True)
class PoolOfCards:
    """The cards a prior was fitted on, as far as its constant needs them.

    Parameters
    ----------
    log_sum
        Logarithm of the sum of e^s over them: C.
    highest
        The highest s.
    n
        How many.
    """

    log_sum: float
    highest: float
    n: int


@dataclass(frozen=True)
class LogPrior:
    """log M_prior of one z.

    Parameters
    ----------
    value
        s − C, nats.
    error
        Standard deviation of s over the members.
    above_pool
        Whether s is higher than that of every card the prior was fitted on: it is extrapolated.
    """

    value: float
    error: float
    above_pool: bool


@dataclass(frozen=True, eq=False)
class FittedPrior:
    """How plausible people find a z, learned from their comparisons of cards.

    Made by :func:`circuitz.posterior.prior_from_people.fit_prior.fit_prior`. The model stands in
    :mod:`circuitz.posterior.prior_from_people.card_score` and
    :mod:`circuitz.posterior.prior_from_people.outcome_model`.

    Parameters
    ----------
    words
        Words of the cards fitted on, sorted.
    indicators
        ``(w, 8)`` float64: what stood for each of them.
    features
        ``wordnet``, or an ablation: ``none``, ``shuffled``.
    weights, scales
        Parameters of s, and what its terms are standardised with.
    members
        Parameters fitted anew with raters and z's drawn again; their spread is the error.
    log_ties
        log ν.
    near_slope, far_slope
        Slope of pairs that differ by one change, and of others; their mean logarithm is 0.
    raters
        Slope of every rater; their geometric mean is 1.
    pool
        The cards fitted on.
    counts
        How often each outcome was given, *cannot tell* among them.
    remarks
        What was odd about the comparisons, one sentence each.
    spread
        Spread of the parameters before anybody was asked.
    calibration
        Choices of people (or about cards) that were left out, foretold by fits without them.
    seed
        Seed of members and folds.
    trust
        What a word is trusted by: the verdicts of its matches, or, of priors of schema 1, their
        lower limits.
    """

    words: tuple[str, ...]
    indicators: F64
    features: WordFeatures
    weights: ScoreWeights
    scales: TermScales
    members: tuple[ScoreWeights, ...]
    log_ties: float
    near_slope: float
    far_slope: float
    raters: dict[str, float]
    pool: PoolOfCards
    counts: dict[str, int]
    remarks: tuple[str, ...] = ()
    spread: PriorSpread = field(default_factory=PriorSpread)
    calibration: PriorCalibration | None = None
    seed: int = 0
    trust: TrustRule = "verdict"

    def score(self, card: Card) -> float:
        """Return s of a card; at 0 it is as often accepted as rejected."""
        return float(self.scores([card])[0])

    def scores(self, cards: Sequence[Card]) -> F64:
        """Return s of every card, ``(n,)`` float64."""
        return self.parts(cards, [self.weights])[0].total

    def member_scores(self, cards: Sequence[Card]) -> F64:
        """Return s of every card by every member, ``(members, n)`` float64."""
        return np.array([p.total for p in self.parts(cards, self.members)]).reshape(-1, len(cards))

    def score_error(self, cards: Sequence[Card]) -> F64:
        """Return the standard deviation of s over the members, ``(n,)``; NaN without members."""
        if len(self.members) < 2:
            return np.full(len(cards), np.nan)
        return self.member_scores(cards).std(0, ddof=1)

    def log_prior(self, card: Card) -> LogPrior:
        """Return s − C of a card, C being the same for all cards of a search."""
        s = self.score(card)
        error = float(self.score_error([card])[0])
        return LogPrior(s - self.pool.log_sum, error, s > self.pool.highest)

    def rejection_probability(self, card: Card) -> float:
        """Return how likely the card is rejected where it can be accepted or called implausible."""
        return float(1 / (1 + np.exp(np.clip(self.score(card), -500, 500))))

    def word_weight(self, word: str) -> float:
        """Return κ of a word: what people make of it where it speaks for a class.

        A word that was on no card fitted on gets what its indicators say.
        """
        if word in self.words:
            return float(self.weights.kappa(self.indicators)[self.words.index(word)])
        return float(indicators_of_new_word(word, self.features, self.words) @ self.weights.gamma)

    def explain(self, card: Card) -> ScoreExplanation:
        """Return what every cue and figure of the card adds to s; they sum to it."""
        return explain_score(card, self.scales, self.weights, self.word_weight, self.trust)

    def losses(self, compared: ComparedCards, cards: Mapping[str, Card]) -> F64:
        """Return − log P(outcome) of comparisons, ``(m,)``, for raters of slope 1."""
        s = self.scores([cards[key] for key in compared.keys])
        slope = np.where(compared.near, self.near_slope, self.far_slope)
        first, second = s[compared.first], s[compared.second]
        return outcome_loss(compared.outcome, first, second, slope, self.log_ties).loss

    def parts(self, cards: Sequence[Card], members: Sequence[ScoreWeights]) -> list[ScoreParts]:
        """Score cards with several sets of parameters."""
        fitted = set(self.words)
        new = [word for word in words_of_cards(cards) if word not in fitted]
        words = (*self.words, *new)
        rows = [indicators_of_new_word(word, self.features, self.words) for word in new]
        indicators = (
            np.concatenate([self.indicators, np.array(rows).reshape(len(new), -1)])
            if new
            else self.indicators
        )
        terms = self.scales.standardise(card_terms(cards, words, self.trust))
        unknown = np.zeros(len(new))
        return [
            score_cards(
                ScoreWeights(m.beta, m.gamma, np.concatenate([m.words, unknown])), terms, indicators
            )
            for m in members
        ]

    @cached_property
    def hash(self) -> str:
        """Hash of all it says."""
        return json_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the prior as JSON values."""
        from circuitz.posterior.prior_from_people.prior_json import prior_record  # noqa: PLC0415 - it imports this file

        return prior_record(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> FittedPrior:
        """Read a prior back.

        Raises
        ------
        PosteriorError
            If it is malformed, not finite, or of a newer schema.
        """
        from circuitz.posterior.prior_from_people.prior_json import parse_prior  # noqa: PLC0415 - it imports this file

        return parse_prior(record)
