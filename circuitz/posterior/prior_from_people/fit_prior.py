"""Fit M_prior to people's comparisons of cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import Comparison
from circuitz.errors import PosteriorError
from circuitz.posterior.prior_from_people.card_score import TermScales, score_cards
from circuitz.posterior.prior_from_people.card_terms import CardTerms, card_terms, words_of_cards
from circuitz.posterior.prior_from_people.compared_cards import (
    ComparedCards,
    cards_by_hash,
    compared_cards,
)
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior, PoolOfCards
from circuitz.posterior.prior_from_people.outcome_model import outcome_loss
from circuitz.posterior.prior_from_people.prior_calibration import (
    PriorCalibration,
    calibration_of_scores,
)
from circuitz.posterior.prior_from_people.prior_parameters import (
    PriorSpread,
    bootstrap_importance,
    fit_prior_parameters,
    near_multiplier,
)
from circuitz.posterior.prior_from_people.word_indicators import WordFeatures, indicators_for_fit

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Spreads compared by how well fits without some cards foretell comparisons of these, narrow first.
SPREADS = (
    PriorSpread(0.5, 0.1), PriorSpread(0.5, 0.25), PriorSpread(1.0, 0.25), PriorSpread(2.0, 0.75),
)  # fmt: skip
_FOLDS = 4
_FEWEST_RATERS = 3


def fit_prior(
    comparisons: Iterable[Comparison],
    cards: Mapping[str, Card] | Sequence[Card],
    *,
    words: WordFeatures = "wordnet",
    lineage: Mapping[str, str] | None = None,
    members: int = 5,
    seed: int = 0,
) -> FittedPrior:
    """Learn how plausible people find a z from their comparisons of cards.

    Only what the cards show is read: no finding, no lexicon. About 25 parameters are free; how far
    they may go is chosen among four settings by cross-validation over cards (or lineages), and
    fits that leave raters out say how well choices of fresh people are foretold.

    Parameters
    ----------
    comparisons
        Answers as given; which of them to learn from is the caller's choice.
    cards
        The cards by hash, or the cards alone; those that nobody was asked about count in
        the constant C alone.
    words
        ``wordnet`` lets words that are alike in WordNet share; ``none`` and ``shuffled`` are
        ablations.
    lineage
        Lineage of each card's z by key; cards of one lineage are left out together.
    members
        Fits with raters and z's drawn again, whose spread is the error.
    seed
        Seed of members and folds.

    Returns
    -------
    FittedPrior
        With ``remarks`` on whatever was odd: contradictions, one rater, ties alone, groups of
        cards that nothing connects, cards that are not there.

    Raises
    ------
    PosteriorError
        If no comparison tells anything about the cards, an outcome is unknown, or the number of
        members is negative.

    Notes
    -----
    The model of Bradley and Terry (1952) with ties (Davidson 1970), a fourth outcome that fixes
    the level, slopes by rater and a lapse; maximum a posteriori by L-BFGS.
    """
    if members < 0:
        raise PosteriorError(f"{members} members cannot be fitted.", "Ask for 0 or more.")
    by_key = cards_by_hash(cards)
    compared = compared_cards(comparisons, by_key)
    pool = [by_key[key] for key in compared.keys]
    vocabulary = words_of_cards(pool)
    indicators = indicators_for_fit(vocabulary, words, seed)
    raw = card_terms(pool, vocabulary)
    scales = TermScales.of(raw)
    terms = scales.standardise(raw)
    cross = _CrossFit(compared, terms, indicators, seed)
    spread = cross.choose_spread(_card_folds(compared, lineage, seed))
    found = fit_prior_parameters(compared, terms, indicators, spread)
    rng = np.random.default_rng(seed)
    drawn = [
        fit_prior_parameters(
            compared, terms, indicators, spread,
            importance=bootstrap_importance(compared, rng), start=found,
        ).weights
        for _ in range(members)
    ]  # fmt: skip
    s = score_cards(found.weights, terms, indicators).total
    near = float(compared.near.mean())
    return FittedPrior(
        words=vocabulary,
        indicators=indicators,
        features=words,
        weights=found.weights,
        scales=scales,
        members=tuple(drawn),
        log_ties=found.log_ties,
        near_slope=float(np.exp(found.near * (1 - near))),
        far_slope=float(np.exp(-found.near * near)),
        raters={
            name: round(float(np.exp(r)), 6)
            for name, r in zip(compared.raters, found.raters, strict=True)
        },
        pool=PoolOfCards(float(np.logaddexp.reduce(s)), float(s.max()), len(s)),
        counts=compared.counts,
        remarks=compared.remarks,
        spread=spread,
        calibration=cross.calibrate(spread, lineage),
        seed=seed,
    )


def calibrate_prior(
    prior: FittedPrior,
    comparisons: Iterable[Comparison],
    cards: Mapping[str, Card] | Sequence[Card],
    *,
    seed: int = 0,
) -> PriorCalibration:
    """Set a prior against comparisons it was not fitted to (fresh raters, fresh z's, or both).

    Raises
    ------
    PosteriorError
        As :func:`fit_prior`.
    """
    by_key = cards_by_hash(cards)
    compared = compared_cards(comparisons, by_key)
    s = prior.scores([by_key[key] for key in compared.keys])
    return calibration_of_scores(
        compared, s[compared.first], s[compared.second], prior.losses(compared, by_key),
        held_out="as given", seed=seed,
    )  # fmt: skip


class _CrossFit:
    """Fits that leave some comparisons out, and what they foretell of these."""

    def __init__(
        self, compared: ComparedCards, terms: CardTerms, indicators: F64, seed: int
    ) -> None:
        self._compared, self._terms, self._indicators = compared, terms, indicators
        self._seed = seed

    def choose_spread(
        self, folds: list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]
    ) -> PriorSpread:
        """Return the first spread that none foretells clearly better than (by a standard error).

        The narrowest comes first: fits without some cards see fewer comparisons than the whole
        one, and want more room than it should have.
        """
        if not folds:
            return SPREADS[0]
        losses = np.array([
            np.concatenate([self._foretell(spread, *fold)[2] for fold in folds])
            for spread in SPREADS
        ])  # fmt: skip
        gap = losses - losses[losses.mean(1).argmin()]
        error = gap.std(1) / np.sqrt(gap.shape[1])
        return SPREADS[int((gap.mean(1) <= error).argmax())]

    def calibrate(
        self, spread: PriorSpread, lineage: Mapping[str, str] | None
    ) -> PriorCalibration | None:
        """Foretell comparisons of raters left out or, of too few raters, of cards left out."""
        c = self._compared
        raters = np.unique(c.rater)
        if len(raters) >= _FEWEST_RATERS:
            fold = np.arange(len(raters)) % min(_FOLDS, len(raters))
            np.random.default_rng(self._seed).shuffle(fold)
            group = fold[np.searchsorted(raters, c.rater)]
            folds = [(group != i, group == i) for i in range(int(fold.max()) + 1)]
            what = "raters"
        else:
            folds = _card_folds(c, lineage, self._seed)
            what = "cards" if lineage is None else "lineages"
        if not folds:
            return None
        parts = [self._foretell(spread, *fold) for fold in folds]
        tested = _concatenate([c.subset(test) for _, test in folds])
        a, b, loss = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return calibration_of_scores(tested, a, b, loss, held_out=what, seed=self._seed)

    def _foretell(
        self, spread: PriorSpread, learn: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]
    ) -> tuple[F64, F64, F64]:
        """Return s of both cards, and − log P, for the comparisons left out."""
        found = fit_prior_parameters(
            self._compared.subset(learn), self._terms, self._indicators, spread, starts=1
        )
        s = score_cards(found.weights, self._terms, self._indicators).total
        held = self._compared.subset(test)
        a, b = s[held.first], s[held.second]
        slope = np.exp(found.near * near_multiplier(self._compared)[test])
        return a, b, outcome_loss(held.outcome, a, b, slope, found.log_ties).loss


def _card_folds(
    compared: ComparedCards, lineage: Mapping[str, str] | None, seed: int
) -> list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """Leave a quarter of the cards out at a time: learn without them, test on pairs with one."""
    names = [key if lineage is None else lineage.get(key, key) for key in compared.keys]
    groups, group = np.unique(names, return_inverse=True)
    if len(groups) < 2 * _FOLDS:
        return []
    fold = np.arange(len(groups)) % _FOLDS
    np.random.default_rng(seed).shuffle(fold)
    of_card = fold[group]
    found: list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]] = []
    for i in range(_FOLDS):
        touched = (of_card[compared.first] == i) | (of_card[compared.second] == i)
        if touched.any() and not touched.all():
            found.append((~touched, touched))
    return found


def _concatenate(parts: list[ComparedCards]) -> ComparedCards:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("first", "second", "outcome", "rater", "near")
    }
    return replace(parts[0], **columns)
