"""Columns of concept labels that the lexicon knows as one concept, joined into one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet


def join_synonym_columns(inputs: InputSet, lexicon: Lexicon) -> tuple[InputSet, tuple[str, ...]]:
    """Join columns whose headings are synonyms, such as *coat* and *fur*.

    Left apart, each would be measured on its own labels, and one would speak for the other.

    Parameters
    ----------
    inputs
        A set with concept labels; one without is returned as it is.
    lexicon
        Knows the synonyms. Headings it does not know as a concept's name stay apart.

    Returns
    -------
    The set, joined columns under the concept's own name, and a remark for each concept joined.

    Raises
    ------
    ConceptLabelsError
        If two columns of one concept say different things of a picture.
    """
    table = inputs.concepts
    if table is None:
        return inputs, ()
    same: dict[str, list[int]] = {}
    for i, name in enumerate(inputs.concept_names):
        same.setdefault(lexicon.resolve(name) or name, []).append(i)
    if all(len(columns) == 1 for columns in same.values()):
        return inputs, ()
    names: list[str] = []
    values: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    remarks: list[str] = []
    place = np.zeros(table.shape[1], np.int64)
    for concept, columns in same.items():
        place[columns] = len(names)
        if len(columns) == 1:
            names.append(inputs.concept_names[columns[0]])
            values.append(table[:, columns[0]])
            continue
        said = " and ".join(f"‘{inputs.concept_names[i]}’" for i in columns)
        some = table[:, columns]
        yes, no = (some == 1).any(1), (some == 0).any(1)
        if (yes & no).any():
            raise ConceptLabelsError(
                f"The columns {said} are one concept, {concept}, and differ in "
                f"{int((yes & no).sum()):,} pictures.",
                "Leave one column out, or make them two concepts in a lexicon of your own "
                "(--lexicon).",
            )
        names.append(concept)
        values.append(np.where(yes, 1, np.where(no, 0, np.nan)).astype(np.float32))
        remarks.append(f"The columns {said} are one concept: taken together as {concept}.")
    pairs = inputs.pairs
    if pairs is not None:
        pairs = np.column_stack([pairs[:, :2], place[pairs[:, 2]]])
    made = replace(inputs, concepts=np.stack(values, 1), concept_names=tuple(names), pairs=pairs)
    return made, tuple(remarks)
