"""Base networks on rendered worlds: a trunk with planted concepts, units and head written down."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker.base_network import BaseNetwork, DrawSizes
from circuitz.bench.checker.families.wired import (
    annotate_truthfully,
    calibrate_features,
    head_summing_parts,
    one_unit_per_feature_weights,
)
from circuitz.bench.checker.rendered_worlds import SIDE, RenderedWorld
from circuitz.bench.checker.train_trunk import train_or_load_trunk
from circuitz.z.layer import Preprocessing

#: Trunks a hundred seeds share; seeds of the record share none with those to develop on. No multiple
#: of the number of families, which take turns: a case then meets every trunk.
TRUNKS = 4
_DRAWS = DrawSizes(per_class=60, concept_set=400, unseen_pairs=240)


def shared_trunk_seed(seed: int) -> int:
    """Return the seed of the trunk that a network has."""
    return seed // 100 * 100 + seed % TRUNKS


def build_rendered_base_network(
    name: str, unseen: tuple[str, ...], seed: int, trunk_folder: Path | None = None
) -> BaseNetwork:
    """Return an honest network on a rendered world.

    Parameters
    ----------
    name
        ``dogs`` or ``birds``.
    unseen
        Attributes that are too fine for small images; no unit sees them.
    seed
        Of everything but the trunk, see :func:`shared_trunk_seed`.
    trunk_folder
        Where trunks are kept.
    """
    world = RenderedWorld(name, seed)
    attributes = world.world_and_renderer.world.attributes
    fine = {value for a in unseen for value in attributes[a]}
    sees = tuple(concept for concept in world.concepts if concept not in fine)
    features = train_or_load_trunk(
        RenderedWorld(name, shared_trunk_seed(seed)), sees, shared_trunk_seed(seed), trunk_folder
    )
    features, peak = calibrate_features(features, world, seed, sees)
    mix = one_unit_per_feature_weights(len(sees), seed)
    base = BaseNetwork(
        name, seed, world, features, sees, peak, mix, (), draws=_DRAWS,
        preprocessing=Preprocessing((0.5,) * 3, (0.25,) * 3, (SIDE, SIDE)),
    )  # fmt: skip
    return annotate_truthfully(base.with_fields(head=(head_summing_parts(base),)))
