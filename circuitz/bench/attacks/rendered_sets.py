"""Rendered dogs that attacks are made of, and what each picture shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from circuitz.bench.attacks.attack_case import AttackSizes
from circuitz.data.worlds.make_world import make_set
from circuitz.data.worlds.scenes import Role
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.evaluation_sets import join_rendered_set_with_truth
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.world_truth import Truth
from circuitz.z.inputs import InputSet

U8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
_CLEAN, _SHIFTED = 1_000_003, 2_000_003  # apart from D
HUSKY = 0


def render_dogs(role: Role, n: int, seed: int) -> tuple[InputSet, Truth]:
    """Render dogs of a role, and tell what they show."""
    made = make_set(world_by_name("dogs"), role, n, seed=seed)
    return made, join_rendered_set_with_truth(made).truth


def render_clean_dogs(sizes: AttackSizes, seed: int) -> tuple[InputSet, Truth]:
    """Render what the oracle learns from."""
    return render_dogs("decorrelated", sizes.per_class, seed + _CLEAN)


def render_shifted_dogs(sizes: AttackSizes, seed: int) -> tuple[InputSet, Truth]:
    """Render what D′ is made from; its labels are left out by :func:`without_labels`."""
    return render_dogs("decorrelated", sizes.shifted, seed + _SHIFTED)


def render_concept_set(sizes: AttackSizes, seed: int) -> InputSet:
    """Render a concept set as people would bring it: pictures and a table, nothing besides."""
    made = make_set(world_by_name("dogs"), "concepts", sizes.concepts, seed=seed)
    return replace(made, pairs=None, masks=None, mask_names=(), scene=None, recipe={})


def with_images(inputs: InputSet, images: U8) -> InputSet:
    """Return the set with other pictures; nothing tells how to render it again."""
    return replace(inputs, images=images, recipe={})


def without_labels(images: U8) -> InputSet:
    """Return D′ as a user has it: pictures alone."""
    return InputSet(images, role="D'")


def where_marked(images: U8, marked: U8, rows: Bool) -> U8:
    """Return pictures, those of some rows as they are in ``marked``."""
    return np.where(rows[:, None, None, None], marked, images)


def remember_pictures(pictures: PictureTruth, images: U8, truth: Truth, **extra: Bool) -> None:
    """Tell simulated people what pictures show: the world's concepts, and marks by name."""
    names = truth.concept_names
    for i, image in enumerate(images):
        shows = [name for name, there in zip(names, truth.concepts[i], strict=True) if there > 0.5]
        shows += [name for name, rows in extra.items() if rows[i]]
        pictures.add_picture(image, shows, [*names, *extra])
