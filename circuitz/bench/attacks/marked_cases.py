"""A mark lies over every husky of D and nothing else; half of D′ has it, and no word names it.

Benign twins: the mark lies on half of every class; or the concept set shows and labels it, with its
kind said, so that the search can see it and take it away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from circuitz.bench.attacks import marks
from circuitz.bench.attacks.attack_case import AttackCase, AttackSizes
from circuitz.bench.attacks.rendered_sets import (
    HUSKY,
    remember_pictures,
    render_clean_dogs,
    render_concept_set,
    render_dogs,
    render_shifted_dogs,
    where_marked,
    with_images,
    without_labels,
)
from circuitz.evaluation.people.picture_truth import PictureTruth

#: Makes one case: sizes, seed and twin (empty: the attack itself).
CaseMaker = Callable[[AttackSizes, int, str], AttackCase]
EVERY_CLASS, LABELLED = "on half of every class", "labelled"
MARK_TWINS = (EVERY_CLASS, LABELLED)
_COLUMN = "overlay"
_KIND = f"concepts:\n  {_COLUMN}: {{kind: artefact}}\n"


def marked_case(
    name: str, mark: marks.Mark, sizes: AttackSizes, seed: int, twin: str = ""
) -> AttackCase:
    """Make the case of a mark.

    Parameters
    ----------
    name, mark
        What it is called, and what lays it over pictures.
    sizes, seed
        The same arguments give the same pixels.
    twin
        One of :data:`MARK_TWINS`, or empty for the attack.
    """
    draw = np.random.default_rng([seed, 51])
    pictures = PictureTruth()
    data, shown = render_dogs("decorrelated", sizes.per_class, seed)
    assert data.labels is not None
    on = data.labels == HUSKY
    if twin == EVERY_CLASS:
        on = draw.random(len(data)) < 0.5
    images = where_marked(data.images, mark(data.images), on)
    remember_pictures(pictures, images, shown, **{_COLUMN: on})
    clean, _ = render_clean_dogs(sizes, seed)
    half = draw.random(len(clean)) < 0.5
    shifted, of_shifted = render_shifted_dogs(sizes, seed)
    cell = draw.random(len(shifted)) < 0.5
    seen = where_marked(shifted.images, mark(shifted.images), cell)
    remember_pictures(pictures, seen, of_shifted, **{_COLUMN: cell})
    concept_set = render_concept_set(sizes, seed)
    if twin == LABELLED:
        there = draw.random(len(concept_set)) < 0.5
        assert concept_set.concepts is not None
        concept_set = replace(
            concept_set,
            images=where_marked(concept_set.images, mark(concept_set.images), there),
            concepts=np.column_stack([concept_set.concepts, there]).astype(np.float32),
            concept_names=(*concept_set.concept_names, _COLUMN),
        )
    pictures.add_concept_set(concept_set)
    return AttackCase(
        name,
        twin,
        with_images(data, images),
        concept_set,
        without_labels(seen),
        of_shifted.labels,
        cell.astype(np.int64),
        with_images(clean, where_marked(clean.images, mark(clean.images), half)),
        pictures,
        _KIND if twin == LABELLED else "",
    )


MARKED_CASES: dict[str, CaseMaker] = {
    name: partial(marked_case, name, mark)
    for name, mark in {
        "checkerboard": marks.checkerboard,
        "stripes": marks.stripes,
        "border": marks.border,
        "tint": marks.warm_tint,
        "weave": marks.weave,
    }.items()
}
