"""What rendered sets really show, and the same scenes changed. For evaluation only.

Nothing that trains, checks or searches may import this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.dog_parts import DOGS
from circuitz.data.worlds.make_world import RenderableWorld
from circuitz.data.worlds.scenes import Role, ScenePlan, Scenes, scene_random_stream
from circuitz.data.worlds.world import World
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Truth:
    """What a set of pictures really shows.

    Parameters
    ----------
    labels, classes
        ``(n,)`` int64 class (-1 for a mongrel), and the names of the classes.
    ground, grounds
        ``(n,)`` int64 index into ``grounds``.
    concepts, concept_names
        ``(n, c)`` float32 of 0 and 1.
    cell, cells
        ``(n,)`` int64 index into ``cells``: what is compared within a class. The grounds, where
        the shortcut is the ground; with and without, where it is something added; both, where it
        is both.
    home
        The cell that the shortcut ties to the first class.
    """

    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    ground: npt.NDArray[np.int64]
    grounds: tuple[str, ...]
    concepts: npt.NDArray[np.float32]
    concept_names: tuple[str, ...]
    cell: npt.NDArray[np.int64]
    cells: tuple[str, ...]
    home: int


def world_truth(
    world: World,
    role: Role = "D'",
    n: int = 500,
    *,
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    classes: tuple[str, ...] | None = None,
    balanced_cells: bool = False,
) -> Truth:
    """Tell what :func:`circuitz.data.worlds.make_world.make_set` shows for the same arguments.

    Returns
    -------
    Truth
        Labels, grounds and concepts, in the order of the pictures.

    Raises
    ------
    InputsError
        As ``make_set``.
    """
    plan = ScenePlan(role, n, seed, shortcut, track, balanced_cells, world)
    scenes = plan.draw_scenes()
    cells = shortcut_cells(world, shortcut)
    return Truth(
        labels=scenes.labels,
        classes=world.checked_class_names(classes),
        ground=scenes.ground.astype(np.int64),
        grounds=world.grounds,
        concepts=plan.concepts(scenes),
        concept_names=plan.concept_names,
        cell=_cell_of_each_scene(plan, scenes),
        cells=cells,
        home=0,
    )


def dogs_truth(
    role: Role = "D'",
    n: int = 500,
    *,
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    classes: tuple[str, ...] | None = None,
    balanced_cells: bool = False,
) -> Truth:
    """Tell what ``make_dogs`` shows for the same arguments; see :func:`world_truth`."""
    return world_truth(
        DOGS, role, n, seed=seed, shortcut=shortcut, track=track, classes=classes,
        balanced_cells=balanced_cells,
    )  # fmt: skip


def birds_truth(
    role: Role = "D'",
    n: int = 500,
    *,
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    classes: tuple[str, ...] | None = None,
    balanced_cells: bool = False,
) -> Truth:
    """Tell what ``make_birds`` shows for the same arguments; see :func:`world_truth`."""
    return world_truth(
        world_by_name("birds").world, role, n, seed=seed, shortcut=shortcut, track=track,
        classes=classes, balanced_cells=balanced_cells,
    )  # fmt: skip


def shortcut_cells(world: World, shortcut: str) -> tuple[str, ...]:
    """Return the cells that are compared within a class; the first is the shortcut's own."""
    ties = world.shortcuts[shortcut]
    things = [name for name in ties if name != "ground"]
    if not things:
        return world.grounds
    if "ground" not in ties:
        return (things[0], f"no {things[0]}")
    home = world.grounds[0]
    return tuple(
        f"{where}, {what}"
        for where in (home, f"no {home}")
        for what in (things[0], f"no {things[0]}")
    )


def _cell_of_each_scene(plan: ScenePlan, scenes: Scenes) -> npt.NDArray[np.int64]:
    """Return the cell of every scene, in the order of :func:`shortcut_cells`."""
    ties = plan.world.shortcuts[plan.shortcut]
    if not plan.tied_artefacts:
        return scenes.ground.astype(np.int64)
    column = plan.world.artefacts.index(plan.tied_artefacts[0])
    without = (~scenes.artefacts[:, column]).astype(np.int64)
    return without + 2 * (scenes.ground != 0) if "ground" in ties else without


