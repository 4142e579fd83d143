"""A true label on a unit that no longer does anything: another one took over its work."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, hand_over, names, rewire_unit
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    base, other = add_unit(base, {base.words[unit]: 1.0}, text=base.words[unit])
    for name in base.world.classes:
        base = hand_over(base, unit, other, name)
    return Case(rewire_unit(base, unit, {}), (Planted(("redundant-annotation",), names(unit)),))
