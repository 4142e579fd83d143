"""Sets whose truth is known: D′ with its answers, and D without the shortcut.

Everything here is for scoring. The search, and whatever it calls, must never import this room.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz import __version__
from circuitz.data.worlds.make_world import make_set
from circuitz.data.worlds.world import World
from circuitz.data.worlds.world_by_name import WORLDS, world_by_name
from circuitz.disk.hashing import array_digest, json_hash
from circuitz.errors import CircuitzError, InputsError
from circuitz.evaluation.world_truth import Truth, world_truth
from circuitz.z.bundle.inputs_io import read_inputs, write_inputs
from circuitz.z.inputs import InputSet

Progress = Callable[[int, int], None]
SHORTCUT_CLASS = 0
"""The class that has the shortcut."""


def groups_of_exclusive_concepts(world: World) -> tuple[tuple[str, ...], ...]:
    """Return the concepts of a world of which exactly one is present."""
    return (*world.attributes.values(), world.grounds)


EXCLUSIVE = groups_of_exclusive_concepts(WORLDS["dogs"].world)
"""The same of the dog world."""


@dataclass(frozen=True, eq=False)
class InputsWithTruth:
    """Inputs together with what they really show.

    Parameters
    ----------
    inputs
        The set as everybody may have it.
    truth
        Labels, grounds and concepts, row by row.
    exclusive
        Groups of concepts of which one at most is present.
    """

    inputs: InputSet
    truth: Truth
    exclusive: tuple[tuple[str, ...], ...] = EXCLUSIVE

    def __len__(self) -> int:
        return len(self.inputs)

    def content_hashes(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Content hashes of some inputs: the ``items`` of judgements."""
        return [array_digest(self.inputs.images[int(i)]).hex()[:32] for i in rows]


def make_shifted_set_with_truth(
    n: int = 500,
    *,
    world: str = "dogs",
    seed: int = 0,
    shortcut: str = "ground",
    classes: tuple[str, ...] | None = None,
    size: int = 64,
    balanced_cells: bool = True,
    cache: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> InputsWithTruth:
    """Make D′, ``n`` inputs a class, with its truth.

    Parameters
    ----------
    world
        Name of the rendered world.
    balanced_cells
        Every class on every ground equally often, so that the worst group is a fair one.
    cache
        Folder to keep rendered sets in and take them from; a damaged copy is made anew.
    """
    recipe: dict[str, Any] = {
        "role": "D'", "n": n, "seed": seed, "shortcut": shortcut, "classes": classes,
        "balanced_cells": balanced_cells,
    }  # fmt: skip
    inputs = _load_or_make_set(world, recipe | {"size": size}, cache, workers, progress)
    about = world_by_name(world).world
    return InputsWithTruth(
        inputs, world_truth(about, **recipe), groups_of_exclusive_concepts(about)
    )


def make_decorrelated_set(
    n: int = 500,
    *,
    world: str = "dogs",
    seed: int = 0,
    shortcut: str = "ground",
    classes: tuple[str, ...] | None = None,
    size: int = 64,
    cache: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> InputSet:
    """Make a labelled training set in which the shortcut means nothing: the oracle's D."""
    recipe: dict[str, Any] = {
        "role": "decorrelated", "n": n, "seed": seed, "shortcut": shortcut, "classes": classes,
        "size": size,
    }  # fmt: skip
    return _load_or_make_set(world, recipe, cache, workers, progress)


def truth_from_recipe(inputs: InputSet) -> Truth:
    """Tell what a rendered set shows, from its recipe.

    Raises
    ------
    InputsError
        If the set was not rendered by a world of ours.
    """
    return join_rendered_set_with_truth(inputs).truth


def join_rendered_set_with_truth(inputs: InputSet) -> InputsWithTruth:
    """Join a rendered set with its truth (the notes' rater looks at D through this).

    Raises
    ------
    InputsError
        As :func:`truth_from_recipe`.
    """
    recipe = dict(inputs.recipe)
    name = str(recipe.pop("world", ""))
    if name not in WORLDS:
        raise InputsError(
            "The truth of this set is not known.", "Only rendered sets carry a recipe that tells."
        )
    about = world_by_name(name).world
    recipe.pop("size", None)
    recipe["classes"] = tuple(recipe["classes"])  # pyright: ignore[reportArgumentType]
    found = world_truth(about, **recipe)  # pyright: ignore[reportArgumentType]
    if len(found.labels) != len(inputs):
        raise InputsError("The recipe does not fit the set.", "Use the whole set, as it was made.")
    return InputsWithTruth(inputs, found, groups_of_exclusive_concepts(about))


def _load_or_make_set(
    world: str,
    recipe: dict[str, Any],
    cache: str | Path | None,
    workers: int,
    progress: Progress | None,
) -> InputSet:
    of = world_by_name(world)
    if cache is None:
        return make_set(of, **recipe, workers=workers, progress=progress)
    # The renderer's pixels may change with a version, so a version shares sets with itself alone.
    names = recipe["classes"] and list(recipe["classes"])
    name = json_hash({**recipe, "classes": names, "version": __version__})
    folder = Path(cache) / f"{world}-{name[:16]}"
    if folder.is_dir():
        try:
            return read_inputs(folder)
        except CircuitzError:
            pass  # a copy that went bad is replaced below
    made = make_set(of, **recipe, workers=workers, progress=progress)
    # A cache that cannot be written costs time, not the result.
    with suppress(CircuitzError, OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_inputs(folder, made)
    return made
