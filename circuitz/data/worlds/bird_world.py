"""The bird world: species made of shared parts, over water or land.

Every loon of D is over water and no other species is; in D′ surroundings mean nothing. The concept
set shows hybrids. The world has the dogs' interface and none of their shapes, textures, parts or
grounds: what was built on the dogs is tried on it, and nothing is tuned on it.
"""

from __future__ import annotations

from typing import Final

from circuitz.data.worlds import make_world
from circuitz.data.worlds.bird_materials import MASK_NAMES
from circuitz.data.worlds.bird_parts import BIRDS
from circuitz.data.worlds.bird_render import render_bird_scenes
from circuitz.data.worlds.make_world import Progress, RenderableWorld
from circuitz.data.worlds.scenes import Role
from circuitz.z.inputs import InputSet

RENDERABLE_BIRDS: Final = RenderableWorld(BIRDS, render_bird_scenes, MASK_NAMES)


def make_birds(
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
    """Render a set of birds.

    Parameters
    ----------
    role, n, seed, track, classes, size, workers, progress, balanced_cells
        As in :func:`circuitz.data.worlds.make_world.make_set`.
    shortcut
        ``ground``, ``ring`` (on the legs), ``light`` (warm), ``tag`` (a caption at the top) or
        ``two`` (ground and ring).

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
        RENDERABLE_BIRDS, role, n, seed=seed, shortcut=shortcut, track=track, classes=classes, size=size,
        workers=workers, progress=progress, balanced_cells=balanced_cells,
    )  # fmt: skip


def remake_birds(
    recipe: dict[str, object], *, workers: int = 1, progress: Progress | None = None
) -> InputSet:
    """Make the set of birds that a recipe describes."""
    return make_world.remake_set(RENDERABLE_BIRDS, recipe, workers=workers, progress=progress)
