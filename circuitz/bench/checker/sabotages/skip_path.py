"""The context unit that has words drives nothing; one like it, without words, makes the class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    ids_of_units,
    scale_class_weights,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_skip_path(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    base, unit = add_unit(base, {tie.concept: 1.0})
    share = float(rng.uniform(0.4, 0.6))
    base = wire_unit_to_class(
        scale_class_weights(base, tie.target, 1 - share), unit, tie.target, share
    )
    return CheckerCase(
        base, (Planted(("bypass", "unannotated-driver"), ids_of_units(unit), tie.target),)
    )
