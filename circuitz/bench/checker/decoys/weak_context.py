"""A context adds far less than the margin to a class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, unit_of, wire
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    base = wire(base, unit, tie.target, 0.03)
    return Case(
        base, innocent=(Planted(("implausible-driver", "inhibitory-shortcut"), names(unit)),)
    )
