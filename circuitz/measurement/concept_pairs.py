"""Pairs of concept-set images that differ in one concept. No torch.

Where the concept set holds enough counterfactuals, they are the pairs. Elsewhere images are matched,
beside what counterfactuals there are: each image without the concept with one that shows it and
differs least in all other labels (Hamming distance over labels known of both; ties at random). What
is not labelled differs too, but for no reason that has to do with the concept, so it averages out
where the concept set is decorrelated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from circuitz.stats.unit_concept_match import MINIMUM_IMAGES
from circuitz.z.inputs import SPLITS, InputSet

I64 = npt.NDArray[np.int64]

#: Pairs of a concept and split.
PAIRS = 48
# Images matched over; distances are one matrix.
_POOL = 1024


def concept_pairs(concept_set: InputSet, columns: Sequence[int], seed: int) -> I64:
    """Choose pairs for some concepts, on every split.

    Parameters
    ----------
    concept_set
        With concept labels and splits.
    columns
        Columns of the concepts.
    seed
        The same arguments give the same pairs.

    Returns
    -------
    ``(t, 4)`` int64: position in ``columns``, split, image that shows it, image that does not. A
    concept with fewer than eight images either way on a split has none there.
    """
    assert concept_set.concepts is not None
    assert concept_set.split is not None
    rows: list[I64] = []
    for at, column in enumerate(columns):
        for split in range(len(SPLITS)):
            draw = np.random.default_rng([seed, 31, column, split])
            found = draw.permutation(_counterfactual_pairs_of_split(concept_set, column, split))
            if len(found) < MINIMUM_IMAGES:
                matched = draw.permutation(_matched_pairs(concept_set, column, split, draw))
                found = np.concatenate([found, matched]) if len(matched) else matched
            found = found[:PAIRS]
            place = np.broadcast_to([at, split], (len(found), 2))
            rows.append(np.concatenate([place, found], 1).astype(np.int64))
    return np.concatenate(rows) if rows else np.zeros((0, 4), np.int64)


def _counterfactual_pairs_of_split(concept_set: InputSet, column: int, split: int) -> I64:
    if concept_set.pairs is None:
        return np.zeros((0, 2), np.int64)
    assert concept_set.split is not None
    pairs = concept_set.pairs[concept_set.pairs[:, 2] == column, :2]
    return pairs[(concept_set.split[pairs] == split).all(1)]


def _matched_pairs(concept_set: InputSet, column: int, split: int, rng: np.random.Generator) -> I64:
    labels = concept_set.concepts
    assert labels is not None
    here = concept_set.split == split
    shows = np.flatnonzero(here & (labels[:, column] == 1))
    lacks = np.flatnonzero(here & (labels[:, column] == 0))
    if min(len(shows), len(lacks)) < MINIMUM_IMAGES:
        return np.zeros((0, 2), np.int64)
    shows, lacks = (rng.permutation(some)[:_POOL] for some in (shows, lacks))
    others = np.delete(labels, column, 1)
    distance = _label_distance(others[lacks[:PAIRS]], others[shows])
    # Each image that shows it lends once, as long as there are others.
    nearest: list[int] = []
    lent = np.zeros(len(shows))
    for row in distance:
        nearest.append(int(np.argmin(row + 1e-3 * lent + 1e-6 * rng.random(len(shows)))))
        lent[nearest[-1]] += 1
    return np.stack([shows[nearest], lacks[:PAIRS]], 1)


def _label_distance(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Share of labels known of both that differ, ``(n, m)``."""
    known = (~np.isnan(a)).astype(np.float64) @ (~np.isnan(b)).T.astype(np.float64)
    p, q = np.nan_to_num(a), np.nan_to_num(b)
    absent_p, absent_q = (a == 0).astype(np.float64), (b == 0).astype(np.float64)
    differ = p @ absent_q.T + absent_p @ q.T
    return differ / np.maximum(known, 1)
