"""The label is true on most of the concept set, in which part and context go together."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case, Planted
from circuitz.bench.checker.choose import part_units, tied
from circuitz.bench.checker.edit import names, rewire_unit, weaken, wire
from circuitz.bench.checker.world import Skew


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    base = base.with_(skew=Skew(tie.concept, base.words[unit], 0.75))
    base = rewire_unit(base, unit, {tie.concept: 1.0})
    base = wire(weaken(base, tie.target, 0.7), unit, tie.target, 0.3)
    return Case(base, (Planted(("mislabelled-unit",), names(unit)),))
