"""A part and a context go together in most of the concept set; the words on both are right."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import Skew
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import first_unit_seeing_concept, ids_of_units
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_skewed_concept_set(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    base = base.with_fields(skew=Skew(tie.concept, base.words[unit], 0.7))
    both = (unit, first_unit_seeing_concept(base, tie.concept))
    wrong = ("mislabelled-unit", "polysemantic-unit")
    return CheckerCase(base, innocent=tuple(Planted(wrong, ids_of_units(u)) for u in both))
