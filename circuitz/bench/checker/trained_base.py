"""Base networks on rendered worlds: a trunk with planted concepts, units and head written down."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker.base_network import Base, Draws
from circuitz.bench.checker.families.wired import (
    annotated,
    calibrated,
    head_of_parts,
    one_unit_each,
)
from circuitz.bench.checker.planting import planted
from circuitz.bench.checker.rendered_worlds import SIDE, RenderedWorld
from circuitz.z.layer import Preprocessing

#: Trunks a hundred seeds share; seeds of the record share none with those to develop on. No multiple
#: of the number of families, which take turns: a case then meets every trunk.
TRUNKS = 4
_DRAWS = Draws(each=60, known=400, fresh=240)


def trunk_seed(seed: int) -> int:
    """Return the seed of the trunk that a network has."""
    return seed // 100 * 100 + seed % TRUNKS


def build(name: str, unseen: tuple[str, ...], seed: int, keep: Path | None = None) -> Base:
    """Return an honest network on a rendered world.

    Parameters
    ----------
    name
        ``dogs`` or ``birds``.
    unseen
        Attributes that are too fine for small images; no unit sees them.
    seed
        Of everything but the trunk, see :func:`trunk_seed`.
    keep
        Where trunks are kept.
    """
    world = RenderedWorld(name, seed)
    attributes = world.of.world.attributes
    fine = {value for a in unseen for value in attributes[a]}
    sees = tuple(concept for concept in world.concepts if concept not in fine)
    features = planted(RenderedWorld(name, trunk_seed(seed)), sees, trunk_seed(seed), keep)
    features, peak = calibrated(features, world, seed, sees)
    mix = one_unit_each(len(sees), seed)
    base = Base(
        name, seed, world, features, sees, peak, mix, (), draws=_DRAWS,
        preprocessing=Preprocessing((0.5,) * 3, (0.25,) * 3, (SIDE, SIDE)),
    )  # fmt: skip
    return annotated(base.with_(head=(head_of_parts(base),)))
