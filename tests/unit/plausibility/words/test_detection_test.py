from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from circuitz.plausibility.words.detection_test import (
    BAR,
    DetectionCounts,
    assign_detection_verdicts,
    more_pictures_needed,
    run_detection_test,
)


def one(active: DetectionCounts, hard: DetectionCounts):
    return assign_detection_verdicts([run_detection_test(active, hard)])[0]


def test_a_word_that_tells_the_halves_apart_is_supported() -> None:
    found = one(DetectionCounts(yes=20), DetectionCounts(no=20))
    assert found.verdict == "supported"
    assert found.accuracy == 1
    assert found.p == pytest.approx(1 / math.comb(40, 20))  # Fisher, by hand
    assert found.low == pytest.approx(0.025 ** (1 / 40))  # Clopper and Pearson, by hand
    assert found.high == 1
    assert found.more == 0


def test_a_word_that_tells_nothing_is_flagged() -> None:
    for yes in (0, 10, 20):  # seen in none, in half, in all
        found = one(DetectionCounts(yes, 20 - yes), DetectionCounts(yes, 20 - yes))
        assert found.verdict == "flagged"
        assert found.accuracy == 0.5
        assert found.p >= 0.5


def test_p_is_that_of_fishers_exact_test() -> None:
    rng = np.random.default_rng(3)
    for a, h in rng.integers(0, 21, (40, 2)).tolist():
        table = [[a, 20 - a], [h, 20 - h]]
        expected = fisher_exact(table, alternative="greater")[1]
        assert run_detection_test(
            DetectionCounts(a, 20 - a), DetectionCounts(h, 20 - h)
        ).p == pytest.approx(expected)


def test_the_p_value_is_that_of_the_binomial() -> None:
    found = run_detection_test(DetectionCounts(15, 5), DetectionCounts(6, 14))
    assert found.p_flag == pytest.approx(binom.cdf(29, 40, BAR))
    assert found.p_support == pytest.approx(binom.sf(28, 40, BAR))
    assert one(DetectionCounts(15, 5), DetectionCounts(6, 14)).verdict == "inconclusive"


def test_what_nobody_could_tell_counts_against_either_verdict() -> None:
    sure = one(DetectionCounts(19, 1), DetectionCounts(0, 20))
    assert sure.verdict == "supported"
    doubtful = one(DetectionCounts(12, 1, 7), DetectionCounts(0, 13, 7))
    assert doubtful.verdict == "inconclusive"
    assert doubtful.low < 0.5
    assert doubtful.high > 0.9
    assert one(DetectionCounts(5, 5, 10), DetectionCounts(5, 5, 10)).verdict == "inconclusive"
    assert one(DetectionCounts(0, 0, 20), DetectionCounts(0, 0, 20)).verdict == "inconclusive"


def test_yes_to_everything_never_supports_whatever_the_halves() -> None:
    """Where hard ones are few, yes to all is right often, and tells nothing."""
    found = one(DetectionCounts(yes=95), DetectionCounts(yes=5))
    assert found.accuracy == 0.95
    assert found.verdict != "supported"


def test_no_answers_decide_nothing() -> None:
    for active, hard in (
        (DetectionCounts(), DetectionCounts()),
        (DetectionCounts(yes=9), DetectionCounts()),
        (DetectionCounts(), DetectionCounts(no=9)),
    ):
        found = one(active, hard)
        assert found.verdict == "inconclusive"
        assert found.q_flag == found.q_support == 1
        assert math.isnan(found.accuracy)


def test_power_is_the_chance_to_flag_a_word_that_tells_nothing() -> None:
    found = run_detection_test(DetectionCounts(10, 10), DetectionCounts(10, 10))
    rng = np.random.default_rng(0)
    right = rng.binomial(40, 0.5, 4000)
    flagged = np.mean(binom.cdf(right, 40, BAR) <= 0.05)
    assert found.power == pytest.approx(flagged, abs=0.02)
    assert found.power > 0.9


def test_errors_stay_below_what_is_promised_at_the_bar() -> None:
    """A word exactly at the bar is flagged, and supported, in at most one of twenty tests."""
    rng = np.random.default_rng(1)
    active, hard = rng.binomial(20, BAR, 2000), rng.binomial(20, BAR, 2000)
    drafts = [
        run_detection_test(DetectionCounts(a, 20 - a), DetectionCounts(20 - h, h))
        for a, h in zip(active, hard, strict=True)
    ]
    verdicts = [assign_detection_verdicts([d])[0].verdict for d in drafts]
    assert verdicts.count("flagged") / 2000 < 0.06
    assert verdicts.count("supported") / 2000 < 0.06


def test_many_tests_are_adjusted_together() -> None:
    weak = run_detection_test(DetectionCounts(18, 2), DetectionCounts(3, 17))
    alone = assign_detection_verdicts([weak])[0]
    assert alone.verdict == "supported"
    among = assign_detection_verdicts(
        [weak, *[run_detection_test(DetectionCounts(15, 5), DetectionCounts(5, 15))] * 30]
    )
    assert among[0].verdict == "inconclusive"
    assert among[0].family == 31


def test_more_pictures_would_decide_what_is_not_on_the_bar() -> None:
    test = run_detection_test(DetectionCounts(17, 3), DetectionCounts(3, 17))
    more = more_pictures_needed(test)
    assert 0 < more < 100
    n = test.picture_count + more
    assert binom.sf(round(0.85 * n) - 1, n, BAR) <= 0.05
    assert (
        more_pictures_needed(run_detection_test(DetectionCounts(15, 5), DetectionCounts(5, 15)))
        == 0
    )
