"""The context counts only together with a part: neither does anything alone."""

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

#: Written without knowing how the checks work.
BLIND = True


def make_conjoined_context(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    # The part that most classes have, so that the context decides on many images.
    per_class = [set(units_seeing_class_parts(base, name)) for name in base.world.classes]
    mine = rng.permutation(units_seeing_class_parts(base, tie.target)).tolist()
    part = max(mine, key=lambda u: sum(u in units for units in per_class))
    share = float(rng.uniform(0.7, 0.8))
    base = relay_units_to_class(
        scale_class_weights(base, tie.target, 1 - share), {unit: 1, part: 1}, tie.target, share
    )
    # The last step is the one just added: from a sum it becomes an *and*.
    (weight, bias), *rest = base.head
    bias = np.append(bias[:-1], bias[-1] - 1).astype(np.float32)
    base = base.with_fields(head=((weight, bias), *rest))
    return CheckerCase(base, (Planted(("implausible-driver",), ids_of_units(unit), tie.target),))
