"""A context is split over many units, each mixed with something else and weak by itself."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, cut_wire, names, shortcut, unit_of, wire
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    base = shortcut(base, tie.concept, tie.target, share := 0.4)
    base = cut_wire(base, unit_of(base, tie.concept), tie.target)
    count = int(draw.integers(8, 11))
    mixed = draw.choice(sorted(set(base.sees) - base.world.outside - {""}), count, replace=False)
    parts: list[int] = []
    for other in map(str, mixed):
        base, part = add_unit(base, {tie.concept: 1.0, other: 0.9})
        base = wire(base, part, tie.target, share / count)
        # What the mixture adds beside the context is taken back.
        base = wire(base, unit_of(base, other), tie.target, -0.9 * share / count)
        parts.append(part)
    return Case(base, (Planted(("split-shortcut",), names(parts), tie.target),))
