"""From labels of a unit's words to its response."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.stats.word_values import fit_response_from_words


def test_one_word_gives_two_conditional_means() -> None:
    rng = np.random.default_rng(0)
    shows = rng.random(200) < 0.3
    response = np.where(shows, 3.0, 1.0) + rng.normal(0, 0.5, 200)
    fit = fit_response_from_words(response, shows[:, None].astype(float))
    assert fit is not None
    assert fit.predict([[0], [1]]) == pytest.approx(
        [response[~shows].mean(), response[shows].mean()]
    )
    # A value between, as of people who disagree, lies between.
    assert fit.predict([[0.5]])[0] == pytest.approx(fit.predict([[0], [1]]).mean())


def test_several_words_keep_the_spread_of_the_responses() -> None:
    rng = np.random.default_rng(1)
    words = (rng.random((400, 3)) < 0.5).astype(float)
    response = np.maximum(words @ [2.0, 1.0, 0.5] - 1.5, 0) + rng.normal(0, 0.6, 400)
    fit = fit_response_from_words(response, words)
    assert fit is not None
    predicted = fit.predict(words)
    line = fit.intercept + words @ fit.slopes
    assert predicted.mean() == pytest.approx(response.mean())
    assert predicted.std() > 1.05 * line.std()
    assert np.all(np.diff(predicted[np.argsort(line, kind="stable")]) >= -1e-9)


def test_a_word_that_says_nothing_changes_nothing() -> None:
    response = np.arange(20.0)
    fit = fit_response_from_words(response, np.ones((20, 1)))
    assert fit is not None
    assert fit.predict([[0], [1]]) == pytest.approx([9.5, 9.5])


def test_rows_that_are_not_labelled_do_not_count_and_few_tell_nothing() -> None:
    labels = np.full((30, 1), np.nan)
    labels[:9, 0] = [0, 1, 0, 1, 0, 1, 0, 1, 1]
    response = np.where(np.isnan(labels[:, 0]), 100.0, labels[:, 0])
    fit = fit_response_from_words(response, labels)
    assert fit is not None
    assert fit.predict([[0], [1]]) == pytest.approx([0, 1])
    labels[7:] = np.nan
    assert fit_response_from_words(response, labels) is None


def test_slopes_have_the_sign_that_is_said_or_none() -> None:
    rng = np.random.default_rng(2)
    words = (rng.random((300, 3)) < 0.5).astype(float)
    response = words @ [1.0, 0.6, -0.4] + rng.normal(0, 0.2, 300)
    free = fit_response_from_words(response, words)
    agreed = fit_response_from_words(response, words, [0, 1, -1])
    assert free is not None
    assert agreed is not None
    np.testing.assert_array_equal(agreed.slopes, free.slopes)
    wrong = fit_response_from_words(response, words, [-1, 0, 1])
    assert wrong is not None
    assert wrong.slopes[0] == wrong.slopes[2] == 0
    assert wrong.slopes[1] == pytest.approx(0.6, abs=0.15)
    one = fit_response_from_words(response, words[:, :1], [-1])
    assert one is not None
    assert one.slopes.tolist() == [0.0]
    assert one.predict([[1.0]])[0] == pytest.approx(response.mean())
