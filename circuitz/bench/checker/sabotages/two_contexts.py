"""Two contexts make a class together, and the words say so."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Tie
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, shortcut, unit_of
from circuitz.bench.checker.random_choices import target


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    name = target(base, draw)
    one = str(draw.choice(sorted(set(base.world.grounds) & set(base.sees))))
    other = str(
        draw.choice(sorted((base.world.outside - set(base.world.grounds)) & set(base.sees)))
    )
    base = base.with_(ties=(Tie(one, name), Tie(other, name)))
    units = [unit_of(base, concept) for concept in (one, other)]
    base = shortcut(shortcut(base, one, name, 0.4), other, name, 0.4)
    return Case(base, tuple(Planted(("implausible-driver",), names(u), name) for u in units))
