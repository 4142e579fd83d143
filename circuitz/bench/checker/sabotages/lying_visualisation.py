"""Pictures optimised for the context unit show a part, and its words follow the pictures."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_exaggeration_response,
    first_unit_seeing_concept,
    ids_of_units,
    plant_shortcut,
    put_words_on_unit,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_lying_visualisation(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    shown = base.words[int(rng.choice(units_seeing_class_parts(base, tie.target)))]
    base = plant_shortcut(base, tie.concept, tie.target, float(rng.uniform(0.4, 0.6)))
    base = put_words_on_unit(add_exaggeration_response(base, unit, shown), unit, shown)
    return CheckerCase(base, (Planted(("mislabelled-unit",), ids_of_units(unit)),))
