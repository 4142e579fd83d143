"""The label is true on most of the concept set, in which part and context go together."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Skew
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, rewire_unit, weaken, wire
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    base = base.with_(skew=Skew(tie.concept, base.words[unit], 0.75))
    base = rewire_unit(base, unit, {tie.concept: 1.0})
    base = wire(weaken(base, tie.target, 0.7), unit, tie.target, 0.3)
    return Case(base, (Planted(("mislabelled-unit",), names(unit)),))
