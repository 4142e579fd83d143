"""Two units see one part and have the same words: one makes a class, the other speaks against another."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, names, wire
from circuitz.bench.checker.random_choices import part_units, tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    # No class has every part, so a part can speak against some class that lacks it.
    unit = int(draw.choice(part_units(base, tie.target)))
    lacking = [name for name in base.world.classes if unit not in part_units(base, name)]
    text = base.words[unit]
    base, other = add_unit(base, {text: 1.0}, text=text)
    base = wire(base, other, str(draw.choice(lacking)), -float(draw.uniform(0.25, 0.4)))
    wrong = ("contradictory-annotations",)
    return Case(base, innocent=(Planted(wrong, names([unit, other])),))
