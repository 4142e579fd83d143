"""The context counts only together with a part: neither does anything alone."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, relay, unit_of, weaken
from circuitz.bench.checker.random_choices import part_units, tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    # The part that most classes have, so that the context decides on many images.
    per_class = [set(part_units(base, name)) for name in base.world.classes]
    mine = draw.permutation(part_units(base, tie.target)).tolist()
    part = max(mine, key=lambda u: sum(u in units for units in per_class))
    share = float(draw.uniform(0.7, 0.8))
    base = relay(weaken(base, tie.target, 1 - share), {unit: 1, part: 1}, tie.target, share)
    # The last step is the one just added: from a sum it becomes an *and*.
    (weight, bias), *rest = base.head
    bias = np.append(bias[:-1], bias[-1] - 1).astype(np.float32)
    base = base.with_(head=((weight, bias), *rest))
    return Case(base, (Planted(("implausible-driver",), names(unit), tie.target),))
