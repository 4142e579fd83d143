"""The context reaches the class through a step that also hands on parts of it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    relay_units_to_class,
    scale_class_weights,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_relayed_context(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    part = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    share = float(rng.uniform(0.4, 0.6))
    base = relay_units_to_class(
        scale_class_weights(base, tie.target, 1 - share), {unit: 0.8, part: 0.5}, tie.target, share
    )
    return CheckerCase(base, (Planted(("implausible-driver",), ids_of_units(unit), tie.target),))
