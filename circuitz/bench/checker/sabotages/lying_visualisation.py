"""Pictures optimised for the context unit show a part, and its words follow the pictures."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import disguise, names, say, shortcut, unit_of
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    shown = base.words[int(draw.choice(part_units(base, tie.target)))]
    base = shortcut(base, tie.concept, tie.target, float(draw.uniform(0.4, 0.6)))
    base = say(disguise(base, unit, shown), unit, shown)
    return Case(base, (Planted(("mislabelled-unit",), names(unit)),))
