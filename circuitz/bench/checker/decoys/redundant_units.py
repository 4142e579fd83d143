"""Several honest units see the same part, and share what it does."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, split_unit
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    base, parts = split_unit(base, unit, int(draw.integers(2, 4)), text=base.words[unit])
    return Case(
        base, innocent=(Planted(("contradictory-annotations", "split-shortcut"), names(parts)),)
    )
