from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import PosteriorError
from circuitz.posterior.over_optimisation.best_of_n import (
    best_of_n,
    best_of_n_distance,
    fit_over_optimisation,
)


def hacked(seed: int, z: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Z's whose J is worth having but at its top, where a few please the models alone."""
    rng = np.random.default_rng(seed)
    gold = rng.standard_normal(z)
    j = gold + 0.5 * rng.standard_normal(z)
    pleasing = rng.random(z) < 0.04
    j[pleasing] += 4.0
    gold[pleasing] -= 1.5
    return j, gold


def test_distance_is_the_divergence_of_the_best_of_n():
    assert best_of_n_distance(1) == 0
    # KL of the law n u^(n − 1) from the uniform one, by quadrature.
    u = np.linspace(0.5 / 1e6, 1 - 0.5 / 1e6, 1_000_000)
    for n in (2, 16):
        density = n * u ** (n - 1)
        np.testing.assert_allclose(
            best_of_n_distance(n) ** 2, (density * np.log(density)).mean(), atol=1e-4
        )


def test_expectations_are_those_of_drawing():
    rng = np.random.default_rng(0)
    j, gold = rng.standard_normal(30), rng.standard_normal(30)
    curve = best_of_n(j, gold)
    at = int(np.flatnonzero(curve.n == 5)[0])
    draws = np.array([rng.permutation(30)[:5] for _ in range(20_000)])
    best = draws[np.arange(len(draws)), j[draws].argmax(1)]
    np.testing.assert_allclose(curve.proxy[at], j[best].mean(), atol=0.02)
    np.testing.assert_allclose(curve.gold[at], gold[best].mean(), atol=0.04)
    np.testing.assert_allclose(curve.proxy[-1], j.max())
    np.testing.assert_allclose(curve.gold[0], gold.mean())


def test_the_stop_found_with_noisy_raters_is_near_the_true_peak():
    reached, all_in = [], []
    for seed in range(20):
        j, gold = hacked(seed)
        rng = np.random.default_rng([seed, 1])
        # Three raters an independent score; a quarter of what they say is said at random.
        says = rng.random((len(gold), 3)) < 1 / (1 + np.exp(-2 * gold))[:, None]
        says = np.where(rng.random(says.shape) < 0.25, rng.random(says.shape) < 0.5, says)
        stop = fit_over_optimisation(best_of_n(j, says.mean(1))).stop
        true = best_of_n(j, gold)
        # The best of all is one z, whose worth is luck.
        peak = true.gold[true.effective >= 8].max()
        reached.append(true.gold[true.n == stop][0] / peak)
        all_in.append(true.gold[-1] / peak)
    assert np.mean(all_in) < 0.7
    assert np.mean(reached) >= 0.95


def test_where_j_is_right_nothing_stops_it():
    gold = np.random.default_rng(2).standard_normal(200)
    fit = fit_over_optimisation(best_of_n(gold, gold))
    assert fit.rising
    assert fit.stop == 200
    assert fit.gold_at_stop == pytest.approx(gold.max())


def test_where_j_is_upside_down_one_is_enough():
    gold = np.random.default_rng(3).standard_normal(200)
    assert fit_over_optimisation(best_of_n(-gold, gold)).stop == 1


@pytest.mark.parametrize(
    ("j", "gold"),
    [(np.zeros(4), np.zeros(4)), (np.zeros(9), np.zeros(8)), (np.full(9, np.nan), np.zeros(9))],
)
def test_what_makes_no_curve_is_refused(j, gold):
    with pytest.raises(PosteriorError, match="no curve"):
        best_of_n(j, gold)
