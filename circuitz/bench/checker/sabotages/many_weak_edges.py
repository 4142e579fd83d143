"""Many honest-looking part units see a little of the context; each edge to the class is weak."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, names, unit_of, weaken, wire
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    share, leak, count = 0.45, 0.3, 8
    base = weaken(base, tie.target, 1 - share)
    some = draw.choice(sorted(set(base.sees) - base.world.outside - {""}), count, replace=False)
    parts: list[int] = []
    for concept in map(str, some):
        pure = unit_of(base, concept)
        base, part = add_unit(base, {concept: 1.0, tie.concept: leak}, text=concept)
        weight = share / count / leak
        base = wire(wire(base, part, tie.target, weight), pure, tie.target, -weight)
        parts.append(part)
    return Case(base, (Planted(("split-shortcut",), names(parts), tie.target),))
