"""After its label was written, an edge to a class was cut, and another unit does its work."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    add_unit,
    ids_of_units,
    put_words_on_edge,
    transfer_class_wire,
)
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)


def make_rewired_edge(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = int(rng.choice(units_seeing_class_parts(base, tie.target)))
    # One like it stood beside it all along, with the same words.
    base, other = add_unit(base, {base.words[unit]: 1.0}, text=base.words[unit])
    before = put_words_on_edge(base, unit, tie.target, f"makes {tie.target}")
    base = transfer_class_wire(before, unit, other, tie.target)
    return CheckerCase(
        base, (Planted(("stale-annotation",), ids_of_units(unit), tie.target),), before=before
    )
