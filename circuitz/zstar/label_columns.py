"""Which rows and columns of D and of the concept set the search reads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.inputs import InputSet

I64 = npt.NDArray[np.int64]


def column_labelling_concept(concept: str, concept_set: InputSet, lexicon: Lexicon) -> int | None:
    """Return the column that labels a concept, by its name or by one the lexicon reads as it."""
    return columns_of_concept_set(concept_set, lexicon).column_of(concept)


def columns_of_same_kind(concept: str, concept_set: InputSet, lexicon: Lexicon) -> list[int]:
    """Return the columns of the concepts of the same kind, the concept's own first."""
    kind = lexicon.kind(concept)
    own = column_labelling_concept(concept, concept_set, lexicon)
    assert own is not None
    others = [
        i
        for i, name in enumerate(concept_set.concept_names)
        if i != own and lexicon.kind(name) == kind
    ]
    return [own, *others]
