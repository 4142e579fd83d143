"""One part makes most of a class, far more than the others: strong, and plausible."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.edit_base import weaken, wire
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    return Case(wire(weaken(base, tie.target, 0.6), unit, tie.target, 0.4))
