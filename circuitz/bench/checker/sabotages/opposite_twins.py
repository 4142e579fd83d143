"""Two units have the same words; one responds to the presence, the other to the absence."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    first_unit_seeing_concept,
    ids_of_units,
    negate_unit,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_opposite_twins(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, _ = tie_random_context_to_class(base, rng)
    text = str(rng.choice(sorted(set(base.world.grounds) & set(base.sees))))
    unit = first_unit_seeing_concept(base, text)
    base, other = add_unit(base, {text: 1.0}, text=text)
    base = negate_unit(base, other)
    return CheckerCase(
        base, (Planted(("contradictory-annotations",), ids_of_units([unit, other])),)
    )
