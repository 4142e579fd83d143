"""A true label on a unit that no longer does anything: another one took over its work."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    ids_of_units,
    rewire_unit_inputs,
    transfer_class_wire,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_dead_unit(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    base, other = add_unit(base, {base.words[unit]: 1.0}, text=base.words[unit])
    for name in base.world.classes:
        base = transfer_class_wire(base, unit, other, name)
    return CheckerCase(
        rewire_unit_inputs(base, unit, {}),
        (Planted(("redundant-annotation",), ids_of_units(unit)),),
    )
