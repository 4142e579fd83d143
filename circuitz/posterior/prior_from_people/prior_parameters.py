"""All parameters of M_prior at their most probable values, given comparisons: loss, slopes, fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from circuitz.posterior.prior_from_people.card_score import (
    COEFFICIENTS,
    ScoreWeights,
    score_cards,
    score_gradient,
)
from circuitz.posterior.prior_from_people.card_terms import CardTerms
from circuitz.posterior.prior_from_people.compared_cards import ComparedCards
from circuitz.posterior.prior_from_people.outcome_model import LAPSE, outcome_loss
from circuitz.posterior.prior_from_people.word_indicators import INDICATORS

F64 = npt.NDArray[np.float64]
_SLOPE_SD, _TIES_MEAN, _TIES_SD, _LEVEL_SD = 0.5, -1.0, 1.0, 2.0
# The weight of words enters as a product, so the loss has several hollows: starts of the
# coefficients (speaking against, worst class).
_STARTS = ((0.7, 0.3), (-0.5, 0.0), (0.0, 0.8))


@dataclass(frozen=True)
class PriorSpread:
    """How far parameters may be from 0 before anybody was asked.

    Parameters
    ----------
    figures
        Standard deviation of β and γ.
    words
        τ, that of u.
    """

    figures: float = 1.0
    words: float = 0.5


@dataclass(frozen=True, eq=False)
class PriorParameters:
    """The parameters of the whole model of comparisons.

    Parameters
    ----------
    weights
        Those of s.
    log_ties
        log ν.
    near
        log of the slope of near pairs over that of far pairs.
    raters
        ``(j,)`` log r of every rater, mean 0.
    loss
        − log posterior at this place, up to a constant.
    """

    weights: ScoreWeights
    log_ties: float
    near: float
    raters: F64
    loss: float = np.inf


@dataclass(frozen=True, eq=False)
class _Problem:
    compared: ComparedCards
    terms: CardTerms
    indicators: F64
    spread: PriorSpread
    importance: F64
    near: F64  # (m,) what the logarithm of the near slope is multiplied by

    def loss_and_gradient(self, theta: F64) -> tuple[float, F64]:
        here = self.unflatten(theta)
        c = self.compared
        parts = score_cards(here.weights, self.terms, self.indicators)
        rater = here.raters - here.raters.mean()
        log_slope = rater[c.rater] + here.near * self.near
        at = outcome_loss(
            c.outcome,
            parts.total[c.first],
            parts.total[c.second],
            np.exp(log_slope),
            here.log_ties,
            lapse=LAPSE,
        )
        by_score = np.zeros(len(c.keys))
        np.add.at(by_score, c.first, self.importance * at.by_a)
        np.add.at(by_score, c.second, self.importance * at.by_b)
        by_slope = self.importance * at.by_slope
        by_rater = np.bincount(c.rater, by_slope, minlength=len(rater))
        gradient = np.concatenate([
            score_gradient(here.weights, self.terms, self.indicators, parts, by_score),
            [self.importance @ at.by_ties, by_slope @ self.near],
            by_rater - by_rater.mean(),
        ])  # fmt: skip
        mean, sd = self.centre_and_spread()
        off = (theta - mean) / sd
        loss = float(self.importance @ at.loss + 0.5 * off @ off)
        return loss, gradient + off / sd

    def centre_and_spread(self) -> tuple[F64, F64]:
        """Mean and standard deviation of the parameters before anybody was asked."""
        w, j = self.indicators.shape[0], len(self.compared.raters)
        figures = np.full(len(COEFFICIENTS), self.spread.figures)
        figures[0], figures[1], figures[2] = _LEVEL_SD, 1.0, 1.0
        sd = np.concatenate([
            figures, np.full(len(INDICATORS), self.spread.figures), np.full(w, self.spread.words),
            [_TIES_SD], np.full(1 + j, _SLOPE_SD),
        ])  # fmt: skip
        mean = np.zeros_like(sd)
        mean[len(sd) - j - 2] = _TIES_MEAN
        return mean, sd

    def unflatten(self, theta: F64) -> PriorParameters:
        j = len(self.compared.raters)
        split = len(theta) - j
        weights = ScoreWeights.unflatten(theta[: split - 2])
        return PriorParameters(
            weights, float(theta[split - 2]), float(theta[split - 1]), theta[split:]
        )


def fit_prior_parameters(
    compared: ComparedCards,
    terms: CardTerms,
    indicators: F64,
    spread: PriorSpread,
    *,
    importance: F64 | None = None,
    start: PriorParameters | None = None,
    starts: int = len(_STARTS),
) -> PriorParameters:
    """Find the most probable parameters (L-BFGS from several starts, or from one given).

    Parameters
    ----------
    compared
        The comparisons.
    terms
        ``compared.keys``' terms, standardised.
    indicators
        ``(w, 8)`` of the words.
    spread
        Of the parameters before anybody was asked.
    importance
        ``(m,)`` how much each comparison counts; 1 by default.
    start
        Where to start instead.
    starts
        From how many places, where none is given; one will do where fits are only compared.
    """
    m = len(compared)
    problem = _Problem(
        compared, terms, indicators, spread,
        np.ones(m) if importance is None else importance, near_multiplier(compared),
    )  # fmt: skip
    mean, _ = problem.centre_and_spread()
    places: list[F64] = []
    if start is None:
        for against, worst in _STARTS[:starts]:
            theta = mean.copy()
            theta[1:3] = against, worst
            places.append(theta)
    else:
        places.append(
            np.concatenate([start.weights.flat(), [start.log_ties, start.near], start.raters])
        )
    options = {"maxiter": 500, "ftol": 1e-9, "gtol": 1e-5}
    ends = [
        minimize(problem.loss_and_gradient, x, jac=True, method="L-BFGS-B", options=options)
        for x in places
    ]
    best = min(ends, key=lambda end: float(end.fun))
    found = problem.unflatten(np.asarray(best.x, np.float64))
    return replace(found, raters=found.raters - found.raters.mean(), loss=float(best.fun))


def near_multiplier(compared: ComparedCards) -> F64:
    """Return what log of near over far slope counts for each comparison, ``(m,)``; mean 0."""
    near = compared.near.astype(np.float64)
    return near - near.mean()


def bootstrap_importance(compared: ComparedCards, rng: np.random.Generator) -> F64:
    """Draw how much each comparison counts when raters and z's are drawn again, ``(m,)``.

    Draws are those of the Bayesian bootstrap (Rubin 1981), so that none is left out entirely; a
    lone rater isn't drawn again.
    """
    of_rater = rng.exponential(size=len(compared.raters))
    if len(np.unique(compared.rater)) < 2:
        of_rater = np.ones_like(of_rater)
    of_card = rng.exponential(size=len(compared.keys))
    drawn = of_rater[compared.rater] * (of_card[compared.first] + of_card[compared.second])
    return drawn * len(drawn) / drawn.sum()
