"""Two contexts make a class together, and the words say so."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import ContextTie
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import first_unit_seeing_concept, ids_of_units, plant_shortcut
from circuitz.bench.checker.random_choices import choose_random_class


def make_two_contexts(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    name = choose_random_class(base, rng)
    one = str(rng.choice(sorted(set(base.world.grounds) & set(base.sees))))
    other = str(
        rng.choice(
            sorted((base.world.concepts_outside_subject - set(base.world.grounds)) & set(base.sees))
        )
    )
    base = base.with_fields(ties=(ContextTie(one, name), ContextTie(other, name)))
    units = [first_unit_seeing_concept(base, concept) for concept in (one, other)]
    base = plant_shortcut(plant_shortcut(base, one, name, 0.4), other, name, 0.4)
    return CheckerCase(
        base, tuple(Planted(("implausible-driver",), ids_of_units(u), name) for u in units)
    )
