"""Low-level units with words of their own, which do a little for every class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.edit_base import first_unit_seeing_concept, wire_unit_to_class
from circuitz.bench.checker.random_choices import choose_random_class, tie_random_context_to_class


def make_low_level_units(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, _ = tie_random_context_to_class(base, rng)
    if "stripes" in base.sees:
        base = wire_unit_to_class(
            base, first_unit_seeing_concept(base, "stripes"), choose_random_class(base, rng), 0.04
        )
    return CheckerCase(base)