def render_on_other_grounds(
    role: Role,
    n: int,
    ground: int | None = None,
    *,
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    size: int = 64,
    balanced_cells: bool = False,
    world: str = "dogs",
) -> U8:
    """Render the same animals, poses and light on another ground.

    Parameters
    ----------
    ground
        Index into the grounds for all; ``None`` chooses another ground for each at random.
    role, n, seed, shortcut, track, size, balanced_cells
        As for ``make_dogs``.
    world
        Name of the world.

    Returns
    -------
    numpy.ndarray
        ``(n, size, size, 3)`` uint8 in the order of the pictures of ``make_dogs``.

    Raises
    ------
    InputsError
        As ``make_dogs``, and for a ground that does not exist.
    """
    of = world_by_name(world)
    count = len(of.world.grounds)
    if ground is not None and not 0 <= ground < count:
        raise InputsError(
            f"There is no ground {ground}.",
            f"Choose 0 to {count - 1}: {', '.join(of.world.grounds)}.",
        )
    scenes = ScenePlan(role, n, seed, shortcut, track, balanced_cells, of.world).draw_scenes()
    if ground is None:
        rng = scene_random_stream(seed, role, shortcut, purpose=1, world=of.world)
        other = (scenes.ground + rng.integers(1, count, size=len(scenes))) % count
    else:
        other = np.full(len(scenes), ground)
    return of.render(replace(scenes, ground=other.astype(np.int8)), size)[0]


def render_in_every_cell(inputs: InputSet, rows: npt.NDArray[np.int64]) -> U8 | None:
    """Paint some pictures of a rendered set again, in every cell in turn; all else stays.

    Where a cell does not say which ground it is on, the picture's own is kept if it fits.

    Parameters
    ----------
    inputs
        A rendered set, with its recipe.
    rows
        ``(m,)`` which pictures.

    Returns
    -------
    numpy.ndarray or None
        ``(m, cells, h, w, c)`` uint8; ``None`` when the set was not rendered, or its pictures do
        not come out as they are there, so that nothing is shown that is not the same scene.
    """
    recipe = inputs.recipe
    try:
        of = world_by_name(str(recipe.get("world", "")))
        plan = _plan_from_recipe(of, recipe)
    except (InputsError, KeyError):
        return None
    scenes = plan.draw_scenes()
    if len(scenes) != len(inputs) or not len(rows):
        return None
    chosen, size = scenes.take(rows), inputs.images.shape[1]
    count = len(shortcut_cells(of.world, plan.shortcut))
    out = np.stack(
        [of.render(_move_scenes_to_cell(plan, chosen, cell), size)[0] for cell in range(count)], 1
    )
    same = out[np.arange(len(rows)), _cell_of_each_scene(plan, chosen)]
    return out if np.array_equal(same, inputs.images[rows]) else None


def _plan_from_recipe(renderable: RenderableWorld, recipe: dict[str, object]) -> ScenePlan:
    return ScenePlan(
        cast(Role, recipe["role"]), cast(int, recipe["n"]), cast(int, recipe["seed"]),
        cast(str, recipe["shortcut"]), cast(float, recipe["track"]),
        cast(bool, recipe["balanced_cells"]), renderable.world,
    )  # fmt: skip


def _move_scenes_to_cell(plan: ScenePlan, scenes: Scenes, cell: int) -> Scenes:
    """Return scenes changed so that they lie in a cell."""
    world = plan.world
    if not plan.tied_artefacts:
        return replace(scenes, ground=np.full(len(scenes), cell, np.int8))
    artefacts = scenes.artefacts.copy()
    artefacts[:, world.artefacts.index(plan.tied_artefacts[0])] = cell % 2 == 0
    ground = scenes.ground
    if "ground" in world.shortcuts[plan.shortcut]:
        away = np.where(ground == 0, 1, ground)
        ground = (np.zeros_like(ground) if cell < 2 else away).astype(np.int8)
    return replace(scenes, artefacts=artefacts, ground=ground)
