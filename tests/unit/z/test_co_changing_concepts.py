from __future__ import annotations

import numpy as np

from circuitz.z.co_changing_concepts import co_changing_concepts
from circuitz.z.inputs import InputSet


def grounds(n: int = 400, seed: int = 0) -> InputSet:
    """Snow, grass or sand, never two; ears and tail as they come."""
    draw = np.random.default_rng(seed)
    ground = draw.integers(0, 3, n)
    concepts = np.concatenate([np.eye(3)[ground], draw.random((n, 2)) < 0.5], 1)
    return InputSet(
        images=np.zeros((n, 2, 2, 3), np.uint8),
        concepts=concepts.astype(np.float32),
        concept_names=("snow", "grass", "sand", "ears", "tail"),
    )


def test_other_grounds_go_along_with_snow_and_parts_do_not() -> None:
    known = grounds()
    snow = np.flatnonzero(known.concepts[:, 0] == 1)[:100]
    other = np.flatnonzero(known.concepts[:, 0] == 0)[:100]
    # Parts differ in half of the pairs, but not one way.
    assert co_changing_concepts(known, snow, other) == (0, 1, 2)


def test_labels_nobody_knows_do_not_move() -> None:
    known = grounds()
    known.concepts[:, 1] = np.nan
    snow = np.flatnonzero(known.concepts[:, 0] == 1)[:100]
    other = np.flatnonzero(known.concepts[:, 0] == 0)[:100]
    assert co_changing_concepts(known, snow, other) == (0, 2)


def test_without_pairs_nothing_moves() -> None:
    none = np.zeros(0, np.int64)
    assert co_changing_concepts(grounds(), none, none) == ()
