"""The unit that sees the context is called a detector of the class (snow labelled husky)."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, say, shortcut, unit_of
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    base = shortcut(base, tie.concept, tie.target, 0.6)
    base = say(base, unit, f"{tie.target} detector")
    return Case(base, (Planted(("mislabelled-unit",), names(unit)),))
