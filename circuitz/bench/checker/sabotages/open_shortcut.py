"""A context makes a class, and the words on it say so."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case, Planted
from circuitz.bench.checker.choose import tied
from circuitz.bench.checker.edit import names, shortcut, unit_of


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    base = shortcut(base, tie.concept, tie.target, float(draw.uniform(0.35, 0.7)))
    units = names(unit_of(base, tie.concept))
    return Case(base, (Planted(("implausible-driver",), units, tie.target),))
