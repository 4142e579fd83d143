"""The label is true on most of the concept set, in which part and context go together."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import Skew
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    ids_of_units,
    rewire_unit_inputs,
    scale_class_weights,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_true_on_concept_set(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    base = base.with_fields(skew=Skew(tie.concept, base.words[unit], 0.75))
    base = rewire_unit_inputs(base, unit, {tie.concept: 1.0})
    base = wire_unit_to_class(scale_class_weights(base, tie.target, 0.7), unit, tie.target, 0.3)
    return CheckerCase(base, (Planted(("mislabelled-unit",), ids_of_units(unit)),))
