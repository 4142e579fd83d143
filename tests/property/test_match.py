from __future__ import annotations

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from circuitz.stats.unit_concept_match import match_units_with_concepts, nauprc_values_per_image

SIZE = 40
RESPONSES = arrays(
    np.float64, (SIZE, 2), elements=st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)
)
LABELS = arrays(np.float64, (SIZE, 3), elements=st.sampled_from([0.0, 1.0, 1.0, 0.0, np.nan]))


@settings(max_examples=60, deadline=None)
@given(RESPONSES, LABELS)
def test_scores_are_those_of_sklearn_on_the_known_rows(x, y) -> None:
    match = match_units_with_concepts(x, y)
    for c in range(3):
        known = ~np.isnan(y[:, c])
        label = y[known, c]
        for u in range(2):
            if len(label) == 0 or label.min() == label.max():
                assert np.isnan(match.ap[u, c])
                assert match.reasons[c]
                continue
            expected = average_precision_score(label, x[known, u])
            assert np.isclose(match.ap[u, c], expected)
            assert np.isclose(
                np.nanmean(nauprc_values_per_image(x[:, u], y[:, c])), match.nauprc[u, c]
            )


@settings(max_examples=60, deadline=None)
@given(RESPONSES, LABELS, st.randoms(use_true_random=False))
def test_order_of_images_and_monotone_scales_do_not_matter(x, y, random) -> None:
    order = list(range(SIZE))
    random.shuffle(order)
    one = match_units_with_concepts(x, y)
    two = match_units_with_concepts(x[order], y[order])
    # Ranks, and with them average precision, know only the order of responses.
    ranked = np.searchsorted(np.unique(x), x).astype(float)
    three = match_units_with_concepts(ranked, y)
    np.testing.assert_allclose(one.ap, two.ap, equal_nan=True)
    np.testing.assert_allclose(one.pearson, two.pearson, atol=1e-7, equal_nan=True)
    np.testing.assert_allclose(one.ap, three.ap, equal_nan=True)


@given(RESPONSES, LABELS)
@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_scores_keep_their_range(x, y) -> None:
    match = match_units_with_concepts(x, y)
    for values, low, high in ((match.ap, 0, 1), (match.pearson, -1, 1), (match.p, 0, 1)):
        known = values[~np.isnan(values)]
        assert ((known >= low - 1e-9) & (known <= high + 1e-9)).all()
