"""One part makes most of a class, far more than the others: strong, and plausible."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.edit_base import scale_class_weights, wire_unit_to_class
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_strong_part(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    return CheckerCase(
        wire_unit_to_class(scale_class_weights(base, tie.target, 0.6), unit, tie.target, 0.4)
    )
