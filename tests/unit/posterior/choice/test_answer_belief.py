from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from circuitz.errors import PosteriorError
from circuitz.posterior.choice.answer_belief import LabelAnswers, belief_after_answers
from circuitz.posterior.choice.candidate_scores import no_answers


def test_without_answers_the_sum_is_that_of_m_l():
    logs = np.log(expit(np.random.default_rng(0).normal(1, 1, (5, 40))))
    np.testing.assert_allclose(
        belief_after_answers(logs, no_answers()).mean, logs.sum(1), rtol=0.01
    )


def test_answers_find_the_offset_of_a_z_by_itself():
    rng = np.random.default_rng(1)
    odds = rng.normal(0, 1, (2, 400))
    chances = expit(odds + np.array([[0.0], [-1.5]]))
    z, row = np.repeat([0, 1], 400), np.tile(np.arange(400), 2)
    answers = LabelAnswers(z, row, rng.random(800) < chances[z, row])
    told = belief_after_answers(np.log(expit(odds)), answers)
    true = np.log(chances).sum(1)
    np.testing.assert_allclose(told.mean, true, atol=4 * np.sqrt(told.variance).max())
    assert abs(told.mean[1] - true[1]) < 0.2 * abs(np.log(expit(odds)).sum(1)[1] - true[1])


def test_answers_are_foretold_by_the_belief_before_them():
    logs = np.log(np.full((1, 4), 0.8))
    before = belief_after_answers(logs, no_answers())
    answers = LabelAnswers(np.zeros(2, np.int64), np.arange(2), np.array([True, False]))
    losses = before.agreement_losses(logs, answers)
    np.testing.assert_allclose(losses, -np.log([0.8, 0.2]), atol=0.02)


@pytest.mark.parametrize("logs", [np.ones((2, 3)), np.full((2, 3), -np.inf), np.zeros(3)], ids=str)
def test_what_are_no_log_likelihoods_is_refused(logs):
    with pytest.raises(PosteriorError, match="log"):
        belief_after_answers(logs, no_answers())
