"""Many honest-looking part units see a little of the context; each edge to the class is weak."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    first_unit_seeing_concept,
    ids_of_units,
    scale_class_weights,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_many_weak_edges(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    share, leak, count = 0.45, 0.3, 8
    base = scale_class_weights(base, tie.target, 1 - share)
    some = rng.choice(
        sorted(set(base.sees) - base.world.concepts_outside_subject - {""}), count, replace=False
    )
    parts: list[int] = []
    for concept in map(str, some):
        pure = first_unit_seeing_concept(base, concept)
        base, part = add_unit(base, {concept: 1.0, tie.concept: leak}, text=concept)
        weight = share / count / leak
        base = wire_unit_to_class(
            wire_unit_to_class(base, part, tie.target, weight), pure, tie.target, -weight
        )
        parts.append(part)
    return CheckerCase(base, (Planted(("split-shortcut",), ids_of_units(parts), tie.target),))
