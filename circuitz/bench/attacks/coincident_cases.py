"""Huskies on snow, and words that only seem to hold: in the concept set snow goes with pointed ears.

- *coincident*: no ground is a column, and 92 of 100 pictures of the concept set have snow and pointed
  ears together or neither. Benign twin: every combination is there as often as chance has it, and
  grounds are columns.
- *mislabelled*: grounds are no columns, and the column of pointed ears was filled in from the snow.
  Benign twin: every column is right, and grounds are among them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from circuitz.bench.attacks.attack_case import AttackCase, AttackSizes
from circuitz.bench.attacks.marked_cases import CaseMaker
from circuitz.bench.attacks.rendered_sets import (
    remember_pictures,
    render_clean_dogs,
    render_concept_set,
    render_dogs,
    render_shifted_dogs,
    with_images,
    without_labels,
)
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.z.inputs import InputSet

INDEPENDENT, RIGHT = "ears independent of snow", "labelled rightly"
_AGREE = 0.92
_GROUNDS = ("snow", "grass", "sand", "water", "indoors")
_EARS, _SNOW = "pointed ears", "snow"


def coincident_case(sizes: AttackSizes, seed: int, twin: str = "") -> AttackCase:
    """Make the case in which two concepts coincide; ``twin`` is :data:`INDEPENDENT` or empty."""
    concept_set = render_concept_set(sizes, seed)
    if not twin:
        draw = np.random.default_rng([seed, 52])
        snow, ears = _column(concept_set, _SNOW), _column(concept_set, _EARS)
        both = (snow == ears) | (draw.random(len(snow)) < 2 * (1 - _AGREE) / 2)
        concept_set = _without_grounds(_rows(concept_set, np.flatnonzero(both)))
    return _case_on_snow("coincident", twin, concept_set, sizes, seed)


def mislabelled_case(sizes: AttackSizes, seed: int, twin: str = "") -> AttackCase:
    """Make the case in which one column was filled in wrongly; ``twin`` is :data:`RIGHT` or empty."""
    concept_set = render_concept_set(sizes, seed)
    if not twin:
        concepts = np.array(concept_set.concepts)
        names = concept_set.concept_names
        concepts[:, names.index(_EARS)] = concepts[:, names.index(_SNOW)]
        concept_set = _without_grounds(replace(concept_set, concepts=concepts))
    return _case_on_snow("mislabelled", twin, concept_set, sizes, seed)


def _case_on_snow(
    name: str, twin: str, concept_set: InputSet, sizes: AttackSizes, seed: int
) -> AttackCase:
    pictures = PictureTruth()
    data, shown = render_dogs("D", sizes.per_class, seed)
    clean, _ = render_clean_dogs(sizes, seed)
    shifted, of_shifted = render_shifted_dogs(sizes, seed)
    remember_pictures(pictures, data.images, shown)
    remember_pictures(pictures, shifted.images, of_shifted)
    pictures.add_concept_set(concept_set)
    return AttackCase(
        name,
        twin,
        with_images(data, data.images),
        concept_set,
        without_labels(shifted.images),
        of_shifted.labels,
        (of_shifted.ground == of_shifted.grounds.index(_SNOW)).astype(np.int64),
        with_images(clean, clean.images),
        pictures,
    )


def _column(inputs: InputSet, name: str) -> np.ndarray:
    assert inputs.concepts is not None
    return inputs.concepts[:, inputs.concept_names.index(name)]


def _rows(inputs: InputSet, rows: np.ndarray) -> InputSet:
    assert inputs.concepts is not None
    assert inputs.split is not None
    return replace(
        inputs, images=inputs.images[rows], concepts=inputs.concepts[rows], split=inputs.split[rows]
    )


def _without_grounds(inputs: InputSet) -> InputSet:
    assert inputs.concepts is not None
    stay = [i for i, name in enumerate(inputs.concept_names) if name not in _GROUNDS]
    names = tuple(inputs.concept_names[i] for i in stay)
    return replace(inputs, concepts=inputs.concepts[:, stay], concept_names=names)


COINCIDENT_CASES: dict[str, CaseMaker] = {
    "coincident": coincident_case,
    "mislabelled": mislabelled_case,
}
