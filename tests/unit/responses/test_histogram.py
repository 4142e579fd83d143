from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.responses.histogram import BINS, Histogram

numbers = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=40), st.integers(1, 39))
def test_pieces_add_up_to_the_whole_bit_for_bit(values, at):
    x = np.array(values, np.float32)[:, None]
    at = min(at, len(x) - 1)
    whole, parts = Histogram.of_values(x), Histogram.of_values(x[:at]) + Histogram.of_values(x[at:])
    for name in ("counts", "power", "first", "low", "high"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    backwards = Histogram.of_values(x[at:]) + Histogram.of_values(x[:at])
    assert np.array_equal(whole.counts, backwards.counts)


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=40))
def test_every_value_lies_in_the_bin_that_counts_it(values):
    x = np.array(values, np.float32)
    found = Histogram.of_values(x[:, None])
    edges = found.first[0] + np.arange(BINS + 1)
    edges = np.ldexp(edges.astype(float), int(found.power[0]))
    expected, _ = np.histogram(x.astype(float), edges)
    inside = x < edges[-1]
    assert inside.all()
    assert found.counts[0].tolist() == expected.tolist()


def test_bins_are_not_wasted():
    x = np.random.default_rng(0).normal(size=(5000, 3)).astype(np.float32) * [1, 1e-3, 50]
    found = Histogram.of_values(x)
    used = (found.edges[:, 1:] > found.low[:, None]) & (found.edges[:, :-1] <= found.high[:, None])
    assert (used.sum(1) > BINS // 2 - 1).all()


@pytest.mark.parametrize("value", [0.0, -3.5, 1e-30, 7e20])
def test_a_unit_that_never_changes(value):
    found = Histogram.of_values(np.full((5, 1), value, np.float32))
    assert found.counts.sum() == 5
    assert found.counts.max() == 5
