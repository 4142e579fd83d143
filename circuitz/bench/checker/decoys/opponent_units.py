"""Units of a class respond to its part and are held down by a rival part, as opponent cells are."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, rewire_unit
from circuitz.bench.checker.random_choices import part_units, tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    parts = part_units(base, tie.target)
    for unit in parts:
        part = base.words[unit]
        rivals = [c for c in base.world.group_of(part) if c != part and c in base.sees]
        rival = str(draw.choice(rivals))
        base = rewire_unit(base, unit, {part: 1.0, rival: -0.5}, linear=True)
    wrong = ("mislabelled-unit", "contradictory-annotations")
    return Case(base, innocent=tuple(Planted(wrong, names(unit)) for unit in parts))
