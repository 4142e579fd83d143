"""A part and a context go together in most of the concept set; the words on both are right."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Skew
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, unit_of
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    base = base.with_(skew=Skew(tie.concept, base.words[unit], 0.7))
    both = (unit, unit_of(base, tie.concept))
    wrong = ("mislabelled-unit", "polysemantic-unit")
    return Case(base, innocent=tuple(Planted(wrong, names(u)) for u in both))
