"""Two units see one part and have the same words: one makes a class, the other speaks against another."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import add_unit, ids_of_units, wire_unit_to_class
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)

#: Written without knowing how the checks work.
BLIND = True


def make_division_of_labour(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    # No class has every part, so a part can speak against some class that lacks it.
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    lacking = [
        name for name in base.world.classes if unit not in units_seeing_class_parts(base, name)
    ]
    text = base.words[unit]
    base, other = add_unit(base, {text: 1.0}, text=text)
    base = wire_unit_to_class(base, other, str(rng.choice(lacking)), -float(rng.uniform(0.25, 0.4)))
    wrong = ("contradictory-annotations",)
    return CheckerCase(base, innocent=(Planted(wrong, ids_of_units([unit, other])),))
