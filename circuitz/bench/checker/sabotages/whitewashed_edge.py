"""A context makes a class, and the words on the edge say that it speaks against it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    plant_shortcut,
    put_words_on_edge,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class

#: Written without knowing how the checks work.
BLIND = True


def make_whitewashed_edge(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    base = plant_shortcut(base, tie.concept, tie.target, float(rng.uniform(0.4, 0.6)))
    base = put_words_on_edge(base, unit, tie.target, f"inhibits {tie.target}")
    return CheckerCase(
        base,
        (
            Planted(("mislabelled-edge",), ids_of_units(unit), tie.target),
            Planted(("implausible-driver",), ids_of_units(unit), tie.target),
        ),
    )
