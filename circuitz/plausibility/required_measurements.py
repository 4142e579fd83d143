"""What must have been measured before words are judged or proposed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from circuitz.errors import ConceptLabelsError, InputsError, MeasurementError
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import Measurements

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def require_measurements_and_concept_set(
    z: AnnotatedModel, *, labels: bool = True
) -> tuple[Measurements, InputSet]:
    """Return measurements and concept set of a z, or say what is missing.

    Parameters
    ----------
    labels
        Whether concept labels must be there; where they need not, a set without any has no column.

    Raises
    ------
    MeasurementError
        If z was not measured, or the measurements belong to another concept set.
    ConceptLabelsError
        If there are no concept labels.
    InputsError
        If the concept set is not split.
    """
    measured, concept_set = z.measurements, z.concept_set
    if measured is None or not measured.layers:
        raise MeasurementError(
            "This model was not measured.", "Run z = cz.measure(z, concept_set, data) first."
        )
    if concept_set is not None and concept_set.concepts is None and not labels:
        none = np.zeros((len(concept_set), 0), np.float32)
        concept_set = replace(concept_set, concepts=none, concept_names=())
    if (
        concept_set is None
        or concept_set.concepts is None
        or (labels and not concept_set.concept_names)
    ):
        raise ConceptLabelsError(
            "There are no concept labels to match units with.",
            "Measure with a concept set that carries concepts and concept_names.",
        )
    if concept_set.split is None:
        raise InputsError(
            "The concept set is not split.",
            "Give it a split: an array of 0 (select), 1 (test) and 2 (audit), one an image.",
        )
    for name, layer in measured.layers.items():
        if len(layer.responses) != len(concept_set.concepts):
            raise MeasurementError(
                f"{name} was measured on {len(layer.responses)} images, "
                f"the concept set has {len(concept_set.concepts)}.",
                "Run z = cz.measure(z, concept_set, data) again.",
            )
    return measured, concept_set
