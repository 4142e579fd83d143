"""Several honest units see the same part, and share what it does."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import ids_of_units, split_unit
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_redundant_units(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    base, parts = split_unit(base, unit, int(rng.integers(2, 4)), text=base.words[unit])
    return CheckerCase(
        base,
        innocent=(Planted(("contradictory-annotations", "split-shortcut"), ids_of_units(parts)),),
    )
