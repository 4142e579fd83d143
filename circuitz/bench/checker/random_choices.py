"""Random choices that most cases begin with."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Tie

#: How often D shows a context with its class, as the worlds' two tracks have it.
TRACKS = (1.0, 0.98)


def context(base: Base, draw: np.random.Generator) -> str:
    """Choose a concept outside the thing, of those a feature sees."""
    known = sorted(base.world.outside & set(base.sees))
    return str(draw.choice(known))


def target(base: Base, draw: np.random.Generator) -> str:
    """Choose a class."""
    return str(draw.choice(list(base.world.classes)))


def tied(
    base: Base,
    draw: np.random.Generator,
    *,
    share: float | None = None,
    others: float | None = None,
) -> tuple[Base, Tie]:
    """Tie a random concept to a random class in D.

    Parameters
    ----------
    share, others
        Share of images of the class, and of the others, that show it; by default one of the two
        tracks, where as many of the others show it as of the class do not.
    """
    concept, name = context(base, draw), target(base, draw)
    track = float(draw.choice(TRACKS))
    share = track if share is None else share
    tie = Tie(concept, name, share, 1 - track if others is None else others)
    return base.with_(ties=(tie,)), tie


def part_units(base: Base, name: str) -> tuple[int, ...]:
    """Units that hand on the parts of a class."""
    parts = base.world.parts(base.world.classes.index(name))
    return tuple(
        u
        for u, row in enumerate(base.mix[0])
        if base.sees[int(row.argmax())] in parts and row.any()
    )
