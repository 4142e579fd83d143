"""Plausibility of cards from their terms, with its slopes.

    t_k = Σ_w κ_w (for_kw + β_against · against_kw) + β · (unexplained, wordless, failing)_k
    s   = β_0 + mean_k t_k + β_worst · (softmin_k t_k − mean_k t_k)
          + β · (log(1 + cues a class), agreement on D′, outside range)
    κ_w = x_w · γ + u_w

with figures standardised over the cards fitted on and x_w the word's indicators. The mean over
classes, not the sum, lets a prior fitted on six classes be read on two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.posterior.prior_from_people.card_terms import CARD_FIGURES, CLASS_FIGURES, CardTerms
from circuitz.posterior.prior_from_people.word_indicators import INDICATORS

F64 = npt.NDArray[np.float64]
#: Distance, in units of plausibility, at which the softmin tells classes apart.
_SOFTNESS = 0.25
#: Coefficients beside those of words.
COEFFICIENTS = ("level", "speaking against", "worst class", *CLASS_FIGURES, *CARD_FIGURES)
_LEVEL, SPEAKING_AGAINST, _WORST = 0, 1, 2
CLASS_SLICE = slice(3, 3 + len(CLASS_FIGURES))
CARD_SLICE = slice(3 + len(CLASS_FIGURES), len(COEFFICIENTS))


@dataclass(frozen=True, eq=False)
class ScoreWeights:
    """The parameters of s.

    Parameters
    ----------
    beta
        ``(9,)`` as ``COEFFICIENTS``.
    gamma
        ``(8,)`` weights of the indicators.
    words
        ``(w,)`` u, what a word has beyond its indicators.
    """

    beta: F64
    gamma: F64
    words: F64

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.beta) + len(self.gamma) + len(self.words)

    def flat(self) -> F64:
        """Return all parameters in one array."""
        return np.concatenate([self.beta, self.gamma, self.words])

    @classmethod
    def unflatten(cls, theta: F64) -> ScoreWeights:
        """Read them back."""
        split = [len(COEFFICIENTS), len(COEFFICIENTS) + len(INDICATORS)]
        beta, gamma, words = np.split(theta, split)
        return cls(beta, gamma, words)

    def kappa(self, indicators: F64) -> F64:
        """Weight of every word, ``(w,)``."""
        return indicators @ self.gamma + self.words


@dataclass(frozen=True, eq=False)
class TermScales:
    """What terms are standardised with.

    Parameters
    ----------
    drive
        Size of drive that counts as one.
    class_mean, class_sd, card_mean, card_sd
        ``(3,)`` mean and standard deviation of the figures.
    """

    drive: float
    class_mean: F64
    class_sd: F64
    card_mean: F64
    card_sd: F64

    @classmethod
    def of(cls, terms: CardTerms) -> TermScales:
        """Take them from the cards fitted on; a figure that never changes gets the spread 1."""
        n = len(terms.cards)
        total = [mean_over_classes(part, terms, n) for part in _signed(terms)]
        spread = sum(float(part.var(0).sum()) for part in total)
        class_mean, class_sd = _mean_and_sd(terms.classes)
        card_mean, card_sd = _mean_and_sd(terms.cards)
        drive = float(np.sqrt(spread)) if spread > 1e-12 else 1.0
        return cls(drive, class_mean, class_sd, card_mean, card_sd)

    def standardise(self, terms: CardTerms) -> CardTerms:
        """Return terms in standard units; what a card does not tell becomes 0, the average."""
        return CardTerms(
            card=terms.card,
            speaking_for=terms.speaking_for / self.drive,
            speaking_against=terms.speaking_against / self.drive,
            classes=np.nan_to_num((terms.classes - self.class_mean) / self.class_sd),
            cards=np.nan_to_num((terms.cards - self.card_mean) / self.card_sd),
        )


@dataclass(frozen=True, eq=False)
class ScoreParts:
    """Scores of cards, and what their slopes need.

    Parameters
    ----------
    total
        ``(n,)`` s.
    by_class
        ``(r,)`` t of every row.
    share
        ``(r,)`` weight of every row in its card's s: what the mean and the softmin give it.
    """

    total: F64
    by_class: F64
    share: F64
    worst: F64
    mean: F64
    softmin_share: F64
    class_share: F64


def score_cards(weights: ScoreWeights, terms: CardTerms, indicators: F64) -> ScoreParts:
    """Score cards from standardised terms; ``indicators`` is ``(w, 8)``."""
    n, beta = len(terms.cards), weights.beta
    kappa = weights.kappa(indicators)
    by_class = (
        terms.speaking_for @ kappa
        + beta[SPEAKING_AGAINST] * (terms.speaking_against @ kappa)
        + terms.classes @ beta[CLASS_SLICE]
    )
    count = np.bincount(terms.card, minlength=n)
    class_share = 1.0 / np.maximum(count, 1)[terms.card]
    mean = np.zeros(n)
    np.add.at(mean, terms.card, by_class * class_share)
    lowest = np.full(n, np.inf)
    np.minimum.at(lowest, terms.card, by_class)
    lowest = np.where(np.isfinite(lowest), lowest, 0.0)
    raised = np.exp(-(by_class - lowest[terms.card]) / _SOFTNESS) * class_share
    total = np.bincount(terms.card, raised, minlength=n)
    worst = lowest - _SOFTNESS * np.log(np.where(total > 0, total, 1.0))
    softmin_share = raised / np.where(total > 0, total, 1.0)[terms.card]
    score = beta[_LEVEL] + mean + beta[_WORST] * (worst - mean) + terms.cards @ beta[CARD_SLICE]
    share = (1 - beta[_WORST]) * class_share + beta[_WORST] * softmin_share
    return ScoreParts(score, by_class, share, worst, mean, softmin_share, class_share)


def score_gradient(
    weights: ScoreWeights, terms: CardTerms, indicators: F64, parts: ScoreParts, by_score: F64
) -> F64:
    """Return the slope of a loss by all parameters, from its slope by s, ``(n,)``."""
    by_row = by_score[terms.card] * parts.share
    kappa = weights.kappa(indicators)
    against = float(weights.beta[SPEAKING_AGAINST])
    by_kappa = by_row @ terms.speaking_for + against * (by_row @ terms.speaking_against)
    beta = np.empty(len(COEFFICIENTS))
    beta[_LEVEL] = by_score.sum()
    beta[SPEAKING_AGAINST] = by_row @ (terms.speaking_against @ kappa)
    beta[_WORST] = by_score @ (parts.worst - parts.mean)
    beta[CLASS_SLICE] = by_row @ terms.classes
    beta[CARD_SLICE] = by_score @ terms.cards
    return np.concatenate([beta, indicators.T @ by_kappa, by_kappa])


def mean_over_classes(values: F64, terms: CardTerms, n: int) -> F64:
    """Average rows of each card, ``(n, w)``."""
    total = np.zeros((n, values.shape[1]))
    np.add.at(total, terms.card, values)
    return total / np.maximum(np.bincount(terms.card, minlength=n), 1)[:, None]


def _signed(terms: CardTerms) -> tuple[F64, F64]:
    return terms.speaking_for, terms.speaking_against


def _mean_and_sd(values: F64) -> tuple[F64, F64]:
    told = np.isfinite(values)
    n = np.maximum(told.sum(0), 1)
    mean = np.where(told, values, 0.0).sum(0) / n
    variance = np.where(told, (values - mean) ** 2, 0.0).sum(0) / n
    sd = np.sqrt(variance)
    return mean, np.where(sd > 1e-9, sd, 1.0)
