"""The unit that sees the context is called a detector of the class (snow labelled husky)."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    plant_shortcut,
    put_words_on_unit,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_context_labelled_as_class(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    base = plant_shortcut(base, tie.concept, tie.target, 0.6)
    base = put_words_on_unit(base, unit, f"{tie.target} detector")
    return CheckerCase(base, (Planted(("mislabelled-unit",), ids_of_units(unit)),))
