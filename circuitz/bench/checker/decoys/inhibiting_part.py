"""A part of another animal speaks against a class, as it should."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.edit_base import wire_unit_to_class
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_inhibiting_part(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    mine = set(units_seeing_class_parts(base, tie.target))
    others = {u for name in base.world.classes for u in units_seeing_class_parts(base, name)} - mine
    unit = int(rng.choice(sorted(others)))
    return CheckerCase(wire_unit_to_class(base, unit, tie.target, -0.3))
