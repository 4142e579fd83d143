"""What a unit does to each class when it goes from off to on, on the concept set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.patching.from_cut import Downstream
from circuitz.z.inputs import SPLITS, InputSet

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

# Share of images on which a unit counts as active.
ACTIVE = 0.15
# Images that lend activations, and draws a unit averages over.
POOL = 384
DRAWS = 64


@dataclass(frozen=True, eq=False)
class OffOnPairs:
    """Where each unit is switched from off to on.

    Parameters
    ----------
    base
        ``(d,)`` images whose other units are held.
    off, on
        ``(u, d)`` images that lend the unit's inactive and active values.
    """

    base: I64
    off: I64
    on: I64


def draw_switching_pool(concept_set: InputSet, seed: int) -> I64:
    """Return indices of concept-set images (of *select*, where it is split) to switch units on."""
    rows = np.arange(len(concept_set))
    if concept_set.split is not None:
        select = np.flatnonzero(concept_set.split == SPLITS.index("select"))
        rows = select if len(select) else rows
    return np.sort(np.random.default_rng([seed, 21]).permutation(rows)[:POOL])


def pair_off_on_images(responses: F32, seed: int) -> OffOnPairs:
    """Pair inactive and active images of every unit.

    Parameters
    ----------
    responses
        ``(p, u)`` responses on the pool.
    seed
        The same arguments give the same pairs.
    """
    count, units = responses.shape
    draw = np.random.default_rng([seed, 22])
    base = draw.integers(0, count, DRAWS)
    low = draw.random((units, DRAWS))
    high = draw.random((units, DRAWS))
    # By rank, so that a unit that is silent on most images still has an inactive half.
    order = np.argsort(responses, axis=0, kind="stable").T
    active = max(1, round(ACTIVE * count))
    rows = np.arange(units)[:, None]
    off = order[rows, (low * max(1, count // 2)).astype(np.int64)]
    on = order[rows, count - 1 - (high * active).astype(np.int64)]
    return OffOnPairs(base, off, on)


def margin_change_off_to_on(
    down: Downstream, switch: OffOnPairs, start: int, scale: F32, units: slice = slice(None)
) -> tuple[F32, F32]:
    """Return how much every margin changes when each unit is switched on, in shares.

    Parameters
    ----------
    down
        Holds the pool's activations from position ``start`` on.
    switch
        Which images to use.
    scale
        ``(k,)`` whole effect of each class.
    units
        Which of them; all by default.

    Returns
    -------
    ``(u, k)`` float32 means over the draws, and the means' standard errors.
    """
    means: list[npt.NDArray[Any]] = []
    errors: list[npt.NDArray[Any]] = []
    for u, off, on in zip(
        range(len(switch.off))[units], switch.off[units], switch.on[units], strict=True
    ):
        change = down.joint_margin_change_all_classes(
            start + switch.base, start + on, u
        ) - down.joint_margin_change_all_classes(start + switch.base, start + off, u)
        means.append(change.mean(0))
        errors.append(change.std(0, ddof=1) / np.sqrt(len(change)))
    return (np.stack(means) / scale).astype(np.float32), (np.stack(errors) / np.abs(scale)).astype(
        np.float32
    )


def activation_rise(responses: F32, switch: OffOnPairs) -> F32:
    """Return how much each unit's mean response rises when it is switched on, ``(u,)``."""
    units = np.arange(responses.shape[1])[:, None]
    rise = responses[switch.on, units].mean(1) - responses[switch.off, units].mean(1)
    return rise.astype(np.float32)
