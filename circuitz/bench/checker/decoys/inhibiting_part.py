"""A part of another animal speaks against a class, as it should."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.edit_base import wire
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    mine = set(part_units(base, tie.target))
    others = {u for name in base.world.classes for u in part_units(base, name)} - mine
    unit = int(draw.choice(sorted(others)))
    return Case(wire(base, unit, tie.target, -0.3))
