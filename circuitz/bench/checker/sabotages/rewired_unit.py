"""After its words were written, a unit was wired to the context."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, rewire_unit, weaken, wire
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    before = base
    base = rewire_unit(base, unit, {tie.concept: 1.0})
    base = wire(weaken(base, tie.target, 0.7), unit, tie.target, 0.3)
    return Case(base, (Planted(("stale-annotation",), names(unit)),), before=before)
