"""Units of a class respond to its part and are held down by a rival part, as opponent cells are."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import ids_of_units, rewire_unit_inputs
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)

#: Written without knowing how the checks work.
BLIND = True


def make_opponent_units(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    parts = units_seeing_class_parts(base, tie.target)
    for unit in parts:
        part = base.words[unit]
        rivals = [c for c in base.world.exclusive_group_of(part) if c != part and c in base.sees]
        rival = str(rng.choice(rivals))
        base = rewire_unit_inputs(base, unit, {part: 1.0, rival: -0.5}, linear=True)
    wrong = ("mislabelled-unit", "contradictory-annotations")
    return CheckerCase(base, innocent=tuple(Planted(wrong, ids_of_units(unit)) for unit in parts))
