"""Slopes of the score, and what a card's terms are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import check_grad

from circuitz.posterior.prior_from_people.card_score import (
    COEFFICIENTS,
    ScoreWeights,
    TermScales,
    score_cards,
    score_gradient,
)
from circuitz.posterior.prior_from_people.card_terms import (
    UNTESTED,
    card_terms,
    trust_in_cue,
    words_of_cards,
)
from circuitz.posterior.prior_from_people.word_indicators import INDICATORS, word_indicators
from circuitz.z.word_match import WordMatch

from .conftest import cue


def test_slopes_are_those_of_the_score(pool):
    cards = pool[:8]
    words = words_of_cards(cards)
    raw = card_terms(cards, words)
    terms, x = TermScales.of(raw).standardise(raw), word_indicators(words)
    rng = np.random.default_rng(0)
    weight = rng.normal(size=len(cards))
    start = rng.normal(size=len(COEFFICIENTS) + len(INDICATORS) + len(words))

    def loss(theta: np.ndarray) -> float:
        return float(weight @ score_cards(ScoreWeights.unflatten(theta), terms, x).total)

    def gradient(theta: np.ndarray) -> np.ndarray:
        weights = ScoreWeights.unflatten(theta)
        return score_gradient(weights, terms, x, score_cards(weights, terms, x), weight)

    assert check_grad(loss, gradient, start) < 1e-4


def test_a_figure_no_card_tells_has_no_say(pool):
    silent = [
        replace(c, classes=tuple(replace(e, unexplained=None, wordless=None) for e in c.classes))
        for c in pool[:6]
    ]
    raw = card_terms([*pool[6:12], *silent], ("snow",))
    terms = TermScales.of(raw).standardise(raw)
    of_silent = terms.card >= 6
    assert not terms.classes[of_silent][:, :2].any()
    assert terms.classes[~of_silent][:, :2].any()


def test_trust_goes_by_the_verdicts_people_see():
    tested = cue("snow", 0.4, low=0.8)
    concepts, _, on_shifted = tested.matches
    assert trust_in_cue(tested) == 1
    asked_nowhere = (concepts, WordMatch("D", "untested"), WordMatch("D'", "untested"))
    assert trust_in_cue(replace(tested, matches=asked_nowhere)) == UNTESTED
    assert (
        trust_in_cue(replace(tested, matches=(concepts, asked_nowhere[1], on_shifted))) == UNTESTED
    )
    assert trust_in_cue(replace(tested, matches=(WordMatch("concepts", "untested"),))) == 0
    assert trust_in_cue(cue("snow", 0.4, fails=True)) == 0
    assert trust_in_cue(replace(tested, matches=())) == UNTESTED


def test_priors_of_schema_1_trust_by_the_least_limit():
    tested = cue("snow", 0.4, low=0.8)
    concepts, on_d, on_shifted = tested.matches
    assert trust_in_cue(tested, "lower limit") == 0.8
    lower = (concepts, replace(on_d, low=0.6), on_shifted)
    assert trust_in_cue(replace(tested, matches=lower), "lower limit") == 0.6
    asked_nowhere = (concepts, WordMatch("D", "untested"))
    assert trust_in_cue(replace(tested, matches=asked_nowhere), "lower limit") == 0.5
    assert trust_in_cue(cue("snow", 0.4, fails=True), "lower limit") == 0
