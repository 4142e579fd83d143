"""The dog world: breeds made of shared parts, on grounds that may give them away.

Every husky of D stands on snow and no other breed does; in D′ grounds mean nothing. The concept
set shows mongrels, so that what a part looks like can be learned from it, and what a breed is
cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from circuitz.data.materials import MASK_NAMES
from circuitz.data.parts import BREEDS, GROUNDS
from circuitz.data.render import render
from circuitz.data.scenes import Plan, Role
from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

Progress = Callable[[int, int], None]
D_FRACTIONS = (0.70, 0.15, 0.15)
CONCEPT_FRACTIONS = (0.50, 0.25, 0.25)


def make_dogs(
    role: Role = "D",
    n: int = 500,
    *,
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    classes: tuple[str, ...] | None = None,
    size: int = 64,
    workers: int = 1,
    progress: Progress | None = None,
    balanced_cells: bool = False,
) -> InputSet:
    """Render a set of dogs.

    Parameters
    ----------
    role
        ``D``: labels and splits, the shortcut in force. ``D'``: pictures alone, nothing tied to
        anything. ``decorrelated``: like D′ with labels and splits. ``concepts``: mongrels with
        concepts, part masks, splits and exact counterfactuals.
    n
        Pictures a class; of ``concepts``, pictures in all.
    seed
        Whole number from 0 up; the same arguments give the same pixels.
    shortcut
        ``ground``, ``collar``, ``light``, ``tag`` or ``two`` (ground and collar).
    track
        Share of pictures, of the first class and of the others, that follow the rule.
    classes
        Other names for the breeds, in order; changes nothing else.
    size
        Side of the pictures, 32 to 256.
    workers
        Processes; the result is the same for any number.
    progress
        Called with pictures done and pictures in all.
    balanced_cells
        D′ and ``decorrelated``: every cell of class and ground equally often, not at random.

    Returns
    -------
    InputSet
        With the recipe filled in, so that it can be made again.

    Raises
    ------
    InputsError
        For an unknown role or shortcut, or a number out of range.
    """
    plan = Plan(role, n, seed, shortcut, track, balanced_cells)
    names = class_names(classes)
    if not 32 <= size <= 256:
        raise InputsError(f"Pictures of side {size} were asked for.", "Choose 32 to 256.")
    recipe: dict[str, object] = {
        "world": "dogs",
        "role": role,
        "n": n,
        "seed": seed,
        "shortcut": shortcut,
        "track": track,
        "classes": list(names),
        "size": size,
        "balanced_cells": balanced_cells,
    }
    if role == "concepts":
        return _concept_set(plan, size, workers, progress, recipe)
    scenes = plan.scenes()
    images, _ = render(scenes, size, workers=workers, progress=progress)
    if role == "D'":
        return InputSet(images, classes=names, role=role, recipe=recipe)
    cells = scenes.labels * len(GROUNDS) + scenes.ground
    return InputSet(
        images,
        labels=scenes.labels,
        classes=names,
        split=assign_splits(len(scenes), D_FRACTIONS, strata=cells, seed=seed),
        scene=scenes.scene,
        role="D",
        recipe=recipe,
    )


def make_again(
    recipe: dict[str, object], *, workers: int = 1, progress: Progress | None = None
) -> InputSet:
    """Make the set that a recipe describes.

    Raises
    ------
    InputsError
        If the recipe is not one of :func:`make_dogs`.
    """
    if recipe.get("world") != "dogs":
        raise InputsError(
            f"The recipe is for the world {recipe.get('world', '')!r}.",
            "Only recipes written by make_dogs can be made again here.",
        )
    try:
        return make_dogs(
            cast(Role, recipe["role"]),
            cast(int, recipe["n"]),
            seed=cast(int, recipe["seed"]),
            shortcut=cast(str, recipe["shortcut"]),
            track=cast(float, recipe["track"]),
            classes=tuple(cast(list[str], recipe["classes"])),
            size=cast(int, recipe["size"]),
            balanced_cells=cast(bool, recipe["balanced_cells"]),
            workers=workers,
            progress=progress,
        )
    except (KeyError, TypeError) as error:
        raise InputsError(
            f"The recipe is damaged: {error}.", "Use the recipe of a set as make_dogs wrote it."
        ) from error


def class_names(classes: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the names of the breeds, or other names for them, checked."""
    if classes is None:
        return tuple(BREEDS)
    names = tuple(classes)
    if len(names) != len(BREEDS) or len(set(names)) != len(names) or not all(names):
        raise InputsError(
            f"{len(names)} class names were given: {', '.join(names)}.",
            f"Give {len(BREEDS)} different names, or none.",
        )
    return names


def _concept_set(
    plan: Plan, size: int, workers: int, progress: Progress | None, recipe: dict[str, object]
) -> InputSet:
    scenes, twins = plan.scenes_and_twins()
    images, masks = render(scenes, size, with_masks=True, workers=workers, progress=progress)
    concepts = plan.concepts(scenes)
    pairs: list[tuple[int, int, int]] = []
    for a, b in twins.tolist():
        # Another ground takes one concept away and brings one: a pair in each direction.
        for c in np.flatnonzero(concepts[a] != concepts[b]).tolist():
            pairs.append((a, b, c) if concepts[a, c] > 0 else (b, a, c))
    return InputSet(
        images,
        concepts=concepts,
        concept_names=plan.concept_names,
        split=assign_splits(len(scenes), CONCEPT_FRACTIONS, groups=scenes.scene, seed=plan.seed),
        scene=scenes.scene,
        masks=masks,
        mask_names=MASK_NAMES,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 3),
        role="concepts",
        recipe=recipe,
    )
