"""A context that D shows with other classes holds a class back (grass inhibiting husky)."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Tie
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, unit_of, wire
from circuitz.bench.checker.random_choices import context, target


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    tie = Tie(context(base, draw), target(base, draw), share=0.0, others=0.6)
    base = base.with_(ties=(tie,))
    unit = unit_of(base, tie.concept)
    base = wire(base, unit, tie.target, -float(draw.uniform(0.6, 0.9)))
    return Case(base, (Planted(("inhibitory-shortcut",), names(unit), tie.target),))
