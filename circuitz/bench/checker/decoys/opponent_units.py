"""Units of a class respond to its part and are held down by a rival part, as opponent cells are."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case, Planted
from circuitz.bench.checker.choose import part_units, tied
from circuitz.bench.checker.edit import names, rewire_unit

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
