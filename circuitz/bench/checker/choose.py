"""Random choices that most cases begin with."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.world import Tie


def context(base: Base, draw: np.random.Generator) -> str:
    """Choose a concept outside the thing, of those a feature sees."""
    known = sorted(base.world.outside & set(base.sees))
    return str(draw.choice(known))


def target(base: Base, draw: np.random.Generator) -> str:
    """Choose a class."""
    return str(draw.choice(list(base.world.classes)))


def tied(
    base: Base, draw: np.random.Generator, *, share: float = 1.0, others: float = 0.0
) -> tuple[Base, Tie]:
    """Tie a random concept to a random class in D."""
    tie = Tie(context(base, draw), target(base, draw), share, others)
    return base.with_(ties=(tie,)), tie


def part_units(base: Base, name: str) -> tuple[int, ...]:
    """Units that hand on the parts of a class."""
    parts = base.world.parts(base.world.classes.index(name))
    return tuple(
        u
        for u, row in enumerate(base.mix[0])
        if base.sees[int(row.argmax())] in parts and row.any()
    )
