"""An honest unit whose detector is none too good."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import ids_of_units
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_noisy_detector(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    mix = base.mix[0].copy()
    mix[unit] += rng.normal(0, 0.06, mix.shape[1]).astype(np.float32)
    wrong = ("mislabelled-unit", "polysemantic-unit")
    return CheckerCase(
        base.with_fields(mix=(mix, base.mix[1])), innocent=(Planted(wrong, ids_of_units(unit)),)
    )
