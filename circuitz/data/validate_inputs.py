"""Say what is wrong with a set of inputs before anything is measured on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.bundle.input_set_integrity import check_input_set_fields as structure
from circuitz.z.inputs import InputSet


def check_image_set(inputs: InputSet, *, labelled: bool = False) -> InputSet:
    """Check pictures, labels and everything that goes with them.

    Parameters
    ----------
    inputs
        Any set.
    labelled
        Whether labels of two classes or more must be there.

    Returns
    -------
    InputSet
        The same set.

    Raises
    ------
    InputsError
        For pictures of a wrong shape or type, none at all, labels out of range, a single class.
    ConceptLabelsError
        For concept columns that do not fit the pictures or hold anything but 0, 1 and NaN.
    """
    if inputs.concepts is not None:
        _check_concept_columns(inputs)
    structure(inputs)
    images = inputs.images
    if images.size == 0:
        raise InputsError("The set is empty.", "Give at least one picture.")
    if images.shape[3] not in (1, 3, 4):
        raise InputsError(
            f"Pictures have {images.shape[3]} channels.",
            "Give 1, 3 or 4 channels, in the last axis.",
        )
    if labelled:
        _check_two_classes(inputs.labels)
    return inputs


def check_concept_set(inputs: InputSet) -> InputSet:
    """Check that units can be matched with the concepts of a set.

    Returns
    -------
    InputSet
        The same set.

    Raises
    ------
    ConceptLabelsError
        If there are no concept labels, or a concept is never, or always, present.
    InputsError
        As :func:`check_image_set`.
    """
    return check_concepts_vary(check_image_set(inputs))


def check_concepts_vary(inputs: InputSet) -> InputSet:
    """Refuse a set, of pictures or texts, without a concept that is shown and absent.

    Raises
    ------
    ConceptLabelsError
        If there are no concept labels, or a concept is never, or always, present.
    """
    table = inputs.concepts
    if table is None or table.shape[1] == 0:
        raise ConceptLabelsError(
            "The concept set has no concept labels.",
            "Give a table with one column a concept: 1 present, 0 absent, empty not known.",
        )
    present, absent = (table == 1).any(axis=0), (table == 0).any(axis=0)
    for name, has, hasnt in zip(inputs.concept_names, present, absent, strict=True):
        if not (has or hasnt):
            raise ConceptLabelsError(
                f"The concept ‘{name}’ has no labels at all.",
                "Label some pictures, with 1 and with 0, or leave the column out.",
            )
        if not (has and hasnt):
            raise ConceptLabelsError(
                f"The concept ‘{name}’ is constant: {'present' if has else 'absent'} wherever it "
                "is labelled.",
                "Add pictures that differ in it, or leave the column out.",
            )
    return inputs


def _check_two_classes(labels: npt.NDArray[np.int64] | None) -> None:
    if labels is None:
        raise InputsError("The pictures have no labels.", "Give one class label a picture.")
    if labels.ndim == 2:
        if not (labels == 1).any() or not (labels == 0).any():
            raise InputsError(
                "All pictures show the same classes.", "Give pictures that differ in them."
            )
        return
    if len(np.unique(labels)) < 2:
        raise InputsError(
            "All pictures are of one class.", "Give pictures of at least two classes."
        )


def _check_concept_columns(inputs: InputSet) -> None:
    table = inputs.concepts
    if table is None:
        return
    names = inputs.concept_names
    if table.ndim != 2 or table.shape[1] != len(names):
        raise ConceptLabelsError(
            f"Concept labels are of shape {table.shape}, but there are {len(names)} names.",
            "Give one name a column.",
        )
    double = sorted({name for name in names if names.count(name) > 1})
    if double or not all(names):
        raise ConceptLabelsError(
            f"Concept columns share a name: {', '.join(double)}."
            if double
            else "A concept column has no name.",
            "Give each column its own name.",
        )
    bad = np.argwhere(~((table == 0) | (table == 1) | np.isnan(table)))
    if len(bad):
        row, column = bad[0].tolist()
        raise ConceptLabelsError(
            f"The concept ‘{names[column]}’ of picture {row} is {table[row, column]}.",
            "Use 1 for present, 0 for absent, NaN for not known.",
        )
