from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from circuitz.measurement.concept_pairs import PAIRS, concept_pairs
from circuitz.z.inputs import InputSet


def labelled(n: int = 300, c: int = 4, seed: int = 0, pairs: np.ndarray | None = None) -> InputSet:
    draw = np.random.default_rng(seed)
    return InputSet(
        images=np.zeros((n, 2, 2, 3), np.uint8),
        concepts=(draw.random((n, c)) < 0.4).astype(np.float32),
        concept_names=tuple("abcdefgh"[:c]),
        split=(np.arange(n) % 3).astype(np.uint8),
        scene=np.arange(n, dtype=np.int64),
        pairs=pairs,
    )


@given(st.integers(0, 50))
def test_one_shows_it_and_the_other_does_not(seed: int) -> None:
    known = labelled(seed=seed)
    found = concept_pairs(known, [0, 2], seed)
    assert len(found)
    for at, split, present, absent in found:
        column = (0, 2)[at]
        assert known.concepts[present, column] == 1
        assert known.concepts[absent, column] == 0
        assert known.split[present] == known.split[absent] == split
    assert np.bincount(found[:, 0] * 3 + found[:, 1]).max() <= PAIRS


def test_matched_images_are_alike_in_all_else() -> None:
    known = labelled()
    found = concept_pairs(known, [1], 0)
    others = np.delete(known.concepts, 1, 1)
    differ = (others[found[:, 2]] != others[found[:, 3]]).mean()
    chance = (others[found[:, 2]] != others[np.roll(found[:, 3], 1)]).mean()
    assert differ < 0.05 < chance


def test_counterfactuals_come_first() -> None:
    known = labelled()
    column = known.concepts[:, 0]
    split = known.split
    given_pairs = [
        (a, b, 0)
        for s in range(3)
        for a, b in zip(
            np.flatnonzero((column == 1) & (split == s))[:20],
            np.flatnonzero((column == 0) & (split == s))[:20],
            strict=True,
        )
    ]
    known = labelled(pairs=np.array(given_pairs, np.int64))
    found = concept_pairs(known, [0], 0)
    assert {tuple(row) for row in found[:, 2:]} == {(a, b) for a, b, _ in given_pairs}


def test_the_same_seed_gives_the_same_pairs_and_few_images_give_none() -> None:
    assert np.array_equal(
        concept_pairs(labelled(), [0, 1], 3), concept_pairs(labelled(), [0, 1], 3)
    )
    assert len(concept_pairs(labelled(n=12), [0], 0)) == 0
    unknown = labelled()
    unknown.concepts[:, 0] = np.nan
    assert len(concept_pairs(unknown, [0], 0)) == 0
