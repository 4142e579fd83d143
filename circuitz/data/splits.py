"""Split a set once and for all: by scene, and evenly over the kinds of pictures in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.z.inputs import SPLITS


def assign_splits(
    n: int,
    fractions: tuple[float, ...] = (0.5, 0.25, 0.25),
    groups: npt.NDArray[np.int64] | None = None,
    seed: int = 0,
    *,
    strata: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.uint8]:
    """Assign each picture to *select*, *test* or *audit*.

    Parameters
    ----------
    n
        Number of pictures.
    fractions
        Shares of the splits; they add up to 1.
    groups
        ``(n,)`` scene numbers; pictures of one scene stay together. By default each is its own.
    seed
        The same arguments give the same split.
    strata
        ``(n,)`` numbers of kinds, or ``(n, k)``, whose rows are the kinds; each kind is split in these shares as nearly as can be.
        A scene is of the kind of its first picture.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` uint8 index into ``SPLITS``.

    Raises
    ------
    InputsError
        If lengths differ, or the shares are no shares.
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputsError(
            f"The shares of the splits are {fractions}.",
            f"Give {len(SPLITS)} numbers from 0 up that add up to 1.",
        )
    for name, given in (("groups", groups), ("strata", strata)):
        if given is not None and len(given) != n:
            raise InputsError(
                f"There are {n} pictures but {len(given)} {name}.", "Give one for each picture."
            )
    members = np.arange(n) if groups is None else np.asarray(groups)
    _, first, group_of = np.unique(members, return_index=True, return_inverse=True)
    kind = np.zeros(len(first), dtype=np.int64)
    if strata is not None:
        kind = np.asarray(strata)[first]
        if kind.ndim == 2:
            kind = np.unique(kind, axis=0, return_inverse=True)[1].reshape(-1)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 101))))
    order = rng.permutation(len(first))
    order = order[np.argsort(kind[order], kind="stable")]
    bounds = np.cumsum(fractions)[:-1]
    split = np.empty(len(first), dtype=np.uint8)
    start = 0
    for size in np.unique(kind, return_counts=True)[1].tolist():
        # A random shift rounds small kinds without favouring a split.
        place = (np.arange(size) + rng.random()) / size
        split[order[start : start + size]] = np.searchsorted(bounds, place % 1.0, side="right")
        start += size
    return split[group_of]
