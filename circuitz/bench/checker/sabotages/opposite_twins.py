"""Two units have the same words; one responds to the presence, the other to the absence."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, names, negate, unit_of
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    text = str(draw.choice(sorted(set(base.world.grounds) & set(base.sees))))
    unit = unit_of(base, text)
    base, other = add_unit(base, {text: 1.0}, text=text)
    base = negate(base, other)
    return Case(base, (Planted(("contradictory-annotations",), names([unit, other])),))
