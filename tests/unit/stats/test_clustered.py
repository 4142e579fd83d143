"""Clustered means against textbook formulas and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from circuitz.stats import clustered as st
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values


def test_without_clusters_it_is_the_one_sample_t_test():
    x = np.random.default_rng(0).normal(0.2, 1, 40)
    cm = st.clustered_mean(x)
    expected = stats.ttest_1samp(x, 0.1, alternative="greater")
    assert cm.se == pytest.approx(stats.sem(x))
    assert st.p_value_mean_above_bound(cm, 0.1) == pytest.approx(expected.pvalue)
    assert st.p_value_mean_below_bound(cm, 0.1) == pytest.approx(1 - expected.pvalue)
    assert st.confidence_interval(cm, 0.9) == pytest.approx(
        stats.ttest_1samp(x, 0).confidence_interval(0.9)
    )


def test_equal_clusters_reduce_to_the_t_test_of_cluster_means():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 5)
    x = rng.normal(size=12)[groups] + rng.normal(size=60)
    means = np.array([x[groups == g].mean() for g in range(12)])
    cm = st.clustered_mean(x, groups)
    assert cm.mean == pytest.approx(means.mean())
    assert cm.se == pytest.approx(stats.sem(means))
    assert (cm.df, cm.n, cm.clusters) == (11, 60, 12)


def test_copies_of_an_image_add_no_evidence():
    x = np.random.default_rng(2).normal(size=20)
    once = st.clustered_mean(x)
    copied = st.clustered_mean(np.repeat(x, 50), np.repeat(np.arange(20), 50))
    assert copied.se == pytest.approx(once.se)
    assert st.p_value_mean_above_bound(copied) == pytest.approx(st.p_value_mean_above_bound(once))


def test_columns_equal_one_at_a_time_and_skip_nan():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(30, 4))
    x[rng.random((30, 4)) < 0.3] = np.nan
    ids = rng.integers(0, 8, 30)
    many = st.clustered_mean(x, ids)
    for j in range(4):
        keep = ~np.isnan(x[:, j])
        one = st.clustered_mean(x[keep, j], ids[keep])
        for field in ("mean", "se", "df", "n", "clusters"):
            assert getattr(many, field)[j] == pytest.approx(getattr(one, field))
        assert st.p_value_mean_within_bounds(many, -0.5, 0.5)[j] == pytest.approx(
            st.p_value_mean_within_bounds(one, -0.5, 0.5)
        )
        assert st.power(many, 0.5, 0.1)[j] == pytest.approx(st.power(one, 0.5, 0.1))
        assert st.confidence_interval(many)[0][j] == pytest.approx(st.confidence_interval(one)[0])


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, np.nan], [3.0, 3.0]])
def test_too_little_to_say_concludes_nothing(values):
    cm = st.clustered_mean(np.array(values, float), np.zeros(len(values)))
    assert st.p_value_mean_above_bound(cm, 0.0) == 1.0
    assert st.p_value_mean_below_bound(cm, 10.0) == 1.0
    assert st.power(cm, 5.0) == 0.0
    low, high = st.confidence_interval(cm)
    assert not (low > -np.inf)
    assert not (high < np.inf)


def test_values_that_do_not_vary():
    cm = st.clustered_mean(np.zeros(10))
    assert st.p_value_mean_above_bound(cm, 0.1) == 1.0
    assert st.p_value_mean_within_bounds(cm, -0.1, 0.1) == 0.0
    assert st.confidence_interval(cm) == (0.0, 0.0)
    assert st.p_value_mean_above_bound(cm, 0.0) == 0.5


def test_false_alarms_stay_at_the_level_under_clustering():
    rng = np.random.default_rng(4)
    ids = np.repeat(np.arange(15), 4)
    x = rng.normal(size=(15, 2000))[ids] + 0.5 * rng.normal(size=(60, 2000))
    rate = (st.p_value_mean_above_bound(st.clustered_mean(x, ids)) <= 0.05).mean()
    assert 0.035 < rate < 0.065


def test_power_matches_simulation():
    rng = np.random.default_rng(5)
    x = rng.normal(0.6, 1, size=(20, 4000))
    rate = (st.p_value_mean_above_bound(st.clustered_mean(x), 0.1) <= 0.05).mean()
    template = st.ClusteredMean(0.6, 1 / np.sqrt(20), 19, 20, 20)
    assert st.power(template, 0.6, 0.1) == pytest.approx(rate, abs=0.02)
    assert st.power(template, 1e6) == 1.0
    assert st.power(template, -1e6) == 0.0


def test_clusters_needed_shrinks_with_distance_from_the_bound():
    near = st.ClusteredMean(0.12, 0.05, 19, 20, 20)
    far = st.ClusteredMean(0.5, 0.05, 19, 20, 20)
    assert st.clusters_needed_to_decide(near, 0.1) > st.clusters_needed_to_decide(far, 0.1) >= 2
    assert st.clusters_needed_to_decide(near, 0.12) == np.inf


def test_benjamini_hochberg_matches_scipy_and_keeps_untested():
    p = np.random.default_rng(6).random((5, 7)) ** 3
    q = benjamini_hochberg_q_values(p)
    assert np.allclose(q.ravel(), stats.false_discovery_control(p.ravel()))
    holes = p.copy()
    holes[0, 0] = np.nan
    q = benjamini_hochberg_q_values(holes)
    assert np.isnan(q[0, 0])
    assert np.allclose(q.ravel()[1:], stats.false_discovery_control(p.ravel()[1:]))
    assert benjamini_hochberg_q_values([]).shape == (0,)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="do not fit"):
        st.clustered_mean(np.zeros(3), np.zeros(4))
