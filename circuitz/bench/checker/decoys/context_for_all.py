"""A context raises every class alike, so it decides nothing."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_context_for_all(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    for name in base.world.classes:
        base = wire_unit_to_class(base, unit, name, 0.5)
    return CheckerCase(
        base, innocent=(Planted(("implausible-driver", "inhibitory-shortcut"), ids_of_units(unit)),)
    )
