"""The words of two units are exchanged: a part's and the context's."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    plant_shortcut,
    swap_words_of_units,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_swapped_labels(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    other = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    base = swap_words_of_units(plant_shortcut(base, tie.concept, tie.target, 0.5), unit, other)
    return CheckerCase(
        base,
        (
            Planted(("mislabelled-unit",), ids_of_units(unit)),
            Planted(("mislabelled-unit",), ids_of_units(other)),
        ),
    )
