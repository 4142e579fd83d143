"""What rendered sets really show, and the same dogs on other grounds. For evaluation only.

Nothing that trains, checks or searches may import this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from circuitz.data.dogs import class_names
from circuitz.data.parts import GROUNDS
from circuitz.data.render import render
from circuitz.data.scenes import Plan, Role, stream
from circuitz.errors import InputsError


@dataclass(frozen=True, eq=False)
class Truth:
    """What a set of pictures really shows.

    Parameters
    ----------
    labels, classes
        ``(n,)`` int64 breed (-1 for a mongrel), and the names of the breeds.
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
    """Tell what :func:`circuitz.data.dogs.make_dogs` shows for the same arguments.

    Returns
    -------
    Truth
        Labels, grounds and concepts, in the order of the pictures.

    Raises
    ------
    InputsError
        As ``make_dogs``.
    """
    plan = Plan(role, n, seed, shortcut, track, balanced_cells)
    scenes = plan.scenes()
    return Truth(
        labels=scenes.labels,
        classes=class_names(classes),
        ground=scenes.ground.astype(np.int64),
        grounds=GROUNDS,
        concepts=plan.concepts(scenes),
        concept_names=plan.concept_names,
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
    """Render the same dogs, poses and light on another ground.

    Parameters
    ----------
    ground
        Index into ``GROUNDS`` for all; ``None`` chooses another ground for each at random.
    role, n, seed, shortcut, track, size, balanced_cells
        As for ``make_dogs``.

    Returns
    -------
    numpy.ndarray
        ``(n, size, size, 3)`` uint8 in the order of the pictures of ``make_dogs``.

    Raises
    ------
    InputsError
        As ``make_dogs``, and for a ground that does not exist.
    """
    if ground is not None and not 0 <= ground < len(GROUNDS):
        raise InputsError(
            f"There is no ground {ground}.",
            f"Choose 0 to {len(GROUNDS) - 1}: {', '.join(GROUNDS)}.",
        )
    scenes = Plan(role, n, seed, shortcut, track, balanced_cells).scenes()
    if ground is None:
        rng = stream(seed, role, shortcut, purpose=1)
        other = (scenes.ground + rng.integers(1, len(GROUNDS), size=len(scenes))) % len(GROUNDS)
    else:
        other = np.full(len(scenes), ground)
    return render(replace(scenes, ground=other.astype(np.int8)), size)[0]
