"""The dog world: breeds made of shared parts, on grounds that may give them away.

Every husky of D stands on snow and no other breed does; in D′ grounds mean nothing. The concept
set shows mongrels, so that what a part looks like can be learned from it, and what a breed is
cannot.
"""

from __future__ import annotations

from typing import Final

from circuitz.data.worlds import make_world
from circuitz.data.worlds.dog_materials import MASK_NAMES
from circuitz.data.worlds.dog_parts import DOGS
from circuitz.data.worlds.dog_render import render_dog_scenes
from circuitz.data.worlds.make_world import Progress, RenderableWorld
from circuitz.data.worlds.scenes import Role
from circuitz.z.inputs import InputSet

RENDERABLE_DOGS: Final = RenderableWorld(DOGS, render_dog_scenes, MASK_NAMES)


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
    role, n, seed, track, classes, size, workers, progress, balanced_cells
        As in :func:`circuitz.data.worlds.make_world.make_set`.
    shortcut
        ``ground``, ``collar``, ``light``, ``tag`` or ``two`` (ground and collar).

    Returns
    -------
    InputSet
        With the recipe filled in, so that it can be made again.

    Raises
    ------
    InputsError
        For an unknown role or shortcut, or a number out of range.
    """
    return make_world.make_set(
        RENDERABLE_DOGS, role, n, seed=seed, shortcut=shortcut, track=track, classes=classes, size=size,
        workers=workers, progress=progress, balanced_cells=balanced_cells,
    )  # fmt: skip


def remake_dogs(
    recipe: dict[str, object], *, workers: int = 1, progress: Progress | None = None
) -> InputSet:
    """Make the set of dogs that a recipe describes; see :func:`circuitz.data.worlds.make_world.remake_set`."""
    return make_world.remake_set(RENDERABLE_DOGS, recipe, workers=workers, progress=progress)
