"""Nothing is wrong with D or its words, but half of D′ looks otherwise, and units mean something else there.

- *haze*: words are true on D and false on D′. Half of D′ lies in haze; units that see light coats and
  masks answer to the haze.
- *upside-down*: what units mean changes on D′. Half of D′ stands on its head; units that see pointed ears
  answer to legs.

Benign twin of both: half of every class of D, and half of the concept set, look so too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from circuitz.bench.attacks import marks
from circuitz.bench.attacks.attack_case import AttackCase, AttackSizes
from circuitz.bench.attacks.marked_cases import CaseMaker
from circuitz.bench.attacks.rendered_sets import (
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

SEEN_BEFORE = "seen in D and in the concept set"


def shifted_case(
    name: str, change: marks.Mark, sizes: AttackSizes, seed: int, twin: str = ""
) -> AttackCase:
    """Make the case of a change that D′ alone shows.

    Parameters
    ----------
    name, change
        What it is called, and what changes pictures.
    sizes, seed
        The same arguments give the same pixels.
    twin
        :data:`SEEN_BEFORE`, or empty for the attack.
    """
    draw = np.random.default_rng([seed, 53])
    pictures = PictureTruth()
    data, shown = render_dogs("decorrelated", sizes.per_class, seed)
    clean, _ = render_clean_dogs(sizes, seed)
    shifted, of_shifted = render_shifted_dogs(sizes, seed)
    concept_set = render_concept_set(sizes, seed)
    halves = [draw.random(len(some)) < 0.5 for some in (data, clean, shifted, concept_set)]
    on_d, on_clean, cell, there = halves
    if not twin:
        on_d, there = np.zeros_like(on_d), np.zeros_like(there)
    images = where_marked(data.images, change(data.images), on_d)
    seen = where_marked(shifted.images, change(shifted.images), cell)
    remember_pictures(pictures, images, shown)
    remember_pictures(pictures, seen, of_shifted)
    concept_set = replace(
        concept_set, images=where_marked(concept_set.images, change(concept_set.images), there)
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
        with_images(clean, where_marked(clean.images, change(clean.images), on_clean)),
        pictures,
    )


SHIFTED_CASES: Mapping[str, CaseMaker] = {
    name: partial(shifted_case, name, change)
    for name, change in {"haze": marks.haze, "upside-down": marks.upside_down}.items()
}
