from __future__ import annotations

import numpy as np

from circuitz.features.quality import quality

DRAW = np.random.default_rng(0)


def units(*directions):
    """Return nine exemplars a unit, evenly over the directions given, with a little noise."""
    rows = [[d[i % len(d)] + 0.05 * DRAW.normal(size=3) for i in range(9)] for d in directions]
    return np.array(rows, np.float32)


def test_one_meaning_is_clear_and_two_are_not():
    x, y, z = np.eye(3)
    found = quality(units([x], [x, y], [x, -x], [z]), np.ones((4, 9), bool))
    assert found.clarity[0] > 0.95
    assert found.clarity[1] < 0.6
    assert found.polysemanticity[0] < 0.05
    assert 0.9 < found.polysemanticity[1] < 1.1
    assert found.polysemanticity[2] > 1.9
    assert found.redundancy[3] < 0.4


def test_clarity_is_the_mean_cosine_between_two_exemplars():
    v = DRAW.normal(size=(2, 7, 5)).astype(np.float32)
    found = quality(v, np.ones((2, 7), bool))
    for u in range(2):
        w = v[u] / np.linalg.norm(v[u], axis=1, keepdims=True)
        pairs = (w @ w.T)[np.triu_indices(7, 1)]
        assert np.isclose(found.clarity[u], pairs.mean(), atol=1e-6)


def test_a_copy_is_redundant_and_missing_exemplars_do_not_count():
    x, y, _ = np.eye(3)
    v = units([x], [x], [y], [y])
    there = np.ones((4, 9), bool)
    v[0, 4:], there[0, 4:] = 99.0, False
    there[3, 1:] = False
    found = quality(v, there)
    assert found.redundancy[0] > 0.95
    assert found.redundancy[1] > 0.95
    assert found.clarity[0] > 0.95
    # One exemplar says nothing about clarity, and a unit is not redundant because of it.
    assert np.isnan([found.clarity[3], found.polysemanticity[3], found.redundancy[3]]).all()
    assert found.redundancy[2] < 0.2
