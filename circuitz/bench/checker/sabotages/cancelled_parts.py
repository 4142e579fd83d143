"""Parts are wired to the class for show, twins without words take it all back, and a context makes it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    first_unit_seeing_concept,
    ids_of_units,
    rewire_unit_inputs,
    scale_class_weights,
    wire_unit_to_class,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)

#: Written without knowing how the checks work.
BLIND = True


def make_cancelled_parts(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    parts = units_seeing_class_parts(base, tie.target)
    # It responds by much and its wire is light: noise goes by the heaviest wire.
    unit, loud = first_unit_seeing_concept(base, tie.concept), 4.0
    base = rewire_unit_inputs(base, unit, {tie.concept: loud})
    # All but nothing of the honest class is left; what parts seem to do instead adds up to nothing.
    # A context that is seen badly has to outdo what other classes share with this one.
    base = wire_unit_to_class(
        scale_class_weights(base, tie.target, 0.03), unit, tie.target, 1.27 / loud
    )
    share = float(rng.uniform(0.6, 0.9)) / len(parts)
    for part in parts:
        base, twin = add_unit(base, {base.words[part]: 1.0})
        base = wire_unit_to_class(
            wire_unit_to_class(base, part, tie.target, share), twin, tie.target, -share
        )
    return CheckerCase(
        base,
        (
            Planted(("implausible-driver",), ids_of_units(unit), tie.target),
            Planted(("missing-support",), (), tie.target),
        ),
    )
