"""J: the terms, Bayes' identity, η, and the error that the ensembles carry into it."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import PosteriorError
from circuitz.posterior.joint_score import joint_scores, likelihood_weight


def test_at_one_and_one_it_is_bayes():
    """Posterior of three z's, computed from probabilities by hand."""
    prior = np.array([0.5, 0.3, 0.2])
    of_labels = np.array([[0.9, 0.5, 0.7], [0.6, 0.6, 0.9], [0.99, 0.9, 0.8]])
    by_hand = prior * of_labels.prod(1)
    by_hand /= by_hand.sum()
    s, total = np.log(prior) + 5.0, np.log(of_labels).sum(1)
    flat = np.zeros((2, 3))
    j = joint_scores(s, total, score_members=flat, likelihood_members=flat)
    assert np.allclose(j.posterior, by_hand)
    assert j.difference(0, 2)[0] == pytest.approx(np.log(by_hand[0] / by_hand[2]))


def test_weights_scale_the_terms():
    flat = np.zeros((2, 2))
    j = joint_scores(
        [1.0, 2.0], [-10.0, -30.0], score_members=flat, likelihood_members=flat, lam=2, eta=0.1
    )
    assert np.allclose(j.values, [1.0, 1.0])
    assert np.allclose(j.prior, [2, 4])
    assert np.allclose(j.likelihood, [-1, -3])


def test_error_of_a_difference_leaves_out_what_both_share():
    rng = np.random.default_rng(0)
    common = rng.normal(0, 5, (200, 1))
    own = rng.normal(0, 0.3, (200, 2))
    j = joint_scores(
        [0.0, 0.0], [0.0, 0.0], score_members=common + own, likelihood_members=rng.normal(0, 0.4, (200, 2))
    )  # fmt: skip
    assert j.error.min() > 4
    assert j.difference(0, 1)[1] == pytest.approx(np.sqrt(2 * (0.3**2 + 0.4**2)), rel=0.15)


def test_eta_keeps_a_typical_error_at_one_nat():
    rng = np.random.default_rng(1)
    ell = rng.normal(-1, 0.5, (6, 400))
    same = np.repeat(ell[None], 3, 0)
    found = likelihood_weight(ell, same)
    assert found.pairs == 15
    assert found.sigma == pytest.approx(np.sqrt(400 * 2 * 0.25), rel=0.1)
    assert found.eta == pytest.approx(1 / found.sigma)
    # What members disagree about makes it smaller still.
    tilted = same + rng.normal(0, 0.1, (3, 6, 1))
    assert likelihood_weight(ell, tilted).eta < 0.6 * found.eta


def test_eta_is_never_above_one():
    alike = np.full((3, 10), -0.5)
    assert likelihood_weight(alike, np.stack([alike, alike])).eta == 1.0


def test_formula_of_sigma_by_hand():
    ell = np.array([[0.0, -1.0, -2.0], [-3.0, -1.0, -1.0]])
    members = np.stack([ell, ell + np.array([[1.0], [0.0]])])
    over_inputs = 3 * np.var([3.0, 0.0, -1.0], ddof=1)
    over_members = np.var([2.0, 5.0], ddof=1)
    assert likelihood_weight(ell, members).sigma == pytest.approx(
        np.sqrt(over_inputs + over_members)
    )


def test_what_does_not_fit_is_named():
    ell, members = np.zeros((2, 5)), np.zeros((2, 2, 5))
    for bad in (
        (ell[:1], members[:, :1]),
        (ell, members[:1]),
        (ell, members[:, :, :4]),
        (ell + np.nan, members),
    ):
        with pytest.raises(PosteriorError):
            likelihood_weight(*bad)
    flat = np.zeros((2, 2))
    with pytest.raises(PosteriorError, match="do not fit"):
        joint_scores([0.0], [0.0], score_members=flat, likelihood_members=flat)
    with pytest.raises(PosteriorError, match="from 0 up"):
        joint_scores([0.0, 1], [0.0, 1], score_members=flat, likelihood_members=flat, lam=-1)
    with pytest.raises(PosteriorError, match="finite"):
        joint_scores([0.0, np.inf], [0.0, 1], score_members=flat, likelihood_members=flat)
