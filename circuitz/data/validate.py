"""Say what is wrong with a set of inputs before anything is measured on it."""

from __future__ import annotations

import numpy as np

from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import SPLITS, InputSet


def check_inputs(inputs: InputSet, *, labelled: bool = False) -> InputSet:
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
    images = inputs.images
    n = len(images)
    if n == 0:
        raise InputsError("The set is empty.", "Give at least one picture.")
    if images.ndim != 4 or images.dtype != np.uint8 or 0 in images.shape:
        raise InputsError(
            f"Pictures are {images.dtype} of shape {images.shape}.",
            "Give uint8 of shape (n, height, width, channels).",
        )
    if images.shape[3] not in (1, 3, 4):
        raise InputsError(
            f"Pictures have {images.shape[3]} channels.",
            "Give 1, 3 or 4 channels, in the last axis.",
        )
    _labels(inputs, n, labelled)
    for name, values in (
        ("split", inputs.split),
        ("scene", inputs.scene),
        ("masks", inputs.masks),
        ("concepts", inputs.concepts),
    ):
        if values is not None and len(values) != n:
            raise InputsError(
                f"There are {n} pictures but {len(values)} rows of ‘{name}’.",
                "Give one row for each picture.",
            )
    if inputs.split is not None and int(inputs.split.max()) >= len(SPLITS):
        raise InputsError(
            f"A split has the number {int(inputs.split.max())}.",
            f"Use 0 to {len(SPLITS) - 1}: {', '.join(SPLITS)}.",
        )
    _masks(inputs)
    if inputs.concepts is not None:
        _concepts(inputs)
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
        As :func:`check_inputs`.
    """
    check_inputs(inputs)
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


def _labels(inputs: InputSet, n: int, labelled: bool) -> None:
    labels = inputs.labels
    if labels is None:
        if labelled:
            raise InputsError("The pictures have no labels.", "Give one class label a picture.")
        return
    if labels.shape != (n,):
        raise InputsError(
            f"There are {n} pictures but labels of shape {labels.shape}.",
            "Give one whole number a picture.",
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= max(1, len(inputs.classes))))
    if len(wrong):
        raise InputsError(
            f"The label of picture {wrong[0]} is {labels[wrong[0]]}, but there are "
            f"{len(inputs.classes)} classes.",
            "Labels are numbers from 0 to one less than the number of classes.",
        )
    if len(set(inputs.classes)) != len(inputs.classes):
        raise InputsError("Two classes have the same name.", "Give each class its own name.")
    if labelled and len(np.unique(labels)) < 2:
        raise InputsError(
            "All pictures are of one class.", "Give pictures of at least two classes."
        )


def _masks(inputs: InputSet) -> None:
    masks, n = inputs.masks, len(inputs)
    if masks is not None:
        if masks.shape != inputs.images.shape[:3]:
            raise InputsError(
                f"Masks are of shape {masks.shape}, pictures of {inputs.images.shape}.",
                "Give a mask of each picture's height and width.",
            )
        if int(masks.max()) >= len(inputs.mask_names):
            raise InputsError(
                f"A mask names part {int(masks.max())}, but there are "
                f"{len(inputs.mask_names)} part names.",
                "Name every part, the first being ‘’ for nothing.",
            )
    pairs = inputs.pairs
    if pairs is None or not len(pairs):
        return
    columns = len(inputs.concept_names)
    if pairs.ndim != 2 or pairs.shape[1] != 3:
        raise InputsError(f"Pairs are of shape {pairs.shape}.", "Give rows of (a, b, concept).")
    if pairs.min() < 0 or pairs[:, :2].max() >= n or pairs[:, 2].max() >= columns:
        raise InputsError(
            "A pair names a picture or a concept that is not there.",
            "Give rows of (a, b, concept) that count from 0.",
        )


def _concepts(inputs: InputSet) -> None:
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
