"""Columns of concept labels that are one concept, joined into one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from circuitz.lexicon.column_disputes import (
    check_columns_are_told_apart,
    describe_synonym_pair,
    hint_for_unsettled_pair,
)
from circuitz.lexicon.column_names import ColumnNames
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet


def join_synonym_columns(inputs: InputSet, lexicon: Lexicon) -> tuple[InputSet, tuple[str, ...]]:
    """Join columns that are one concept: synonyms whose labels agree, or that a person says are.

    Parameters
    ----------
    inputs
        A set with concept labels; one without is returned as it is.
    lexicon
        Knows the synonyms.

    Returns
    -------
    The set, joined columns under the name of the first, and remarks: what was joined, and which
    synonyms are for a person to settle.

    Raises
    ------
    ColumnNamesError
        If two names differ in case, blanks, hyphens or underscores alone.
    ContradictingColumnsError
        If two columns claim to be one word, and their labels contradict that.
    """
    table = inputs.concepts
    if table is None:
        return inputs, ()
    pairs = check_columns_are_told_apart(inputs.concept_names, table, lexicon)
    remarks = [
        f"{describe_synonym_pair(pair, inputs.concept_names)}: are they one concept? Until somebody "
        f"says, they are two. {hint_for_unsettled_pair(pair, inputs.concept_names, lexicon)}"
        for pair in pairs
        if pair.relation == "unsettled"
    ]
    concept_of = ColumnNames(inputs.concept_names, lexicon, pairs).concept_of
    names = tuple(dict.fromkeys(concept_of))
    if len(names) == len(concept_of):
        return inputs, tuple(remarks)
    values: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    for concept in names:
        columns = [i for i, of in enumerate(concept_of) if of == concept]
        some = table[:, columns]
        yes, no = (some == 1).any(1), (some == 0).any(1)
        values.append(np.where(yes & ~no, 1, np.where(no & ~yes, 0, np.nan)).astype(np.float32))
        if len(columns) > 1:
            said = " and ".join(f"‘{inputs.concept_names[i]}’" for i in columns)
            differ = int((yes & no).sum())
            unknown = f", not known in the {differ:,} pictures where they differ" if differ else ""
            remarks.append(
                f"The columns {said} are one concept: taken together as {concept}{unknown}."
            )
    place = np.array([names.index(of) for of in concept_of])
    pairs_of_images = inputs.pairs
    if pairs_of_images is not None:
        pairs_of_images = np.column_stack([pairs_of_images[:, :2], place[pairs_of_images[:, 2]]])
    made = replace(inputs, concepts=np.stack(values, 1), concept_names=names, pairs=pairs_of_images)
    return made, tuple(remarks)
