from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuitz.errors import InputsError
from circuitz.stats.sequential_test import (
    OperatingCharacteristics,
    SequentialTest,
    operating_characteristics,
    rater_error_from_known_answers,
)

ROUNDED = 0.005
"""The figures of the definition are rounded to two digits."""
AT_5 = SequentialTest(0.05, 0.05)


@pytest.mark.parametrize(
    ("share", "holds", "fails"), [(0.70, 0.04, 0.88), (0.90, 0.87, 0.04), (0.95, 0.99, 0.00)]
)
def test_what_the_test_does_is_what_it_is_said_to_do(
    share: float, holds: float, fails: float
) -> None:
    does = operating_characteristics(AT_5, share, 0.05)
    assert does.holds == pytest.approx(holds, abs=ROUNDED)
    assert does.fails == pytest.approx(fails, abs=ROUNDED)
    assert 22.5 <= does.answers < 31.5  # 23 to 31, rounded to whole answers
    assert does.holds + does.fails + does.undecided == pytest.approx(1, abs=1e-12)


def test_exact_figures_are_those_of_many_trials() -> None:
    test = SequentialTest(0.02, 0.10, most=40)
    rng = np.random.default_rng(0)
    m = 0.06 + 0.88 * 0.85
    ends = [test.run(rng.random(40) < m) for _ in range(3000)]
    does = operating_characteristics(test, 0.85, 0.06)
    # 4 standard errors of a share of 3000, at most.
    for verdict, chance in (("holds", does.holds), ("fails", does.fails)):
        share = np.mean([end[0] == verdict for end in ends])
        assert share == pytest.approx(chance, abs=4 * 0.5 / np.sqrt(3000))
    spread = np.std([end[2] for end in ends]) / np.sqrt(3000)
    assert np.mean([end[2] for end in ends]) == pytest.approx(does.answers, abs=4 * spread)


def test_unsure_raters_make_both_verdicts_harder() -> None:
    sure, unsure = SequentialTest(0.05, 0.05), SequentialTest(0.01, 0.12)
    assert operating_characteristics(unsure, 0.90, 0.05).holds < operating_characteristics(
        sure, 0.90, 0.05
    ).holds  # fmt: skip
    assert operating_characteristics(unsure, 0.70, 0.05).fails < operating_characteristics(
        sure, 0.70, 0.05
    ).fails  # fmt: skip
    # Whoever errs as often as the lower limit says takes a bad word for a good one as rarely.
    for wrong in range(5):
        error = rater_error_from_known_answers(wrong, 12)
        test = SequentialTest.from_rater_error(error)
        assert operating_characteristics(test, 0.70, error.low).holds <= 0.05
        assert operating_characteristics(test, 0.90, error.high).fails <= 0.05


def test_rater_error_is_known_from_few_answers_as_far_as_it_is() -> None:
    none = rater_error_from_known_answers(0, 0)
    assert none.share == pytest.approx(0.05)
    assert none.low < 0.05 < none.high
    right, wrong = (rater_error_from_known_answers(n, 12) for n in (0, 6))
    assert right.high - right.low < none.high - none.low
    assert wrong.low > right.high
    assert rater_error_from_known_answers(400, 400).high < 0.5, "answers are never turned round"
    with pytest.raises(InputsError):
        rater_error_from_known_answers(3, 2)


@given(st.lists(st.booleans(), max_size=80), st.integers(0, 12))
def test_a_test_stops_where_it_says_and_no_answer_after_that_counts(
    answers: list[bool], wrong: int
) -> None:
    test = SequentialTest.from_rater_error(rater_error_from_known_answers(wrong, 12))
    verdict, right, n = test.run(answers)
    assert right <= n <= min(len(answers), 60)
    assert test.run(answers[:n]) == (verdict, right, n)
    assert test.run([*answers[:n], *([not a for a in answers[n:]])])[:1] == (verdict,) or (
        verdict == "undecided" and n < 60
    )
    if verdict != "undecided":
        assert test.run(answers[: n - 1])[0] == "undecided"


def test_settings_that_make_no_sense_are_refused() -> None:
    for settings in ((0.2, 0.1), (-0.1, 0.1), (0.1, 0.5)):
        with pytest.raises(InputsError):
            SequentialTest(*settings)
    with pytest.raises(InputsError):
        SequentialTest(0.0, 0.1, most=0)
    with pytest.raises(InputsError):
        operating_characteristics(AT_5, 1.2, 0.0)
    assert operating_characteristics(AT_5, 1.0, 0.0) == OperatingCharacteristics(1, 0, 0, 13)
