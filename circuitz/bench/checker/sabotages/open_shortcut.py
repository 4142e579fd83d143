"""A context makes a class, and the words on it say so."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import first_unit_seeing_concept, ids_of_units, plant_shortcut
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_open_shortcut(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    base = plant_shortcut(base, tie.concept, tie.target, float(rng.uniform(0.35, 0.7)))
    units = ids_of_units(first_unit_seeing_concept(base, tie.concept))
    return CheckerCase(base, (Planted(("implausible-driver",), units, tie.target),))
