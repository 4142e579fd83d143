from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import nquad

from circuitz.errors import PosteriorError
from circuitz.posterior.choice.score_belief import (
    PairOutcomes,
    ScoreBelief,
    belief_after_comparisons,
    belief_from_members,
    laplace_of_comparisons,
)
from circuitz.posterior.prior_from_people.outcome_model import outcome_loss


def outcomes(*rows: tuple[int, int, int]) -> PairOutcomes:
    a, b, o = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return PairOutcomes(a, b, o, np.ones(len(o)), -1.0)


def test_laplace_agrees_with_the_integral():
    covariance = np.array([[1.0, 0.3], [0.3, 0.8]])
    pairs = outcomes((0, 1, 0), (0, 1, 0), (1, 0, 2), (0, 1, 3))
    inverse = np.linalg.inv(covariance)

    def density(x: float, y: float) -> float:
        s = np.array([x, y])
        loss = outcome_loss(pairs.outcome, s[pairs.first], s[pairs.second], pairs.slope, -1.0).loss
        return float(np.exp(-loss.sum() - 0.5 * s @ inverse @ s))

    box = [[-6, 6], [-6, 6]]
    options = {"epsabs": 1e-7, "limit": 60}
    total = nquad(density, box, opts=options)[0]
    exact = [
        nquad(lambda x, y, i=i: (x, y)[i] * density(x, y), box, opts=options)[0] / total
        for i in (0, 1)
    ]
    _, mean, after = laplace_of_comparisons(np.zeros(2), covariance, pairs)
    np.testing.assert_allclose(mean, exact, atol=0.06)
    assert (np.diag(after) < np.diag(covariance)).all()


def test_what_is_learned_of_two_moves_a_third_that_shares_their_error():
    covariance = np.array([[4.0, 0.0, 3.9], [0.0, 4.0, 0.0], [3.9, 0.0, 4.0]])
    prior = ScoreBelief(np.zeros(3), covariance)
    after = belief_after_comparisons(prior, outcomes(*[(0, 1, 0)] * 8))
    assert after.mean[0] > 1
    assert after.mean[2] > 0.7 * after.mean[0]
    assert after.covariance[2, 2] < covariance[2, 2]


def test_claims_that_comparisons_do_not_bear_out_are_drawn_in():
    rng = np.random.default_rng(0)
    claimed = np.linspace(-6, 6, 12)
    prior = ScoreBelief(claimed, 0.01 * np.eye(12))
    coin = outcomes(*[(*rng.choice(12, 2, replace=False), rng.integers(2)) for _ in range(120)])
    true = outcomes(
        *[
            (a, b, int(rng.random() > 1 / (1 + np.exp(claimed[b] - claimed[a]))))
            for a, b in (rng.choice(12, 2, replace=False) for _ in range(120))
        ]
    )
    assert belief_after_comparisons(prior, coin).share < 0.5
    assert belief_after_comparisons(prior, true).share == 1.0


def test_losses_are_those_of_a_coin_where_nothing_is_believed():
    nothing = ScoreBelief(np.zeros(2), np.zeros((2, 2)))
    loss = nothing.outcome_losses(outcomes((0, 1, 0), (0, 1, 1)))
    np.testing.assert_allclose(loss[0], loss[1])
    sure = ScoreBelief(np.array([5.0, 0.0]), np.zeros((2, 2)))
    assert sure.outcome_losses(outcomes((0, 1, 0)))[0] < loss[0]


@pytest.mark.parametrize(
    "members", [np.zeros((1, 3)), np.zeros((3, 2)), np.full((2, 3), np.nan)], ids=str
)
def test_members_that_give_no_error_are_refused(members):
    with pytest.raises(PosteriorError):
        belief_from_members(np.zeros(3), members)
