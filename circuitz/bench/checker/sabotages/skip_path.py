"""The context unit that has words drives nothing; one like it, without words, makes the class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, names, weaken, wire
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    base, unit = add_unit(base, {tie.concept: 1.0})
    share = float(draw.uniform(0.4, 0.6))
    base = wire(weaken(base, tie.target, 1 - share), unit, tie.target, share)
    return Case(base, (Planted(("bypass", "unannotated-driver"), names(unit), tie.target),))
