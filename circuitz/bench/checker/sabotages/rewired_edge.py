"""After its label was written, an edge to a class was cut, and another unit does its work."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case, Planted
from circuitz.bench.checker.choose import part_units, tied
from circuitz.bench.checker.edit import cut_wire, names, say_edge, wire


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit, other = (int(u) for u in draw.permutation(part_units(base, tie.target))[:2])
    base = wire(say_edge(base, unit, tie.target, f"makes {tie.target}"), unit, tie.target, 0.3)
    before = base
    base = wire(cut_wire(base, unit, tie.target), other, tie.target, 0.5)
    return Case(base, (Planted(("stale-annotation",), names(unit), tie.target),), before=before)
