"""Make a set of a rendered world: D, D′, the same without its shortcut, or the concept set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from circuitz.data.splits import assign_splits
from circuitz.data.worlds.scenes import Role, ScenePlan, Scenes
from circuitz.data.worlds.world import World
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

U8 = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
D_FRACTIONS = (0.70, 0.15, 0.15)
CONCEPT_FRACTIONS = (0.50, 0.25, 0.25)
SMALLEST, LARGEST = 32, 256
"""Sides that pictures may have."""


class SceneRenderer(Protocol):
    """Paints scenes; see :func:`circuitz.data.worlds.paint_scenes.paint_scenes_in_workers`."""

    def __call__(
        self,
        scenes: Scenes,
        size: int = 64,
        *,
        with_masks: bool = False,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> tuple[U8, U8 | None]:
        """Return pictures and, if asked, masks."""
        ...


@dataclass(frozen=True, eq=False)
class RenderableWorld:
    """A world and what paints it.

    Parameters
    ----------
    world
        Its tables.
    render
        Its renderer.
    mask_names
        What the numbers in its part masks mean.
    """

    world: World
    render: SceneRenderer
    mask_names: tuple[str, ...]


def make_set(
    renderable: RenderableWorld,
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
    """Render a set of a world.

    Parameters
    ----------
    renderable
        The world and its renderer.
    role
        ``D``: labels and splits, the shortcut in force. ``D'``: pictures alone, nothing tied to
        anything. ``decorrelated``: like D′ with labels and splits. ``concepts``: mixed parts with
        concepts, part masks, splits and exact counterfactuals.
    n
        Pictures a class; of ``concepts``, pictures in all.
    seed
        Whole number from 0 up; the same arguments give the same pixels.
    shortcut
        One of the world's.
    track
        Share of pictures, of the first class and of the others, that follow the rule.
    classes
        Other names for the classes, in order; changes nothing else.
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
    world = renderable.world
    plan = ScenePlan(role, n, seed, shortcut, track, balanced_cells, world)
    names = world.checked_class_names(classes)
    if not SMALLEST <= size <= LARGEST:
        raise InputsError(
            f"Pictures of side {size} were asked for.", f"Choose {SMALLEST} to {LARGEST}."
        )
    recipe: dict[str, object] = {
        "world": world.name,
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
        return _render_concept_set(renderable, plan, size, workers, progress, recipe)
    scenes = plan.draw_scenes()
    images, _ = renderable.render(scenes, size, workers=workers, progress=progress)
    if role == "D'":
        return InputSet(images, classes=names, role=role, recipe=recipe)
    cells = scenes.labels * len(world.grounds) + scenes.ground
    return InputSet(
        images,
        labels=scenes.labels,
        classes=names,
        split=assign_splits(len(scenes), D_FRACTIONS, strata=cells, seed=seed),
        scene=scenes.scene,
        role="D",
        recipe=recipe,
    )


def remake_set(
    renderable: RenderableWorld,
    recipe: dict[str, object],
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> InputSet:
    """Make the set that a recipe describes.

    Raises
    ------
    InputsError
        If the recipe is for another world, or damaged.
    """
    if recipe.get("world") != renderable.world.name:
        raise InputsError(
            f"The recipe is for the world {recipe.get('world', '')!r}, not {renderable.world.name!r}.",
            "Use a recipe that this world wrote.",
        )
    try:
        return make_set(
            renderable,
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
            f"The recipe is damaged: {error}.", "Use the recipe of a set as it was written."
        ) from error


def _render_concept_set(
    renderable: RenderableWorld,
    plan: ScenePlan,
    size: int,
    workers: int,
    progress: Progress | None,
    recipe: dict[str, object],
) -> InputSet:
    scenes, twins = plan.draw_scenes_and_counterfactuals()
    images, masks = renderable.render(
        scenes, size, with_masks=True, workers=workers, progress=progress
    )
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
        mask_names=renderable.mask_names,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 3),
        role="concepts",
        recipe=recipe,
    )
