"""A context that D shows with other classes holds a class back (grass inhibiting husky)."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import ContextTie
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import choose_random_class, choose_random_context


def make_inhibiting_context(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    tie = ContextTie(
        choose_random_context(base, rng), choose_random_class(base, rng), share=0.0, others=0.6
    )
    base = base.with_fields(ties=(tie,))
    unit = first_unit_seeing_concept(base, tie.concept)
    base = wire_unit_to_class(base, unit, tie.target, -float(rng.uniform(0.6, 0.9)))
    return CheckerCase(base, (Planted(("inhibitory-shortcut",), ids_of_units(unit), tie.target),))
