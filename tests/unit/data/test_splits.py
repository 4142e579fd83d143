from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 200),
    st.integers(0, 5),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9)),
)
def test_shares_hold_within_one_picture(n: int, seed: int, weights: tuple[int, int, int]):
    fractions = tuple(w / sum(weights) for w in weights)
    split = assign_splits(n, fractions, seed=seed)
    assert split.dtype == np.uint8
    counts = np.bincount(split, minlength=3)
    assert np.abs(counts - np.array(fractions) * n).max() <= 1.0 + 1e-9
    assert (split == assign_splits(n, fractions, seed=seed)).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-5, 30), min_size=1, max_size=120), st.integers(0, 3))
def test_groups_stay_together(groups: list[int], seed: int):
    scene = np.array(groups)
    split = assign_splits(len(groups), groups=scene, seed=seed)
    for g in set(groups):
        assert len(set(split[scene == g])) == 1


def test_each_kind_is_split_in_the_same_shares():
    strata = np.repeat([0, 1, 2], [40, 80, 400])
    split = assign_splits(520, (0.7, 0.15, 0.15), strata=strata)
    for kind in range(3):
        counts = np.bincount(split[strata == kind], minlength=3)
        assert counts / counts.sum() == pytest.approx([0.7, 0.15, 0.15], abs=0.03)


def test_seeds_split_differently():
    assert (assign_splits(100, seed=0) != assign_splits(100, seed=1)).any()


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.5, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_shares_that_are_none_are_refused(fractions: tuple[float, ...]):
    with pytest.raises(InputsError, match="shares"):
        assign_splits(10, fractions)


def test_lengths_that_differ_are_refused():
    with pytest.raises(InputsError, match="groups"):
        assign_splits(10, groups=np.zeros(9, dtype=np.int64))
