"""What must hold for any effects."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as s
from hypothesis.extra import numpy as hnp

from circuitz.stats import clustered as st
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values

values = hnp.arrays(np.float64, s.integers(2, 40), elements=s.floats(-100, 100, width=32))


@settings(max_examples=80, deadline=None)
@given(values, s.randoms(use_true_random=False), s.floats(-5, 5))
def test_order_and_names_of_clusters_do_not_matter(x, random, bound):
    ids = np.array([random.randrange(4) for _ in x])
    order = list(range(len(x)))
    random.shuffle(order)
    one = st.clustered_mean(x, ids)
    two = st.clustered_mean(x[order], (ids[order] + 5) * 7)
    assert np.isclose(one.mean, two.mean, atol=1e-9)
    assert np.isclose(one.se, two.se, atol=1e-9) or one.se == two.se
    assert 0 <= st.p_value_mean_above_bound(one, bound) <= 1


@settings(max_examples=80, deadline=None)
@given(values, s.floats(0.1, 5))
def test_shift_moves_the_interval_and_mirror_swaps_the_tests(x, shift):
    cm, moved, mirror = (st.clustered_mean(v) for v in (x, x + shift, -x))
    assert np.allclose(
        np.array(st.confidence_interval(cm)) + shift, st.confidence_interval(moved), atol=1e-6
    )
    if cm.se > 1e-6:
        assert np.isclose(
            st.p_value_mean_above_bound(cm, 0.3), st.p_value_mean_below_bound(mirror, -0.3)
        )
        assert np.isclose(
            st.p_value_mean_above_bound(cm, 0.3) + st.p_value_mean_below_bound(cm, 0.3), 1
        )


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(np.float64, s.integers(1, 50), elements=s.floats(0, 1)))
def test_q_values_are_ordered_like_p_and_never_below(p):
    q = benjamini_hochberg_q_values(p)
    assert (q >= p - 1e-12).all()
    assert (q <= 1).all()
    assert (np.diff(q[np.argsort(p)]) >= -1e-12).all()
