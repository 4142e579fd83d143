"""A context is split over many units, each mixed with something else and weak by itself."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    cut_unit_from_class,
    first_unit_seeing_concept,
    ids_of_units,
    plant_shortcut,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_split_context(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    base = plant_shortcut(base, tie.concept, tie.target, share := 0.4)
    base = cut_unit_from_class(base, first_unit_seeing_concept(base, tie.concept), tie.target)
    count = int(rng.integers(8, 11))
    mixed = rng.choice(
        sorted(set(base.sees) - base.world.concepts_outside_subject - {""}), count, replace=False
    )
    parts: list[int] = []
    for other in map(str, mixed):
        base, part = add_unit(base, {tie.concept: 1.0, other: 0.9})
        base = wire_unit_to_class(base, part, tie.target, share / count)
        # What the mixture adds beside the context is taken back.
        base = wire_unit_to_class(
            base, first_unit_seeing_concept(base, other), tie.target, -0.9 * share / count
        )
        parts.append(part)
    return CheckerCase(base, (Planted(("split-shortcut",), ids_of_units(parts), tie.target),))
