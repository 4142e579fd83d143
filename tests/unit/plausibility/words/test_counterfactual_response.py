from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from circuitz.errors import InputsError
from circuitz.plausibility.words.counterfactual_response import counterfactual_change
from circuitz.z.inputs import InputSet


def twins(seed: int = 0, n: int = 40) -> tuple[np.ndarray, InputSet]:
    """A unit that sees snow, one that sees what stands on it, and one that sees nothing."""
    draw = np.random.default_rng(seed)
    ears = draw.integers(0, 2, n)
    labels = np.stack([np.r_[np.ones(n), np.zeros(n)], np.r_[ears, ears]], 1)
    known = InputSet(
        images=np.zeros((2 * n, 2, 2, 3), np.uint8),
        concepts=labels.astype(np.float32),
        concept_names=("snow", "ears"),
        scene=np.r_[np.arange(n), np.arange(n)],
        pairs=np.stack([np.arange(n), n + np.arange(n), np.zeros(n, np.int64)], 1),
    )
    seen = labels + draw.normal(0, 0.1, labels.shape)
    return np.concatenate([seen, np.ones((2 * n, 1))], 1), known


def test_only_the_unit_that_sees_the_concept_changes_with_it() -> None:
    responses, known = twins()
    found = counterfactual_change(responses, known)
    assert found.n.tolist() == [40, 0]
    change = responses[:40, :2] - responses[40:, :2]
    expected = stats.ttest_1samp(change / responses[:, :2].std(0), 0).confidence_interval(0.95)
    assert found.low[:2, 0] == pytest.approx(expected.low)
    assert found.high[:2, 0] == pytest.approx(expected.high)
    assert found.change[0, 0] > 1.5
    assert found.low[1, 0] < 0 < found.high[1, 0]
    assert np.isnan(found.change[2]).all()  # constant
    assert np.isnan(found.change[:, 1]).all()  # no pairs


def test_pairs_of_one_scene_are_one_observation() -> None:
    responses, known = twins()
    one = replace(known, scene=np.r_[np.repeat(np.arange(20), 2), np.repeat(np.arange(20), 2)])
    wide, narrow = counterfactual_change(responses, one), counterfactual_change(responses, known)
    assert wide.change[0, 0] == pytest.approx(narrow.change[0, 0])
    single = counterfactual_change(responses, replace(known, scene=np.zeros(80, np.int64)))
    assert np.isnan(single.change).all()


def test_a_pair_counts_where_both_images_are_used() -> None:
    responses, known = twins()
    rows = np.ones(80, bool)
    rows[:5] = rows[42:50] = False
    assert counterfactual_change(responses, known, rows).n[0] == 40 - 10


def test_without_pairs_nothing_is_known() -> None:
    responses, known = twins()
    found = counterfactual_change(responses, replace(known, pairs=None))
    assert np.isnan(found.change).all()
    assert not found.n.any()


def test_values_that_are_not_finite_and_wrong_shapes_are_told() -> None:
    responses, known = twins()
    responses[3, 0] = np.nan
    found = counterfactual_change(responses, known)
    assert np.isnan(found.change[0]).all()
    assert np.isfinite(found.change[1, 0])
    with pytest.raises(InputsError, match="80 images"):
        counterfactual_change(responses[:-1], known)
