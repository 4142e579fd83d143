"""A unit that responds to the absence of a context, which D shows with other classes, is called a part."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case, Planted
from circuitz.bench.checker.choose import context, part_units, target
from circuitz.bench.checker.edit import add_unit, names, negate, wire
from circuitz.bench.checker.world import Tie

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    tie = Tie(context(base, draw), target(base, draw), share=0.0, others=0.7)
    base = base.with_(ties=(tie,))
    text = base.words[int(draw.choice(part_units(base, tie.target)))]
    base, unit = add_unit(base, {tie.concept: 1.0}, text=text)
    base = wire(negate(base, unit), unit, tie.target, float(draw.uniform(0.7, 0.9)))
    return Case(base, (Planted(("mislabelled-unit",), names(unit)),))
