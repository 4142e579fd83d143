"""One unit sees a part and the context; its words name the part."""

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
    base = rewire_unit(
        base, unit, {base.words[unit]: 1.0, tie.concept: float(draw.uniform(0.7, 0.9))}
    )
    base = wire(weaken(base, tie.target, 0.7), unit, tie.target, 0.3)
    return Case(base, (Planted(("polysemantic-unit",), names(unit)),))
