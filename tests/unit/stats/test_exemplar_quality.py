from __future__ import annotations

import numpy as np

from circuitz.stats.exemplar_quality import exemplar_quality

DRAW = np.random.default_rng(0)


def units(*directions):
    """Return nine exemplars a unit, evenly over the directions given, with a little noise."""
    rows = [[d[i % len(d)] + 0.05 * DRAW.normal(size=3) for i in range(9)] for d in directions]
    return np.array(rows, np.float32)


def test_one_meaning_is_clear_and_two_are_not():
    x, y, z = np.eye(3)
    found = exemplar_quality(units([x], [x, y], [x, -x], [z]), np.ones((4, 9), bool))
    assert found.clarity[0] > 0.95
    assert found.clarity[1] < 0.6
    assert found.polysemanticity[0] < 0.05
    assert 0.9 < found.polysemanticity[1] < 1.1
    assert found.polysemanticity[2] > 1.9
    assert found.redundancy[3] < 0.4


def test_clarity_is_the_mean_cosine_between_two_exemplars():
    v = DRAW.normal(size=(2, 7, 5)).astype(np.float32)
    found = exemplar_quality(v, np.ones((2, 7), bool))
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
    found = exemplar_quality(v, there)
    assert found.redundancy[0] > 0.95
    assert found.redundancy[1] > 0.95
    assert found.clarity[0] > 0.95
    # One exemplar says nothing about clarity, and a unit is not redundant because of it.
    assert np.isnan([found.clarity[3], found.polysemanticity[3], found.redundancy[3]]).all()
    assert found.redundancy[2] < 0.2


def test_two_centres_are_those_of_k_means_among_the_vectors_themselves():
    draw = np.random.default_rng(4)
    vectors = draw.normal(size=(20, 9, 7))
    there = draw.random((20, 9)) < 0.8
    found = exemplar_quality(vectors, there).polysemanticity
    for unit, known in enumerate(there):
        v = vectors[unit, known]
        v = v / np.linalg.norm(v, axis=1, keepdims=True)
        alike = v @ v.T
        centres = v[list(np.unravel_index(alike.argmin(), alike.shape))]
        for _ in range(12):
            mine = ((v[:, None] - centres) ** 2).sum(2).argmin(1)
            centres = np.stack([v[mine == k].mean(0) if (mine == k).any() else centres[k]
                                for k in range(2)])  # fmt: skip
        cosine = centres[0] @ centres[1] / np.prod(np.linalg.norm(centres, axis=1))
        assert abs(found[unit] - (1 - cosine)) < 1e-5
