"""Cumulative influence, as files hold it, and the shares it comes to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import GraphError
from circuitz.z.circuit.node_influence import (
    cumulative_influence,
    influence_along_edges,
    influence_of_records,
    shares_of_influence,
)

SHARES = st.lists(st.floats(0.001, 5), min_size=1, max_size=20)


@given(SHARES)
@settings(max_examples=60, deadline=None)
def test_shares_come_back_from_their_sums_as_parts_of_one(sizes):
    sums = cumulative_influence(sizes)
    assert np.allclose(shares_of_influence(sums).shares, np.array(sizes) / sum(sizes))
    assert shares_of_influence(sums).remarks == ()
    # The more influential, the smaller the number, and the last holds everything.
    assert max(sums) == pytest.approx(1)
    assert sums[int(np.argmax(sizes))] == min(sums)


@given(SHARES, st.integers(0, 2**20))
@settings(max_examples=60, deadline=None)
def test_where_nodes_are_missing_shares_are_upper_bounds_and_that_is_said(sizes, chosen):
    sums = cumulative_influence(sizes)
    rows = [i for i in range(len(sizes)) if chosen >> i & 1]
    flow = shares_of_influence([sums[i] for i in rows])
    true = np.array(sizes) / sum(sizes)
    assert (np.array(flow.shares) >= true[rows] - 1e-9).all()
    order = np.argsort([sums[i] for i in rows], kind="stable")
    assert (np.diff(np.array(flow.shares)[order]) <= 1e-12).all()


def test_a_gap_is_never_given_to_the_node_behind_it():
    flow = shares_of_influence([0.3, 0.5, 0.95])
    assert flow.shares == pytest.approx((0.3, 0.2, 0.2))
    assert "upper bounds" in flow.remarks[0]


def test_what_cannot_be_cumulative_and_what_is_not_there():
    flow = shares_of_influence([3.0, None, 1.0])
    assert flow.shares == (0.75, 0.0, 0.25)
    assert "1 nodes have no influence" in flow.remarks[0]
    assert "guessed" in flow.remarks[1]
    assert cumulative_influence([0.0, 0.0]) == [1.0, 1.0]


def test_influence_along_edges_is_the_sum_over_all_paths():
    # 0 → 2, 1 → 2, 0 → 3, 2 → 3 (the logit): of what works on 3, 1/4 is 0 and 3/4 is 2.
    shares = influence_along_edges([0, 1, 0, 2], [2, 2, 3, 3], [1, -1, 1, 3], np.eye(4)[3])
    flow = np.array([1 / 4 + 3 / 8, 3 / 8, 3 / 4, 0])
    assert np.allclose(shares, flow / flow.sum())
    assert sum(influence_along_edges([0, 1], [1, 0], [1, 1], np.array([1.0, 0]))) <= 1 + 1e-9
    assert influence_along_edges([], [], [], np.array([1.0])) == (0.0,)


def test_our_own_files_of_before_hold_shares():
    records = [{"influence": 0.7}, {"influence": 0.2}, {"influence": 1.0}]
    before = {"target": "husky"}
    assert influence_of_records(records, [2], [], [], before).shares == (0.7, 0.2, 1.0)
    since = before | {"influence": "cumulative"}
    found = influence_of_records([{"influence": 0.7}, {"influence": 1.0}, {}], [2], [], [], since)
    assert found.shares == pytest.approx((0.7, 0.3, 1.0))
    exact = [{"influence": 0.5, "share": 0.1}, {"influence": None, "share": 1.0}]
    assert influence_of_records(exact, [1], [], [], since).shares == (0.1, 1.0)
    with pytest.raises(GraphError):
        influence_of_records([{"influence": "much"}], [], [], [], {})
