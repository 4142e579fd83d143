"""A context makes a class, and the words on it say so."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, shortcut, unit_of
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    base = shortcut(base, tie.concept, tie.target, float(draw.uniform(0.35, 0.7)))
    units = names(unit_of(base, tie.concept))
    return Case(base, (Planted(("implausible-driver",), units, tie.target),))
