"""The core: probabilities of outcomes, their slopes, and plain Bradley-Terry."""

from __future__ import annotations

import choix
import numpy as np
import pytest
from scipy.optimize import check_grad

from circuitz.posterior.prior_from_people.outcome_model import (
    fit_free_plausibilities,
    outcome_loss,
    outcome_probabilities,
)


def test_probabilities_sum_to_one_and_lapse_bounds_them():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 30, (2, 50))
    p = outcome_probabilities(a, b, 1.0, -1.0)
    assert np.allclose(p.sum(1), 1)
    assert p.min() >= 0.02 / 4


def test_both_implausible_fixes_the_level():
    level = np.array([-4.0, 0.0, 4.0])
    rejected = outcome_probabilities(level, level, 1.0, -1.0)[:, 3]
    assert rejected[0] > 0.9
    assert rejected[2] < 0.03
    # The order of the two does not depend on it.
    p = outcome_probabilities(level + 1, level, 1.0, -1.0, lapse=0.0)
    assert np.allclose(p[:, 0] / p[:, 1], np.e)


def test_slopes_are_those_of_the_loss():
    rng = np.random.default_rng(1)
    m = 12
    outcome, x = rng.integers(0, 4, m), rng.normal(size=3 * m + 1)

    def loss(x: np.ndarray) -> float:
        at = outcome_loss(outcome, x[:m], x[m : 2 * m], np.exp(x[2 * m : 3 * m]), x[-1])
        return float(at.loss.sum())

    def gradient(x: np.ndarray) -> np.ndarray:
        at = outcome_loss(outcome, x[:m], x[m : 2 * m], np.exp(x[2 * m : 3 * m]), x[-1])
        return np.concatenate([at.by_a, at.by_b, at.by_slope, [at.by_ties.sum()]])

    assert check_grad(loss, gradient, x) < 1e-5


@pytest.mark.parametrize("seed", range(3))
def test_plain_bradley_terry_is_that_of_choix(seed: int):
    rng = np.random.default_rng(seed)
    n, true = 12, rng.normal(0, 1.5, 12)
    pairs = [rng.choice(n, 2, replace=False) for _ in range(120)]
    won = [
        (a, b) if rng.random() < 1 / (1 + np.exp(true[b] - true[a])) else (b, a) for a, b in pairs
    ]
    theirs = choix.opt_pairwise(n, [(int(a), int(b)) for a, b in won], alpha=0.05, tol=1e-10)
    first, second = np.array(won).T
    # choix multiplies the sum of squares, without the half.
    ours = fit_free_plausibilities(
        first, second, np.zeros(len(won), int), n, ridge=0.1, lapse=0.0, offered=2
    )
    assert np.abs(ours - theirs).max() < 1e-4
