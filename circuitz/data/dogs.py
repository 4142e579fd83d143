"""The dog world: breeds made of shared parts, on grounds that may give them away.

Every husky of D stands on snow and no other breed does; in D′ grounds mean nothing. The concept
set shows mongrels, so that what a part looks like can be learned from it, and what a breed is
cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.data.materials import MASK_NAMES
from circuitz.data.parts import ARTEFACTS, ATTRIBUTES, BREEDS, GROUNDS, PART_CONCEPTS
from circuitz.data.render import render
from circuitz.data.scenes import (
    ROLES,
    SHORTCUTS,
    Scenes,
    breed_scenes,
    mongrel_scenes,
    stream,
)
from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

Role = Literal["D", "D'", "decorrelated", "concepts"]
D_FRACTIONS = (0.70, 0.15, 0.15)
CONCEPT_FRACTIONS = (0.50, 0.25, 0.25)


@dataclass(frozen=True, eq=False)
class Truth:
    """What a set of pictures really shows. For evaluation only.

    Parameters
    ----------
    labels, classes
        ``(n,)`` int64 breed, and the names of the breeds.
    ground, grounds
        ``(n,)`` int64 index into ``grounds``.
    concepts, concept_names
        ``(n, c)`` float32 of 0 and 1.
    """

    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    ground: npt.NDArray[np.int64]
    grounds: tuple[str, ...]
    concepts: npt.NDArray[np.float32]
    concept_names: tuple[str, ...]


def concept_names(shortcut: str = "ground") -> tuple[str, ...]:
    """Return the names of the concept columns of a world with this shortcut."""
    return (*PART_CONCEPTS, *GROUNDS, *(a for a in ARTEFACTS if a in SHORTCUTS[shortcut]))


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
    progress: Callable[[int, int], None] | None = None,
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
    names = _checked(role, n, seed, shortcut, track, classes, size)
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
        return _concept_set(n, seed, shortcut, size, workers, progress, recipe)
    scenes = breed_scenes(role, n, seed, shortcut, track, balanced_cells)
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


def make_again(recipe: dict[str, object], **changes: object) -> InputSet:
    """Make the set that a recipe describes, with ``workers`` or ``progress`` of one's own."""
    if recipe.get("world") != "dogs":
        raise InputsError(
            f"The recipe is for the world {recipe.get('world')!r}.",
            "Only recipes written by make_dogs can be made again here.",
        )
    arguments: dict[str, object] = {k: v for k, v in recipe.items() if k != "world"} | changes
    arguments["classes"] = tuple(recipe["classes"])  # pyright: ignore[reportArgumentType]
    return make_dogs(**arguments)  # pyright: ignore[reportArgumentType]


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
    """Tell what :func:`make_dogs` shows for the same arguments. For evaluation only.

    Returns
    -------
    Truth
        Labels, grounds and concepts, in the order of the pictures; a mongrel's label is -1.
    """
    names = _checked(role, n, seed, shortcut, track, classes, 64)
    if role == "concepts":
        scenes, _ = mongrel_scenes(n, seed, shortcut)
    else:
        scenes = breed_scenes(role, n, seed, shortcut, track, balanced_cells)
    return Truth(
        labels=scenes.labels,
        classes=names,
        ground=scenes.ground.astype(np.int64),
        grounds=GROUNDS,
        concepts=_concepts(scenes, shortcut),
        concept_names=concept_names(shortcut),
    )


def counterfactual_grounds(
    role: Role,
    n: int,
    ground: int | None = None,
    *,
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    size: int = 64,
    balanced_cells: bool = False,
) -> npt.NDArray[np.uint8]:
    """Render the same dogs, poses and light on another ground. For evaluation only.

    Parameters
    ----------
    ground
        Index into ``GROUNDS`` for all; ``None`` chooses another ground for each at random.

    Returns
    -------
    numpy.ndarray
        ``(n, size, size, 3)`` uint8 in the order of :func:`make_dogs` for the same arguments.
    """
    _checked(role, n, seed, shortcut, track, None, size)
    if role == "concepts":
        scenes, _ = mongrel_scenes(n, seed, shortcut)
    else:
        scenes = breed_scenes(role, n, seed, shortcut, track, balanced_cells)
    if ground is None:
        rng = stream(seed, role, shortcut, purpose=1)
        step = rng.integers(1, len(GROUNDS), size=len(scenes))
        other = (scenes.ground + step) % len(GROUNDS)
    else:
        other = np.full(len(scenes), ground)
    moved = Scenes(
        scenes.labels,
        scenes.parts,
        other.astype(np.int8),
        scenes.artefacts,
        scenes.jitter,
        scenes.scene,
    )
    return render(moved, size)[0]


def _concept_set(
    n: int,
    seed: int,
    shortcut: str,
    size: int,
    workers: int,
    progress: Callable[[int, int], None] | None,
    recipe: dict[str, object],
) -> InputSet:
    scenes, twins = mongrel_scenes(n, seed, shortcut)
    images, masks = render(scenes, size, with_masks=True, workers=workers, progress=progress)
    concepts = _concepts(scenes, shortcut)
    pairs: list[tuple[int, int, int]] = []
    for a, b in twins.tolist():
        for c in np.flatnonzero(concepts[a] != concepts[b]).tolist():
            pairs.append((a, b, c) if concepts[a, c] > 0 else (b, a, c))
    return InputSet(
        images,
        concepts=concepts,
        concept_names=concept_names(shortcut),
        split=assign_splits(len(scenes), CONCEPT_FRACTIONS, groups=scenes.scene, seed=seed),
        scene=scenes.scene,
        masks=masks,
        mask_names=MASK_NAMES,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 3),
        role="concepts",
        recipe=recipe,
    )


def _concepts(scenes: Scenes, shortcut: str) -> npt.NDArray[np.float32]:
    columns = [
        scenes.parts[:, i, None] == np.arange(len(values))
        for i, values in enumerate(ATTRIBUTES.values())
    ]
    columns.append(scenes.ground[:, None] == np.arange(len(GROUNDS)))
    columns += [
        scenes.artefacts[:, [i]] for i, name in enumerate(ARTEFACTS) if name in SHORTCUTS[shortcut]
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _checked(
    role: str,
    n: int,
    seed: int,
    shortcut: str,
    track: float,
    classes: tuple[str, ...] | None,
    size: int,
) -> tuple[str, ...]:
    """Return the names of the classes, or say what is wrong with the arguments."""
    if role not in ROLES:
        raise InputsError(f"There is no role {role!r}.", f"Choose one of {', '.join(ROLES)}.")
    if shortcut not in SHORTCUTS:
        raise InputsError(
            f"There is no shortcut {shortcut!r}.", f"Choose one of {', '.join(SHORTCUTS)}."
        )
    if n < 1:
        raise InputsError(f"{n} pictures were asked for.", "Ask for at least 1.")
    if seed < 0:
        raise InputsError(f"The seed is {seed}.", "Use a whole number from 0 up.")
    if not 0 <= track <= 1:
        raise InputsError(f"The track is {track}.", "It is a share, from 0 to 1.")
    if not 32 <= size <= 256:
        raise InputsError(f"Pictures of side {size} were asked for.", "Choose 32 to 256.")
    names = tuple(BREEDS) if classes is None else tuple(classes)
    if len(names) != len(BREEDS) or len(set(names)) != len(names):
        raise InputsError(
            f"{len(names)} class names were given: {', '.join(names)}.",
            f"Give {len(BREEDS)} different names, or none.",
        )
    return names
