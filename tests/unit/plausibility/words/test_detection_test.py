from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from circuitz.plausibility.words.detection_test import BAR, Seen, decide, detect, more_pictures


def one(active: Seen, hard: Seen):
    return decide([detect(active, hard)])[0]


def test_a_word_that_tells_the_halves_apart_is_supported() -> None:
    found = one(Seen(yes=20), Seen(no=20))
    assert found.verdict == "supported"
    assert found.accuracy == 1
    assert found.p == pytest.approx(1 / math.comb(40, 20))  # Fisher, by hand
    assert found.low == pytest.approx(0.025 ** (1 / 40))  # Clopper and Pearson, by hand
    assert found.high == 1
    assert found.more == 0


def test_a_word_that_tells_nothing_is_flagged() -> None:
    for yes in (0, 10, 20):  # seen in none, in half, in all
        found = one(Seen(yes, 20 - yes), Seen(yes, 20 - yes))
        assert found.verdict == "flagged"
        assert found.accuracy == 0.5
        assert found.p >= 0.5


def test_p_is_that_of_fishers_exact_test() -> None:
    rng = np.random.default_rng(3)
    for a, h in rng.integers(0, 21, (40, 2)).tolist():
        table = [[a, 20 - a], [h, 20 - h]]
        expected = fisher_exact(table, alternative="greater")[1]
        assert detect(Seen(a, 20 - a), Seen(h, 20 - h)).p == pytest.approx(expected)


def test_the_p_value_is_that_of_the_binomial() -> None:
    found = detect(Seen(15, 5), Seen(6, 14))
    assert found.p_flag == pytest.approx(binom.cdf(29, 40, BAR))
    assert found.p_support == pytest.approx(binom.sf(28, 40, BAR))
    assert one(Seen(15, 5), Seen(6, 14)).verdict == "inconclusive"


def test_what_nobody_could_tell_counts_against_either_verdict() -> None:
    sure = one(Seen(19, 1), Seen(0, 20))
    assert sure.verdict == "supported"
    doubtful = one(Seen(12, 1, 7), Seen(0, 13, 7))
    assert doubtful.verdict == "inconclusive"
    assert doubtful.low < 0.5
    assert doubtful.high > 0.9
    assert one(Seen(5, 5, 10), Seen(5, 5, 10)).verdict == "inconclusive"
    assert one(Seen(0, 0, 20), Seen(0, 0, 20)).verdict == "inconclusive"


def test_yes_to_everything_never_supports_whatever_the_halves() -> None:
    """Where hard ones are few, yes to all is right often, and tells nothing."""
    found = one(Seen(yes=95), Seen(yes=5))
    assert found.accuracy == 0.95
    assert found.verdict != "supported"


def test_no_answers_decide_nothing() -> None:
    for active, hard in ((Seen(), Seen()), (Seen(yes=9), Seen()), (Seen(), Seen(no=9))):
        found = one(active, hard)
        assert found.verdict == "inconclusive"
        assert found.q_flag == found.q_support == 1
        assert math.isnan(found.accuracy)


def test_power_is_the_chance_to_flag_a_word_that_tells_nothing() -> None:
    found = detect(Seen(10, 10), Seen(10, 10))
    rng = np.random.default_rng(0)
    right = rng.binomial(40, 0.5, 4000)
    flagged = np.mean(binom.cdf(right, 40, BAR) <= 0.05)
    assert found.power == pytest.approx(flagged, abs=0.02)
    assert found.power > 0.9


def test_errors_stay_below_what_is_promised_at_the_bar() -> None:
    """A word exactly at the bar is flagged, and supported, in at most one of twenty tests."""
    rng = np.random.default_rng(1)
    active, hard = rng.binomial(20, BAR, 2000), rng.binomial(20, BAR, 2000)
    drafts = [detect(Seen(a, 20 - a), Seen(20 - h, h)) for a, h in zip(active, hard, strict=True)]
    verdicts = [decide([d])[0].verdict for d in drafts]
    assert verdicts.count("flagged") / 2000 < 0.06
    assert verdicts.count("supported") / 2000 < 0.06


def test_many_tests_are_adjusted_together() -> None:
    weak = detect(Seen(18, 2), Seen(3, 17))
    alone = decide([weak])[0]
    assert alone.verdict == "supported"
    among = decide([weak, *[detect(Seen(15, 5), Seen(5, 15))] * 30])
    assert among[0].verdict == "inconclusive"
    assert among[0].family == 31


def test_more_pictures_would_decide_what_is_not_on_the_bar() -> None:
    test = detect(Seen(17, 3), Seen(3, 17))
    more = more_pictures(test)
    assert 0 < more < 100
    n = test.n + more
    assert binom.sf(round(0.85 * n) - 1, n, BAR) <= 0.05
    assert more_pictures(detect(Seen(15, 5), Seen(5, 15))) == 0
