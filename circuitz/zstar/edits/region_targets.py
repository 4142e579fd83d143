"""Where a concept lies in labelled pictures: from drawn masks, or from pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.lexicon.column_names import entry_of_name
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.inputs import InputSet

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

# Pixels whose colour changes by more than this (of 255) differ between the images of a pair;
# what is below is resampling noise.
_CHANGED = 6


def rows_and_targets_from_masks(
    concept: str, concept_set: InputSet, lexicon: Lexicon, rows: I64
) -> tuple[I64, F32] | None:
    """Return rows and per-pixel targets from the mask that shows the concept, if one does.

    Parameters
    ----------
    concept, concept_set, lexicon
        The concept, the set, and what says of which kind the concept is.
    rows
        Rows to learn from.

    Returns
    -------
    ``(m,)`` rows and ``(m, h, w)`` float32 targets, or ``None``.
    """
    if concept_set.masks is None:
        return None
    columns = columns_of_concept_set(concept_set, lexicon)
    entry = entry_of_name(concept, lexicon) or concept
    shows = {concept, entry, *columns.wider_concepts(concept), lexicon.kind(concept)}
    for number, name in enumerate(concept_set.mask_names):
        if name and (name in shows or shows & set(lexicon.entries(name))):
            return rows, (concept_set.masks[rows] == number).astype(np.float32)
    return None


def rows_and_targets_from_pairs(
    column: int, concept_set: InputSet, rows: I64
) -> tuple[I64, F32] | None:
    """Return rows and targets: pixels that differ between images that differ in the concept.

    Parameters
    ----------
    column
        The concept's column.
    concept_set, rows
        The set, and rows to learn from.

    Returns
    -------
    ``(m,)`` rows and ``(m, h, w)`` float32 targets; ``None`` of fewer than 16 pairs.
    """
    if concept_set.pairs is None:
        return None
    usable = concept_set.pairs[
        (concept_set.pairs[:, 2] == column) & np.isin(concept_set.pairs[:, :2], rows).all(1)
    ]
    if len(usable) < 16:
        return None
    a, b = usable[:, 0], usable[:, 1]
    change = np.abs(concept_set.images[a].astype(np.int16) - concept_set.images[b]).max(-1)
    target = (change > _CHANGED).astype(np.float32)
    return np.concatenate([a, b]), np.concatenate([target, target])
