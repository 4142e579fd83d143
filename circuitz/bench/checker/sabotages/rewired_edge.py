"""After its label was written, an edge to a class was cut, and another unit does its work."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, hand_over, names, say_edge
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    # One like it stood beside it all along, with the same words.
    base, other = add_unit(base, {base.words[unit]: 1.0}, text=base.words[unit])
    before = say_edge(base, unit, tie.target, f"makes {tie.target}")
    base = hand_over(before, unit, other, tie.target)
    return Case(base, (Planted(("stale-annotation",), names(unit), tie.target),), before=before)
